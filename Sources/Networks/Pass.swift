import Base
import Tensors

/// One forward pass: whether it trains, and where dropout draws from.
///
/// An argument rather than a switch on the layers, so that nothing has to be switched back.
/// ```swift
/// let logits = network(images, Pass(.training, random: Random(seed: 1, stream: .dropout, sample: step)))
/// ```
public final class Pass {
  public enum Mode: Sendable { case training, evaluation }

  public let mode: Mode
  /// In training: normalise by the running statistics of every batch norm and leave them alone; their weights and biases still train. For
  /// some layers only: `Module.freezeStatistics`.
  public let frozenNormalization: Bool
  /// Whether dropout acts in training; comparisons with other frameworks train without it.
  private let hasDropout: Bool
  /// The numbers that dropout draws.
  public var random: Random
  /// Whether a block of this pass runs once more in the backward pass: running statistics have seen this batch already.
  public private(set) var isRecomputing = false

  public init(
    _ mode: Mode, random: Random = Random(seed: 0, stream: .dropout), frozenNormalization: Bool = false, dropout: Bool = true
  ) {
    self.mode = mode
    hasDropout = dropout
    self.random = random
    self.frozenNormalization = frozenNormalization
  }

  /// A pass that trains nothing and draws nothing.
  public static var evaluation: Pass { Pass(.evaluation) }

  public var isTraining: Bool { mode == .training }

  /// Whether dropout drops.
  public var dropsOut: Bool { isTraining && hasDropout }

  /// Runs `body` and keeps none of its activations: the backward pass runs it again, with the same random numbers. Gradients and running
  /// statistics have the same bits as without; time of one more forward pass of the block, for the memory of its activations.
  ///
  /// ```swift
  /// for block in blocks { x = pass.recomputed { [x] in block(x, pass) } }
  /// ```
  /// - Parameter body: uses this pass, and changes nothing but what layers of this framework change.
  public func recomputed(_ body: @escaping () -> Tensor) -> Tensor {
    let numbers = random
    return Tensors.recomputed { [self] again in
      guard again else { return body() }
      let now = (random, isRecomputing)
      (random, isRecomputing) = (numbers, true)
      defer { (random, isRecomputing) = now }
      return body()
    }
  }

  /// Whether batch norm takes its statistics from the batch and remembers them.
  public var usesBatchStatistics: Bool { isTraining && !frozenNormalization }
}
