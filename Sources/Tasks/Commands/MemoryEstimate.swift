import Base
import Networks
import Tensors
import Training

/// The memory of a pass by the size of its input, from three passes over small ones.
///
/// A batch of `n` samples of `p` pixels needs `fixed + n · (perPixel · p + perPixelPair · p²)`: activations grow with the pixels, and
/// comparisons of all pixels with all others (correlation, attention) with their square.
struct MemoryEstimate: Equatable {
  /// Bytes.
  let fixed: Double
  let perPixel: Double
  let perPixelPair: Double

  /// Samples in the larger of two small batches: enough that the rounding of small blocks does not count.
  static let samples = 4

  /// - Parameters:
  ///   - side: height and width of the smallest input that the network takes, pixels.
  ///   - peak: the most bytes that a pass over such an input needs.
  init(side: Int, peak: (InputShape) -> Int) {
    func bytes(_ samples: Int, _ side: Int) -> Double { Double(peak(InputShape(samples: samples, height: side, width: side))) }
    let one = bytes(1, side)
    let several = bytes(Self.samples, side)
    let large = bytes(1, 2 * side)
    let pixels = Double(side) * Double(side)
    fixed = max(0, one - (several - one) / Double(Self.samples - 1))
    let small = (one - fixed) / pixels
    let wide = (large - fixed) / (4 * pixels)
    perPixelPair = max(0, (wide - small) / (3 * pixels))
    perPixel = max(0, perPixelPair > 0 ? small - perPixelPair * pixels : wide)
  }

  func bytes(_ shape: InputShape) -> Double {
    let pixels = Double(shape.height) * Double(shape.width)
    return fixed + Double(shape.samples) * (perPixel * pixels + perPixelPair * pixels * pixels)
  }

  /// The most bytes of tensors that lived at one time while `body` ran.
  static func peak(_ body: () -> Void) -> Int {
    MemoryPool.resetHighWater()
    body()
    return MemoryPool.statistics.highWater
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
  private static let generousBytes = 32_768.0
  private static let generousPixels = 2_000_000.0

  /// - Parameter available: bytes that tensors can take; tests say so themselves.
  init<Task: LearningTask>(
    _ task: Task.Type, _ config: Task.Config, _ network: @escaping @autoclosure () -> Task.Model, _ mode: PassMode,
    available: @escaping () -> Int = { MemoryPool.available }
  ) {
    self.available = available
    remedy = task.memoryRemedy(config, mode)
    subject = mode == .training ? "training on a batch" : "the network on an input"
    measure = {
      let network = network()
      return MemoryEstimate(side: task.inputSizes(network).least) { shape in
        MemoryEstimate.peak {
          switch mode {
          case .training: _ = task.pass(network, config, shape, .training).gradients()
          case .inference: noGradient { _ = task.pass(network, config, shape, .inference) }
          }
        }
      }
    }
  }

  /// - Throws: `.usage` if an input of this size needs more memory than there is.
  public func require(_ shape: InputShape) throws {
    guard !accepted.contains(shape) else { return }
    let limit = Double(available())
    let pixels = Double(shape.height) * Double(shape.width)
    let generous = Double(shape.samples) * pixels * Self.generousBytes * (1 + pixels / Self.generousPixels)
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
