import Base
import Foundation

/// The learning rates of a range test: from one to another in steps of one factor, in place of the config's schedules.
public struct RateRange: Sendable, Equatable {
  public var from: Double
  public var to: Double
  /// Updates, two or more.
  public var steps: Int

  public init(from: Double, to: Double, steps: Int) { (self.from, self.to, self.steps) = (from, to, steps) }

  /// `from · (to / from)^(t / (steps - 1))`, in updates before it.
  public func rate(at step: Int) -> Double { from * pow(to / from, Double(step) / Double(max(steps - 1, 1))) }
}

/// The learning-rate range test: the loss of a short training whose rate rises, and the rate at which it falls fastest.
///
/// The loss is smoothed as `s ← β s + (1 - β) l`, divided by `1 - βᵏ` after `k` losses. The test ends where that is more than four times
/// its least value, or a number is no longer finite. The suggestion is the rate of the steepest descent of the smoothed loss over the
/// logarithm of the rate, not counting ten losses at the beginning and five at the end.
/// - Source: Smith, "Cyclical learning rates for training neural networks", 2017 (arXiv 1506.01186), section 3.3; numbers of smoothing, end
///   and suggestion as in PyTorch Lightning's and fastai's finders.
public struct RangeTest: Sendable {
  /// One update.
  public struct Point: Sendable, Equatable {
    /// Updates before it.
    public let step: Int
    /// Of parameters without a group, of the first optimiser.
    public let rate: Double
    public let loss: Double
    public let smoothed: Double
    /// All learning rates of the update, and all its numbers.
    public let rates: Metrics
    public let metrics: Metrics
  }

  /// The reason of its end.
  public enum End: Sendable, Equatable {
    /// All rates were tried.
    case completed
    /// The smoothed loss was more than four times its least value.
    case rose
    /// A number was infinite or not a number, as the text says.
    case notFinite(String)
  }

  /// β.
  public static let smoothing = 0.98
  /// The smoothed loss over its least value at which the test ends.
  public static let mostRise = 4.0
  /// Losses that the suggestion passes over.
  public static let skippedFirst = 10
  public static let skippedLast = 5

  /// Without updates that had no loss.
  public let points: [Point]
  public let end: End
  /// The loss that is looked at.
  public let loss: MetricKind

  /// Trains, from the weights that the recipe begins with. Nothing is written anywhere.
  /// - Parameters:
  ///   - recipe: with the rates of `range` instead of its schedules, and not begun.
  ///   - note: told what the recipe says at its start.
  ///   - progress: told the number of updates done.
  /// - Throws: what the recipe throws, but for a training that diverges.
  public init<R: Recipe>(
    _ recipe: inout R, _ range: RateRange, note: (String) -> Void = { _ in }, progress: (Int) -> Void = { _ in }
  ) throws {
    guard let loss = recipe.trainMetrics.first(where: \.isLoss) else {
      stop("RangeTest: the recipe has no loss among \(recipe.trainMetrics.map(\.name))")
    }
    let watched = recipe.trainMetrics.filter(\.mustBeFinite).map(\.name)
    var points: [Point] = []
    var end = End.completed
    var curve = SmoothedLoss()
    for line in try recipe.enter(stage: 0, isResuming: false) { note(line) }
    for step in 0..<range.steps {
      let report: StepReport
      do {
        report = try recipe.step(at: step)
      } catch let failure as Failure where failure.kind == .diverged {
        end = .notFinite("\(failure.place): \(failure.problem)")
        break
      }
      progress(step + 1)
      if let name = watched.first(where: { report.metrics[$0].map { !$0.isFinite } ?? false }) {
        end = .notFinite("\(name) is not finite")
        break
      }
      guard let value = report.metrics[loss.name] else { continue }  // this batch teaches nothing
      let smoothed = curve.add(value)
      points.append(Point(step: step, rate: report.learningRates.first?.value ?? range.rate(at: step), loss: value, smoothed: smoothed,
                          rates: report.learningRates, metrics: report.metrics))
      if curve.hasRisen {
        end = .rose
        break
      }
    }
    (self.points, self.end, self.loss) = (points, end, loss)
  }

  /// The index of the point at which the smoothed loss falls fastest; nil if it falls nowhere, or there are too few points.
  public var suggested: Int? { Self.steepest(points.map { ($0.rate, $0.smoothed) }) }

  /// The index of the point with the least smoothed loss.
  public var least: Int? { points.indices.min { points[$0].smoothed < points[$1].smoothed } }

  /// Central differences over the logarithm of the rate.
  package static func steepest(_ points: [(rate: Double, loss: Double)]) -> Int? {
    let counted = points.dropFirst(skippedFirst).dropLast(skippedLast)
    guard counted.count > 1 else { return nil }
    func slope(_ index: Int) -> Double {
      let before = points[max(index - 1, counted.startIndex)]
      let after = points[min(index + 1, counted.endIndex - 1)]
      return (after.loss - before.loss) / (log(after.rate) - log(before.rate))
    }
    let slopes = counted.indices.map { (index: $0, slope: slope($0)) }
    guard let best = slopes.min(by: { $0.slope < $1.slope }), best.slope < 0 else { return nil }
    return best.index
  }
}

/// The running mean of a loss without the bias of its start.
struct SmoothedLoss {
  private var sum = 0.0
  private var weight = 1.0
  private var count = 0
  private var least = Double.infinity
  /// Whether the latest mean is more than four times the least one.
  private(set) var hasRisen = false

  mutating func add(_ loss: Double) -> Double {
    sum = RangeTest.smoothing * sum + (1 - RangeTest.smoothing) * loss
    weight *= RangeTest.smoothing
    count += 1
    let mean = sum / (1 - weight)
    hasRisen = count > 1 && least > 0 && mean > RangeTest.mostRise * least
    least = min(least, mean)
    return mean
  }
}
