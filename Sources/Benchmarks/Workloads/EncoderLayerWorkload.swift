import Base
import Networks
import Tensors

/// One layer of DETR's encoder, normalised after each addition, forward and backward.
/// - Source: Carion et al. 2020; Vaswani et al. 2017, section 3.1.
struct EncoderLayerWorkload: DifferentiatedWorkload {
  static let kind = "encoder_layer"

  let batch: Int
  let tokens: Int
  let width: Int
  let heads: Int
  let hidden: Int

  /// Every token meets the four projections and the two layers behind, and every other token twice (scores, and their weighted sum).
  var operations: Double {
    let perToken = 4 * width * width + 2 * width * hidden + 2 * tokens * width
    return 3 * 2 * Double(batch * tokens * perToken)
  }

  func forward() -> () -> Tensor {
    var random = Random(seed: 1, stream: .test)
    let layer = EncoderLayer(width: width, heads: heads, hidden: hidden, &random)
    let x = Tensor.normal([batch, tokens, width], &random).asLeaf()
    return { layer(x, Pass(.training)) }
  }
}

/// Self-attention and two linear layers, each added to its input and then normalised.
private struct EncoderLayer: Layer {
  let selfAttn: MultiHeadAttention
  let linear1: Linear
  let linear2: Linear
  let norm1: LayerNorm
  let norm2: LayerNorm

  init(width: Int, heads: Int, hidden: Int, _ random: inout Random) {
    selfAttn = MultiHeadAttention(width: width, heads: heads, &random)
    linear1 = Linear(width, hidden, &random)
    linear2 = Linear(hidden, width, &random)
    norm1 = LayerNorm(width)
    norm2 = LayerNorm(width)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    let y = norm1(x + selfAttn(x, pass))
    return norm2(y + linear2(linear1(y, activation: .relu)))
  }
}
