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
/// size: over small inputs it lies among the activations, over large ones where pairs of pixels are compared. So the inputs grow until
/// what they tell about large ones no longer changes.
package struct MemoryEstimate: Equatable {
  /// Bytes.
  let fixed: Double
  let perPixel: Double
  let perPixelPair: Double

  /// Samples in the larger of two small batches: enough that the rounding of small blocks does not count.
  static let samples = 4
  /// The size for which two estimates have to agree, within this share, to be believed.
  private static let farPixels = 2_000_000.0
  private static let tolerance = 0.03

  /// - Parameters:
  ///   - side: height and width of the smallest input that the network takes, pixels.
  ///   - limit: bytes that none of the passes shall exceed, as far as that can be foreseen.
  ///   - peak: the most bytes that a pass over such an input needs.
  package init(side: Int, _ mode: PassMode, limit: Double = .infinity, peak: (InputShape) -> Int) {
    func bytes(_ samples: Int, _ side: Int) -> Double { Double(peak(InputShape(samples: samples, height: side, width: side))) }
    let one = bytes(1, side)
    let fixed = max(0, one - (bytes(Self.samples, side) - one) / Double(Self.samples - 1))
    func density(_ factor: Int) -> Density {
      let length = factor * side
      let pixels = Double(length) * Double(length)
      return Density(pixels: pixels, bytes: ((factor == 1 ? one : bytes(1, length)) - fixed) / pixels)
    }
    var found = (mode == .training ? [1, 2] : [3, 4]).map(density)
    var trend = Trend(found[0], found[1])
    for factor in mode == .training ? 0..<0 : 5..<9 {
      let pixels = Double(factor * side) * Double(factor * side)
      guard fixed + trend.density(at: pixels) * pixels <= limit else { break }
      found.append(density(factor))
      let next = Trend(found[found.count - 2], found[found.count - 1])
      let (before, now) = (trend.density(at: Self.farPixels), next.density(at: Self.farPixels))
      trend = next
      if abs(now - before) <= Self.tolerance * now { break }
    }
    self.fixed = fixed
    perPixel = trend.perPixel
    perPixelPair = trend.perPixelPair
  }

  /// Bytes for each pixel of a sample of some size.
  private struct Density {
    let pixels: Double
    let bytes: Double
  }

  /// The line through two densities; never falling, and never below zero.
  private struct Trend {
    let perPixel: Double
    let perPixelPair: Double

    init(_ small: Density, _ large: Density) {
      perPixelPair = max(0, (large.bytes - small.bytes) / (large.pixels - small.pixels))
      perPixel = max(0, perPixelPair > 0 ? small.bytes - perPixelPair * small.pixels : large.bytes)
    }

    func density(at pixels: Double) -> Double { perPixel + perPixelPair * pixels }
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
