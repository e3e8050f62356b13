import Tensors

/// A module with one input and one output, as `Sequential` chains them.
public protocol Layer: Module {
  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor
}

/// A layer that computes the same in training and evaluation.
public protocol StatelessLayer: Layer {
  func callAsFunction(_ x: Tensor) -> Tensor
}

extension StatelessLayer {
  public func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { self(x) }
}

/// Layers one after the other. - Names: the index of each layer, `0.weight`, `1.bias`.
public struct Sequential: Layer {
  public static let checkpointNames = ["layers": ""]

  public let layers: [any Layer]

  public init(_ layers: [any Layer]) { self.layers = layers }
  public init(_ layers: any Layer...) { self.layers = layers }

  public func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { layers.reduce(x) { $1($0, pass) } }
}

/// A function of each element, as a layer without parameters. It takes an index in a `Sequential`, as in PyTorch.
public enum Activation: String, StatelessLayer, CaseIterable, Codable, Sendable {
  case identity, relu, elu, gelu, silu, sigmoid, tanh

  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: x
    case .relu: x.relu()
    case .elu: x.elu()
    case .gelu: x.gelu()
    case .silu: x.silu()
    case .sigmoid: x.sigmoid()
    case .tanh: x.tanh()
    }
  }
}
