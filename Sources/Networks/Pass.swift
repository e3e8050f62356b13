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
  /// In training: normalise by the running statistics of batch norm and leave them alone. Its weight and bias still train.
  public let frozenNormalization: Bool
  /// The numbers that dropout draws.
  public var random: Random

  public init(_ mode: Mode, random: Random = Random(seed: 0, stream: .dropout), frozenNormalization: Bool = false) {
    self.mode = mode
    self.random = random
    self.frozenNormalization = frozenNormalization
  }

  /// A pass that trains nothing and draws nothing.
  public static var evaluation: Pass { Pass(.evaluation) }

  public var isTraining: Bool { mode == .training }
  /// Whether batch norm takes its statistics from the batch and remembers them.
  public var usesBatchStatistics: Bool { isTraining && !frozenNormalization }
}
