import Base
import Networks
import Tensors

/// The encoder over the cells of the feature map, and the decoder over the object queries. - Source: DETR, figure 10 and appendix A.3.
struct Transformer: Module {
  let encoder: Encoder
  let decoder: Decoder

  init(_ config: DETR.Config, _ random: inout Random) {
    encoder = Encoder(config, &random)
    decoder = Decoder(config, &random)
  }

  struct Encoder: Module {
    let layers: [EncoderLayer]
    /// With pre-norm only.
    let norm: LayerNorm?

    init(_ config: DETR.Config, _ random: inout Random) {
      let biases = FeedForward.Biases(config, &random)
      layers = (0..<config.encoderLayers).map { _ in EncoderLayer(config, biases, &random) }
      norm = config.preNorm && config.encoderLayers > 0 ? LayerNorm(config.hidden) : nil
    }

    /// - Shape: cells `[n, s, hidden]` and their positions → same.
    func callAsFunction(
      _ cells: Tensor, positions: Tensor?, mask: MultiHeadAttention.Mask?, _ pass: Pass, _ record: DETR.AttentionRecord? = nil
    ) -> Tensor {
      let memory = layers.reduce(cells) { $1($0, positions: positions, mask: mask, pass, record) }
      return norm?(memory) ?? memory
    }
  }

  struct Decoder: Module {
    let layers: [DecoderLayer]
    let norm: LayerNorm

    init(_ config: DETR.Config, _ random: inout Random) {
      let biases = FeedForward.Biases(config, &random)
      layers = (0..<config.decoderLayers).map { _ in DecoderLayer(config, biases, &random) }
      norm = LayerNorm(config.hidden)
    }

    /// - Returns: the normalised output of every layer, `[n, queries, hidden]` each.
    func callAsFunction(
      _ content: Tensor, queryPositions: Tensor?, _ memory: DecoderMemory, _ pass: Pass, _ record: DETR.AttentionRecord? = nil
    ) -> [Tensor] {
      var x = content
      return layers.map { layer in
        x = layer(x, queryPositions: queryPositions, memory, pass, record)
        return norm(x)
      }
    }
  }
}

/// What the decoder looks at.
struct DecoderMemory {
  /// `[n, s, hidden]`; keys are the cells with their positions.
  let keys, values: Tensor
  let mask: MultiHeadAttention.Mask?

  init(_ memory: Tensor, positions: Tensor?, mask: MultiHeadAttention.Mask?) {
    keys = positions.map { memory + $0 } ?? memory
    values = memory
    self.mask = mask
  }
}

struct EncoderLayer: Module {
  static let checkpointNames = ["feedForward": ""]
  let selfAttn: MultiHeadAttention
  let feedForward: FeedForward?
  let norm1: LayerNorm
  let norm2: LayerNorm?
  private let dropout: Dropout
  private let preNorm: Bool

  init(_ config: DETR.Config, _ biases: FeedForward.Biases?, _ random: inout Random) {
    selfAttn = MultiHeadAttention(config, &random)
    feedForward = biases.map { FeedForward(config, $0, &random) }
    norm1 = LayerNorm(config.hidden)
    norm2 = feedForward.map { _ in LayerNorm(config.hidden) }
    dropout = Dropout(config.dropout)
    preNorm = config.preNorm
  }

  func callAsFunction(
    _ x: Tensor, positions: Tensor?, mask: MultiHeadAttention.Mask?, _ pass: Pass, _ record: DETR.AttentionRecord?
  ) -> Tensor {
    let y = sublayer(x, norm1, preNorm, dropout, pass) { u in
      let located = positions.map { u + $0 } ?? u
      record?.encoder = selfAttn.meanWeights(queries: located, keys: located, mask: mask)
      return selfAttn(queries: located, keys: located, values: u, mask: mask, pass)
    }
    guard let feedForward, let norm2 else { return y }
    return sublayer(y, norm2, preNorm, dropout, pass) { feedForward($0, pass) }
  }
}

struct DecoderLayer: Module {
  static let checkpointNames = ["feedForward": ""]
  let selfAttn, multiheadAttn: MultiHeadAttention
  let feedForward: FeedForward?
  let norm1, norm2: LayerNorm
  let norm3: LayerNorm?
  private let dropout: Dropout
  private let preNorm: Bool

  init(_ config: DETR.Config, _ biases: FeedForward.Biases?, _ random: inout Random) {
    selfAttn = MultiHeadAttention(config, &random)
    multiheadAttn = MultiHeadAttention(config, &random)
    feedForward = biases.map { FeedForward(config, $0, &random) }
    norm1 = LayerNorm(config.hidden)
    norm2 = LayerNorm(config.hidden)
    norm3 = feedForward.map { _ in LayerNorm(config.hidden) }
    dropout = Dropout(config.dropout)
    preNorm = config.preNorm
  }

  func callAsFunction(
    _ x: Tensor, queryPositions: Tensor?, _ memory: DecoderMemory, _ pass: Pass, _ record: DETR.AttentionRecord?
  ) -> Tensor {
    func located(_ u: Tensor) -> Tensor { queryPositions.map { u + $0 } ?? u }
    var y = sublayer(x, norm1, preNorm, dropout, pass) { u in
      let q = located(u)
      return selfAttn(queries: q, keys: q, values: u, pass)
    }
    y = sublayer(y, norm2, preNorm, dropout, pass) { u in
      record?.decoder = multiheadAttn.meanWeights(queries: located(u), keys: memory.keys, mask: memory.mask)
      return multiheadAttn(queries: located(u), keys: memory.keys, values: memory.values, mask: memory.mask, pass)
    }
    guard let feedForward, let norm3 else { return y }
    return sublayer(y, norm3, preNorm, dropout, pass) { feedForward($0, pass) }
  }
}

/// Two linear layers with ReLU between, the last part of a layer. - Names: `linear1`, `linear2`.
struct FeedForward: Module {
  /// The first biases, which all layers of a stack share: the authors' layers are copies of one.
  struct Biases {
    let hidden, output: Tensor

    /// Nil if the variant has no such part.
    init?(_ config: DETR.Config, _ random: inout Random) {
      guard config.feedForward > 0 else { return nil }
      hidden = Initializer.kaimingUniform([config.feedForward], fanIn: config.hidden, &random)
      output = Initializer.kaimingUniform([config.hidden], fanIn: config.feedForward, &random)
    }
  }

  let linear1, linear2: Linear
  private let dropout: Dropout

  init(_ config: DETR.Config, _ biases: Biases, _ random: inout Random) {
    func linear(_ inputs: Int, _ outputs: Int, _ bias: Tensor, _ random: inout Random) -> Linear {
      Linear(weight: Parameter(Initializer.xavierUniform([inputs, outputs], &random), layout: .linear), bias: Parameter(bias))
    }
    linear1 = linear(config.hidden, config.feedForward, biases.hidden, &random)
    linear2 = linear(config.feedForward, config.hidden, biases.output, &random)
    dropout = Dropout(config.dropout)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { linear2(dropout(linear1(x, activation: .relu), pass)) }
}

/// A sublayer with its shortcut: `norm(x + dropout(body(x)))`, or with pre-norm `x + dropout(body(norm(x)))`.
private func sublayer(
  _ x: Tensor, _ norm: LayerNorm, _ preNorm: Bool, _ dropout: Dropout, _ pass: Pass, _ body: (Tensor) -> Tensor
) -> Tensor {
  preNorm ? x + dropout(body(norm(x)), pass) : norm(x + dropout(body(x), pass))
}

extension MultiHeadAttention {
  fileprivate init(_ config: DETR.Config, _ random: inout Random) {
    self.init(width: config.hidden, heads: config.heads, dropout: config.dropout, outputWeights: .xavierUniform, &random)
  }
}
