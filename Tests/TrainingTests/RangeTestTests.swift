import Base
import Foundation
import Testing
import Training

/// The learning-rate range test on recipes whose losses are known in closed form.
@Suite struct RangeTestTests {
  /// Plain descent on `x² / 2` from 1: after rates `r₀, r₁, …` the loss is `∏ (1 - rᵢ)² / 2`, least for rates near 1, and from 2 on it grows.
  private struct Bowl: Recipe {
    var x = 1.0
    var slope = 1.0
    let range: RateRange
    /// The step that finds a gradient that is not finite.
    var failing = Int.max
    /// Steps without a loss.
    var silent: Set<Int> = []

    var trainMetrics: [MetricKind] { [.gradientNorm(), .loss()] }
    var evaluationMetrics: [MetricKind] { [] }

    mutating func step(at step: Int) throws -> StepReport {
      if step == failing { throw Failure(.diverged, at: "bowl.x", "the gradient is infinite") }
      let loss = x * x / 2
      x -= range.rate(at: step) * slope * x
      return StepReport(samples: 1, learningRates: ["lr": range.rate(at: step)], metrics: silent.contains(step) ? [:] : ["loss": loss])
    }

    mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? { nil }
  }

  @Test func ratesRiseByOneFactor() {
    let range = RateRange(from: 1e-6, to: 1e-2, steps: 5)
    for (step, rate) in [1e-6, 1e-5, 1e-4, 1e-3, 1e-2].enumerated() { #expect(abs(range.rate(at: step) / rate - 1) < 1e-12) }
  }

  @Test func theSteepestDescentOfAParabola() throws {
    let range = RateRange(from: 1e-4, to: 1000, steps: 121)
    var recipe = Bowl(range: range)
    let test = try RangeTest(&recipe, range)
    // Losses by the closed form, and their weighted means by the sum that the running mean stands for.
    var losses: [Double] = []
    var factor = 1.0
    for step in 0..<121 {
      losses.append(factor * factor / 2)
      factor *= 1 - range.rate(at: step)
    }
    for (index, point) in test.points.enumerated() {
      #expect(abs(point.loss - losses[index]) <= 1e-12 * losses[index])
      let weights = (0...index).map { pow(0.98, Double(index - $0)) }
      let mean = zip(weights, losses).reduce(0) { $0 + $1.0 * $1.1 } / weights.reduce(0, +)
      #expect(abs(point.smoothed - mean) <= 1e-12 * mean, "step \(index)")
    }
    // Beyond a rate of 2 every step enlarges the loss.
    #expect(test.end == .rose && test.points.count < 121)
    let last = try #require(test.points.last)
    #expect(last.rate > 2 && last.smoothed > 4 * (test.points.map(\.smoothed).min() ?? 0))
    // The slope by the same losses: the loss is halved first at rates of some hundredths.
    let suggested = try #require(test.suggested)
    let smoothed = test.points.map(\.smoothed)
    let inner = 10..<smoothed.count - 5
    let steepest = inner.dropFirst().dropLast().min { smoothed[$0 + 1] - smoothed[$0 - 1] < smoothed[$1 + 1] - smoothed[$1 - 1] }
    #expect(suggested == steepest)
    #expect((0.01...0.5).contains(test.points[suggested].rate), "\(test.points[suggested].rate)")
    #expect(test.least.map { smoothed[$0] } == smoothed.min())
  }

  @Test func theSteepestPointOfGivenLosses() {
    // A step down between the points 20 and 21, and a larger one among the first ten, which do not count.
    let points = (0..<40).map { index -> (rate: Double, loss: Double) in
      let position = Double(index)
      let loss: Double = index < 4 ? 9 : index < 21 ? 2 - 0.001 * position : 1
      return (pow(10, -5 + 0.1 * position), loss)
    }
    #expect(RangeTest.steepest(points).map { $0 == 20 || $0 == 21 } == true)
    #expect(RangeTest.steepest(points.map { (rate: $0.rate, loss: 1.0) }) == nil, "a flat curve has no descent")
    #expect(RangeTest.steepest(Array(points.prefix(16))) == nil, "one point that counts has no slope")
  }

  @Test func aDivergingTrainingEndsTheTest() throws {
    let range = RateRange(from: 1e-7, to: 1, steps: 60)
    var recipe = Bowl(range: range, failing: 30)
    let test = try RangeTest(&recipe, range)
    #expect(test.points.count == 30 && test.end == .notFinite("bowl.x: the gradient is infinite") && test.suggested != nil)
    var steep = Bowl(slope: .infinity, range: range)
    let broken = try RangeTest(&steep, range)
    #expect(broken.points.count == 1 && broken.end == .notFinite("loss is not finite") && broken.suggested == nil)
  }

  @Test func stepsWithoutALossArePassedOver() throws {
    let range = RateRange(from: 1e-5, to: 1e-2, steps: 40)
    var recipe = Bowl(range: range, silent: [0, 7, 8])
    var seen: [Int] = []
    let test = try RangeTest(&recipe, range, progress: { seen.append($0) })
    #expect(test.points.map(\.step) == (0..<40).filter { ![0, 7, 8].contains($0) } && test.end == .completed)
    #expect(seen == Array(1...40))
  }
}
