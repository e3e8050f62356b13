import CKernels

/// An activation that an op applies to its result while that is in cache; the gradient needs the activation's value alone.
public enum FusedActivation: Sendable {
  case relu, sigmoid, tanh
  /// With a slope of 0 or more below 0.
  case leakyRelu(slope: Double)

  var function: Int32 {
    switch self {
    case .relu: Int32(APUS_RELU.rawValue)
    case .sigmoid: Int32(APUS_SIGMOID.rawValue)
    case .tanh: Int32(APUS_TANH.rawValue)
    case .leakyRelu: Int32(APUS_LEAKY_RELU.rawValue)
    }
  }

  var parameter: Double {
    if case .leakyRelu(let slope) = self { slope } else { 0 }
  }

  /// The gradient of the activation's argument, from that of its value `y`.
  func gradient(_ dy: Tensor, _ y: Tensor) -> Tensor {
    switch self {
    case .relu: dy.gated(by: y.detached())
    case .sigmoid: y.sigmoidGradient(dy)
    case .tanh: y.tanhGradient(dy)
    case .leakyRelu(let slope): dy.gated(by: y.detached(), otherwise: slope)
    }
  }
}
