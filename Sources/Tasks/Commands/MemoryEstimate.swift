import Base
import Networks
import Tensors
import Training

/// The memory of a pass by the size of its input, from passes over small ones.
///
/// A batch of `n` samples of `p` pixels needs `fixed + n · (perPixel · p + perPixelPair · p²)`: activations grow with the pixels, and
/// comparisons of all pixels with all others (correlation, attention) with their square.
///
/// A pass with gradients keeps all its tensors, and the smallest inputs tell. One without needs most at one moment, which depends on the
/// size: over small inputs it lies among the activations, over large ones where pairs of pixels are compared. So the latter is measured
/// over inputs where pairs count, of three sizes, since working memory that does not grow counts there, too.
package struct MemoryEstimate: Equatable {
  /// Bytes.
  let fixed: Double
  let perPixel: Double
  let perPixelPair: Double

  /// Samples in the larger of two small batches: enough that the rounding of small blocks does not count.
  static let samples = 4

  /// What a pass over one sample needs.
  private struct Point {
    let pixels: Double
    let bytes: Double
    var density: Double { bytes / pixels }
  }

  /// - Parameters:
  ///   - side: height and width of the smallest input that the network takes, pixels.
  ///   - limit: bytes that no pass without gradients shall exceed, as far as that can be foreseen.
  ///   - peak: the most bytes that a pass over such an input needs.
  package init(side: Int, _ mode: PassMode, limit: Double = .infinity, peak: (InputShape) -> Int) {
    func point(_ factor: Int, samples: Int = 1) -> Point {
      let length = factor * side
      let bytes = peak(InputShape(samples: samples, height: length, width: length))
      return Point(pixels: Double(length) * Double(length), bytes: Double(bytes))
    }
    switch mode {
    case .training:
      let one = point(1)
      let large = point(2)
      let fixed = max(0, one.bytes - (point(1, samples: Self.samples).bytes - one.bytes) / Double(Self.samples - 1))
      self.init(fixed: fixed, Point(pixels: one.pixels, bytes: one.bytes - fixed), Point(pixels: large.pixels, bytes: large.bytes - fixed))
    case .inference:
      let small = point(3)
      let middle = point(4)
      // At worst it grows with the square of the pixels.
      let growth = (6.0 * 6) / (4 * 4)
      if middle.bytes * growth * growth <= limit {
        self.init(small, middle, point(6))
      } else {
        self.init(point(2), small, middle)
      }
    }
  }

  private init(fixed: Double, perPixel: Double, perPixelPair: Double) {
    self.fixed = fixed
    self.perPixel = perPixel
    self.perPixelPair = perPixelPair
  }

  /// The terms that grow, through two sizes; none is negative.
  private init(fixed: Double, _ small: Point, _ large: Point) {
    let slope = (large.density - small.density) / (large.pixels - small.pixels)
    self.init(fixed: fixed, perPixel: max(0, slope > 0 ? small.density - slope * small.pixels : large.density), perPixelPair: max(0, slope))
  }

  /// All three terms, through three sizes; none is negative.
  private init(_ small: Point, _ middle: Point, _ large: Point) {
    let first = (middle.bytes - small.bytes) / (middle.pixels - small.pixels)
    let second = (large.bytes - middle.bytes) / (large.pixels - middle.pixels)
    let bend = max(0, (second - first) / (large.pixels - small.pixels))
    let rise = second - bend * (large.pixels + middle.pixels)
    let pair = rise >= 0 ? bend : max(0, second / (large.pixels + middle.pixels))
    let constant = large.bytes - max(0, rise) * large.pixels - pair * large.pixels * large.pixels
    if constant >= 0 {
      self.init(fixed: constant, perPixel: max(0, rise), perPixelPair: pair)
    } else {
      self.init(fixed: 0, middle, large)
    }
  }

  package func bytes(_ shape: InputShape) -> Double {
    let pixels = Double(shape.height) * Double(shape.width)
    return fixed + Double(shape.samples) * (perPixel * pixels + perPixelPair * pixels * pixels)
  }

  /// The most bytes of tensors that lived at one time while `body` ran.
  package static func peak(_ body: () -> Void) -> Int {
    MemoryPool.resetHighWater()
    body()
    return MemoryPool.statistics.highWater
  }
}

extension LearningTask {
  /// The most bytes of tensors that live at one time in a pass over an input of zeros, with its gradients in training.
  package static func peak(_ model: Model, _ config: Config, _ shape: InputShape, _ mode: PassMode) -> Int {
    MemoryEstimate.peak {
      switch mode {
      case .training: _ = pass(model, config, shape, .training).gradients()
      case .inference: noGradient { _ = pass(model, config, shape, .inference) }
      }
    }
  }
}

extension LearningTask {
  /// The memory of a training process with this config, in bytes: tensors of a step as passes over small inputs tell, what optimisers keep
  /// of each parameter, and the program itself.
  public static func trainingMemory(_ request: ConfigRequest) throws -> Int {
    let config = try load(request).value
    let network = model(config)
    let estimate = MemoryEstimate(side: inputSizes(network).least, .training) { peak(network, config, $0, .training) }
    return Int(estimate.bytes(inputShape(config))) + 3 * 4 * network.parameterCount + 200 << 20
  }
}

/// Refuses inputs that would need more memory than there is, before anything is computed.
public final class MemoryGuard {
  private let measure: () -> MemoryEstimate
  private let subject: String
  private let remedy: String
  private var estimate: MemoryEstimate?
  private var accepted: [InputShape] = []
  private let available: () -> Int

  /// More than any network here needs for a pixel, and from where on pairs of pixels count: below this nothing has to be measured.
  private let generousBytes: Double
  private static let generousPixels = 2_000_000.0

  /// - Parameter available: bytes that tensors can take; tests say so themselves.
  init<Task: LearningTask>(
    _ task: Task.Type, _ config: Task.Config, _ network: @escaping @autoclosure () -> Task.Model, _ mode: PassMode,
    available: @escaping () -> Int = { MemoryPool.available }
  ) {
    self.available = available
    remedy = task.memoryRemedy(config, mode)
    generousBytes = mode == .training ? 32_768 : 8192
    subject = mode == .training ? "training on a batch" : "the network on an input"
    measure = {
      let network = network()
      return MemoryEstimate(side: task.inputSizes(network).least, mode, limit: Double(available()) / 2) {
        task.peak(network, config, $0, mode)
      }
    }
  }

  /// A guard that lets everything through, for what is made of parts with guards of their own.
  init() {
    available = { .max }
    (measure, subject, remedy, generousBytes) = ({ stop("MemoryGuard: nothing to measure") }, "", "", 0)
  }

  /// - Throws: `.usage` if an input of this size needs more memory than there is.
  public func require(_ shape: InputShape) throws {
    guard !accepted.contains(shape) else { return }
    let limit = Double(available())
    let pixels = Double(shape.height) * Double(shape.width)
    let generous = Double(shape.samples) * pixels * generousBytes * (1 + pixels / Self.generousPixels)
    if generous > limit / 2 {
      let estimate = estimate ?? measure()
      self.estimate = estimate
      let needed = estimate.bytes(shape)
      guard needed <= limit else {
        throw Failure(
          .usage, at: "memory", "\(subject) of \(shape) pixels needs about \(Self.size(needed)), \(Self.size(limit)) are available",
          remedy: remedy)
      }
    }
    accepted.append(shape)
  }

  /// A number of bytes in words: `1.5 GiB`.
  static func size(_ bytes: Double) -> String {
    let mebibytes = bytes / 1_048_576
    let units = [("MiB", 1.0), ("GiB", 1024), ("TiB", 1_048_576), ("PiB", 1_073_741_824)]
    let (name, scale) = units.last { mebibytes >= $0.1 } ?? units[0]
    let value = (mebibytes / scale * 10).rounded() / 10
    return value < 1e6 ? "\(value) \(name)" : "over 1000000 \(name)"
  }
}
