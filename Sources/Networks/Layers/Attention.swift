import Base
import Tensors

/// Multi-head attention.
///
/// - Shape: queries `[n, t, width]`, keys and values `[n, s, width]` → `[n, t, width]`.
/// - Names: `in_proj_weight` `[3·width, width]` (queries, keys, values), `in_proj_bias`, `out_proj.weight`, `out_proj.bias`.
/// - Initialiser: `in_proj_weight` Glorot's uniform rule, `out_proj.weight` uniform in `±1 / √width`, biases 0, as PyTorch.
/// - Source: Vaswani et al. 2017, section 3.2.2.
public struct MultiHeadAttention: Module {
  public let inProjWeight: Parameter
  public let inProjBias: Parameter
  public let outProj: Linear
  public let heads: Int
  /// On the attention weights, in training.
  public let dropout: Dropout

  /// - Parameter outputWeights: of the projection of the result.
  public init(
    width: Int, heads: Int, dropout: Double = 0, outputWeights: Initializer = .kaimingUniform, _ random: inout Random
  ) {
    require(heads > 0 && width % heads == 0, "MultiHeadAttention: width \(width) does not divide into \(heads) heads")
    inProjWeight = Parameter(Initializer.xavierUniform([width, 3 * width], &random), layout: .linear)
    inProjBias = Parameter(.zeros([3 * width]))
    outProj = Linear(
      weight: Parameter(outputWeights([width, width], &random), layout: .linear), bias: Parameter(.zeros([width])))
    self.heads = heads
    self.dropout = Dropout(dropout)
  }

  /// The mask of an attention: keys that a query may not look at.
  public struct Mask {
    /// Added to the scores, broadcast to `[n, heads, t, s]`: 0 where attention is allowed, -∞ where it is not.
    public let bias: Tensor

    /// - Parameter bias: broadcast to `[n, heads, t, s]`, for instance `[t, s]`.
    public init(bias: Tensor) { self.bias = bias }

    /// - Parameter keyPadding: `[n, s]`, not 0 where a key is padding. A query whose keys are all padding gives NaN, as in PyTorch.
    public init(keyPadding: Tensor) {
      let (n, s) = keyPadding.shape2
      let zero = Tensor(0, precision: keyPadding.precision)
      let never = Tensor(-.infinity, precision: keyPadding.precision)
      bias = Tensor.select(keyPadding, never, else: zero).reshaped(to: [n, 1, 1, s])
    }

    /// A query sees the keys at its own place and before.
    public static func causal(_ length: Int, _ precision: Precision = .float32) -> Mask {
      let values = (0..<length * length).map { $0 % length > $0 / length ? -Double.infinity : 0 }
      return Mask(bias: Tensor(values, shape: [length, length], precision: precision))
    }
  }

  /// Attention of tokens to other tokens.
  public func callAsFunction(queries: Tensor, keys: Tensor, values: Tensor, mask: Mask? = nil, _ pass: Pass) -> Tensor {
    let weights = inProjWeight.value.split(1, into: 3)
    let biases = inProjBias.value.split(0, into: 3)
    let parts = zip([queries, keys, values], zip(weights, biases)).map { x, affine in x.linear(by: affine.0, bias: affine.1) }
    let dropped = dropoutMask(parts[0], keys: parts[1].shape[1], pass)
    return outProj(parts[0].attention(keys: parts[1], values: parts[2], heads: heads, bias: mask?.bias, dropout: dropped))
  }

  /// Self-attention: one product makes queries, keys and values.
  public func callAsFunction(_ x: Tensor, mask: Mask? = nil, _ pass: Pass) -> Tensor {
    let joined = x.linear(by: inProjWeight.value, bias: inProjBias.value)
    return outProj(joined.selfAttention(heads: heads, bias: mask?.bias, dropout: dropoutMask(joined, keys: joined.shape[1], pass)))
  }

  /// Where each query looks, without gradients and dropout: the weights of the keys, averaged over the heads; they sum to 1.
  /// - Shape: queries `[n, t, width]`, keys `[n, s, width]` → `[n, t, s]`.
  public func meanWeights(queries: Tensor, keys: Tensor, mask: Mask? = nil) -> Tensor {
    noGradient {
      let (n, t, width) = queries.shape3, s = keys.shape[1], depth = width / heads
      let weights = inProjWeight.value.split(1, into: 3)
      let biases = inProjBias.value.split(0, into: 3)
      func byHead(_ x: Tensor, _ part: Int) -> Tensor {
        x.linear(by: weights[part], bias: biases[part]).reshaped(to: [n, x.shape[1], heads, depth]).transposed([0, 2, 1, 3])
      }
      let scores = byHead(queries, 0).matmul(byHead(keys, 1), otherTransposed: true) * (1 / Double(depth).squareRoot())
      let shares = (mask.map { scores + $0.bias } ?? scores).softmax()
      return shares.mean([1]).reshaped(to: [n, t, s])
    }
  }

  /// The dropout mask of the attention weights `[n, heads, queries, keys]` in training.
  private func dropoutMask(_ queries: Tensor, keys: Int, _ pass: Pass) -> DropoutMask? {
    guard pass.dropsOut && dropout.p > 0 else { return nil }
    return DropoutMask(dropout.p, count: queries.shape[0] * heads * queries.shape[1] * keys, &pass.random)
  }
}
