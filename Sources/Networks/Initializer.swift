import Base
import Tensors

/// The distribution of a parameter's first values.
///
/// `fan_in` and `fan_out` are the numbers of products that reach one output and leave one input: for weights `[kh, kw, in, out]`
/// they are `kh·kw·in` and `kh·kw·out`, for `[in, out]` simply `in` and `out`.
public enum Initializer: Sendable, Equatable {
  case zeros, ones
  /// Normal with deviation `√(2 / fan_out)`, for layers followed by relu. - Source: He et al. 2015, equation 14.
  case kaimingNormal
  /// Uniform in `±1 / √fan_in`: PyTorch's default for weights and biases of linear and convolutional layers, written there as He's
  /// uniform rule with `a = √5`.
  case kaimingUniform
  /// Uniform in `±√(6 / (fan_in + fan_out))`. - Source: Glorot, Bengio 2010, equation 16.
  case xavierUniform
  /// Normal with the given deviation.
  case normal(deviation: Double)
  /// Normal with the given deviation, drawn again outside ±`limit` (absolute, not deviations: PyTorch's `trunc_normal_`; TensorFlow's limit
  /// is two deviations).
  case truncatedNormal(deviation: Double = 0.02, limit: Double = 2)

  /// A tensor of first values.
  /// - Parameters:
  ///   - shape: the shape on our side, `[..., in, out]`.
  ///   - fanIn: overrides the count that follows from the shape: a bias goes by the fan-in of its weight.
  public func callAsFunction(_ shape: [Int], fanIn: Int? = nil, _ random: inout Random) -> Tensor {
    let fanIn = Double(fanIn ?? shape.dropLast().reduce(1, *))
    let fanOut = Double(shape.dropLast(2).reduce(1, *) * (shape.last ?? 1))
    switch self {
    case .zeros: return .zeros(shape)
    case .ones: return .ones(shape)
    case .kaimingNormal: return .normal(shape, deviation: (2 / fanOut).squareRoot(), &random)
    case .kaimingUniform: return uniform(shape, bound: 1 / fanIn.squareRoot(), &random)
    case .xavierUniform: return uniform(shape, bound: (6 / (fanIn + fanOut)).squareRoot(), &random)
    case .normal(let deviation): return .normal(shape, deviation: deviation, &random)
    case .truncatedNormal(let deviation, let limit): return truncatedNormal(shape, deviation, limit, &random)
    }
  }

  private func uniform(_ shape: [Int], bound: Double, _ random: inout Random) -> Tensor {
    .uniform(shape, from: -bound, to: bound, &random)
  }

  private func truncatedNormal(_ shape: [Int], _ deviation: Double, _ limit: Double, _ random: inout Random) -> Tensor {
    // No draw is larger than 8.58 deviations: see `Random.normal`.
    if 8.58 * deviation <= limit { return .normal(shape, deviation: deviation, &random) }
    let values = (0..<shape.reduce(1, *)).map { _ in
      while true {
        let x = deviation * random.normal()
        if abs(x) <= limit { return x }
      }
    }
    return Tensor(values, shape: shape)
  }
}
