import Base
import Networks
import Tensors

/// The probability that a detection belongs to a track, from a few numbers about both: a perceptron.
///
/// - Shape: `[n, inputs]` → logits `[n]`.   - Names: `layers.0.weight`, …, with activations in between as in PyTorch's `Sequential`:
///   `layers.2`, `layers.4`.
public struct MatchNetwork: PublishedModel {
  public static let title = "the affinity's network"
  public static let checkpointNames = ["parts": "layers"]

  public struct Config: Codable, Sendable, Equatable, ValidatedConfig {
    /// Units of the hidden layers.
    public var hidden = 32
    /// Hidden layers.
    public var layers = 2

    public init() {}

    public func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require((1...4096).contains(hidden), "hidden", hidden, "1 to 4096")
      problems.require((1...8).contains(layers), "layers", layers, "1 to 8")
      return problems
    }
  }

  private let parts: [Named<Linear>]
  public let inputs: Int

  public init(_ config: Config, inputs: Int, _ random: inout Random) {
    self.inputs = inputs
    let widths = [inputs] + Array(repeating: config.hidden, count: config.layers) + [1]
    var parts: [Named<Linear>] = []
    for layer in 0..<widths.count - 1 { parts.append(Named("\(2 * layer)", Linear(widths[layer], widths[layer + 1], &random))) }
    self.parts = parts
  }

  public func callAsFunction(_ features: Tensor) -> Tensor {
    var x = features
    for (index, part) in parts.enumerated() {
      x = part.module(x)
      if index < parts.count - 1 { x = x.relu() }
    }
    return x.reshaped(to: [features.shape[0]])
  }
}
