import Base
import Tensors

/// `y = x W + b` over the last axis.
///
/// - Shape: `[..., in]` → `[..., out]`.   - Names: `weight` `[out, in]`, `bias` `[out]`.
/// - Initialiser: weight and bias uniform in `±1 / √in`.
public struct Linear: StatelessLayer {
  public let weight: Parameter
  public let bias: Parameter?

  public init(_ inputs: Int, _ outputs: Int, bias: Bool = true, weights: Initializer = .kaimingUniform, _ random: inout Random) {
    weight = Parameter(weights([inputs, outputs], &random), layout: .linear)
    self.bias = bias ? Parameter(Initializer.kaimingUniform([outputs], fanIn: inputs, &random)) : nil
  }

  /// A layer with the given parameters, for layers that initialise in their own way.
  public init(weight: Parameter, bias: Parameter?) {
    self.weight = weight
    self.bias = bias
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { x.linear(by: weight.value, bias: bias?.value) }

  /// The layer and an activation in one op.
  public func callAsFunction(_ x: Tensor, activation: FusedActivation) -> Tensor {
    x.linear(by: weight.value, bias: bias?.value, activation: activation)
  }
}

/// A table of vectors, looked up by index.
///
/// - Shape: `count` indices → `[count, width]`.   - Names: `weight` `[entries, width]`.   - Initialiser: standard normal.
public struct Embedding: Module {
  public let weight: Parameter

  public init(entries: Int, width: Int, weights: Initializer = .normal(deviation: 1), _ random: inout Random) {
    weight = Parameter(weights([entries, width], &random))
  }

  /// A table with the given vectors.
  public init(weight: Parameter) { self.weight = weight }

  public func callAsFunction(_ indices: [Int]) -> Tensor { weight.value.gathered(0, indices) }
}
