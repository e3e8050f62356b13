import Base
import Networks
import Tensors

// DETR: End-to-End Object Detection with Transformers. Carion et al., ECCV 2020, arXiv:2005.12872.
//
//   section 3.2     Backbones/ResNet.swift      image features
//                   PositionEncoding.swift      where they lie
//                   Transformer.swift           encoder and decoder
//                   DETR.swift                  queries and heads
//   section 3.1     SetMatching.swift           who is responsible for which object
//                   SetLoss.swift               the losses of the matched pairs, of every decoder layer
//   section 4.2     DETR+Config.swift           the variants of the ablations
//   section 4.4     MaskHead.swift              masks of the objects
//                   DETRSegmentation.swift
//   appendix A.5    DetectionResults.swift      boxes from the outputs
//                   InstanceMasks.swift         masks
//                   PanopticResults.swift       panoptic maps
//
// Names of parameters are those of the authors' checkpoints.

/// Detection as a set: boxes and classes of a fixed number of slots in one pass.
public struct DETR: Module {
  let transformer: Transformer
  let classEmbed: Linear
  let bboxEmbed: BoxHead
  let queryEmbed: Embedding
  let inputProj: Conv2d
  let backbone: Backbone
  public let config: Config

  public init(_ config: Config, _ random: inout Random) {
    backbone = Backbone(config, &random)
    inputProj = Conv2d(backbone.body.channels[3], config.hidden, kernel: 1, &random)
    transformer = Transformer(config, &random)
    classEmbed = Linear(config.hidden, config.classes + 1, &random)
    bboxEmbed = BoxHead(config, &random)
    queryEmbed = Embedding(entries: config.queries, width: config.hidden, &random)
    self.config = config
  }

  /// The class logits and boxes of the object slots after one layer of the decoder.
  public struct Prediction {
    /// `[n, queries, classes + 1]`; the last class means no object.
    public let logits: Tensor
    /// `[n, queries, 4]`: centre x, centre y, width and height, as shares of the image.
    public let boxes: Tensor
  }

  /// The predictions of all decoder layers, the last one last.
  public struct Output {
    /// `[layers · n, queries, classes + 1]` and `[layers · n, queries, 4]`: layer by layer.
    public let logits, boxes: Tensor
    public let layers: Int
    /// What the mask head looks at.
    let features: Features

    /// The predictions of one layer.
    public subscript(layer: Int) -> Prediction {
      let n = logits.shape[0] / layers
      return Prediction(logits: logits.sliced(0, layer * n..<(layer + 1) * n), boxes: boxes.sliced(0, layer * n..<(layer + 1) * n))
    }

    public var last: Prediction { self[layers - 1] }
  }

  /// The intermediate results that masks are made of.
  struct Features {
    /// The outputs of the backbone's stages, `[n, h, w, c]`; without a mask head that of the last one alone.
    let stages: [Tensor]
    /// The cells before and after the encoder, `[n, h, w, hidden]`.
    let projected, memory: Tensor
    let mask: FeatureMask
    /// Height and width of the images, and of the canvas that they share.
    let sizes: [Extent]
    let canvas: Extent
    /// The decoder's last output, `[n, queries, hidden]`.
    let queries: Tensor
  }

  /// Where the last layer of the encoder and that of the decoder looked, averaged over the heads.
  public final class AttentionRecord {
    /// `[n, h · w, h · w]`: of each cell to all cells; nil without encoder layers.
    public internal(set) var encoder: Tensor?
    /// `[n, queries, h · w]`: of each slot to the cells.
    public internal(set) var decoder: Tensor?
    /// Rows and columns of cells.
    public internal(set) var cells = Extent(1)

    public init() {}
  }

  /// - Parameters:
  ///   - auxiliary: return the predictions of all layers, as the losses need them, else of the last one only.
  ///   - record: told where the network looked.
  public func callAsFunction(_ images: PaddedImages, auxiliary: Bool = true, _ pass: Pass, record: AttentionRecord? = nil) -> Output {
    let stages = backbone.body(images.pixels, keeping: config.masks ? 0..<4 : 3..<4, pass)
    let projected = inputProj(stages[stages.count - 1])  // [n, h, w, hidden]
    let (n, h, w, d) = projected.shape4
    let mask = FeatureMask(images, height: h, width: w)
    let padding = mask.isFull ? nil : MultiHeadAttention.Mask(keyPadding: mask.padding(projected.precision))
    let (encoderPositions, decoderPositions) = positions(mask, projected.precision)

    let isAtInput = config.positionsAt == .input
    var cells = projected.reshaped(to: [n, h * w, d])
    if isAtInput, let encoderPositions { cells = cells + encoderPositions }
    var memory = transformer.encoder(cells, positions: isAtInput ? nil : encoderPositions, mask: padding, pass, record)
    let encoded = memory
    if isAtInput, let decoderPositions { memory = memory + decoderPositions }

    let queries = queryEmbed.weight.value.reshaped(to: [1, config.queries, d]).broadcast(to: [n, config.queries, d])
    let content = isAtInput ? queries : .zeros([n, config.queries, d], projected.precision)
    let lookedAt = DecoderMemory(memory, positions: isAtInput ? nil : decoderPositions, mask: padding)
    let outputs = transformer.decoder(content, queryPositions: isAtInput ? nil : queries, lookedAt, pass, record)
    record?.cells = Extent(height: h, width: w)
    let features = Features(
      stages: stages, projected: projected, memory: encoded.reshaped(to: [n, h, w, d]), mask: mask, sizes: images.sizes,
      canvas: images.canvas, queries: outputs[outputs.count - 1])

    let judged = auxiliary ? concatenate(outputs, axis: 0) : outputs[outputs.count - 1]
    return Output(logits: classEmbed(judged), boxes: bboxEmbed(judged), layers: auxiliary ? outputs.count : 1, features: features)
  }

  /// The positions of cells for the encoder and for the decoder, `[n, h · w, hidden]`; equal ones are computed once.
  private func positions(_ mask: FeatureMask, _ precision: Precision) -> (encoder: Tensor?, decoder: Tensor?) {
    func make(_ encoding: PositionEncoding) -> Tensor? {
      switch encoding {
      case .none: nil
      case .sine: SinePositions.make(mask, channels: config.hidden, precision)
      case .learned: backbone.learnedPositions?(mask)
      }
    }
    let encoder = make(config.encoderPositions)
    return (encoder, config.decoderPositions == config.encoderPositions ? encoder : make(config.decoderPositions))
  }
}

/// The image features and where they lie. - Names: `0.body` the network of the features, `1` the learned positions.
struct Backbone: Module {
  static let checkpointNames = ["body": "0.body", "learnedPositions": "1"]
  let body: FeatureNetwork
  let learnedPositions: LearnedPositions?

  init(_ config: DETR.Config, _ random: inout Random) {
    body = FeatureNetwork(config, &random)
    learnedPositions = config.usesLearnedPositions ? LearnedPositions(channels: config.hidden, &random) : nil
  }
}

/// The network that makes features of an image: maps at 1/4, 1/8, 1/16 and 1/32 of the resolution.
enum FeatureNetwork: Module {
  case residual(ResNet)
  case highResolution(HRNetFeatures)

  init(_ config: DETR.Config, _ random: inout Random) {
    let backbone = config.backbone
    switch backbone.variant.architecture {
    case .residual(let variant):
      var network = ResNet.Config(variant)
      if backbone.width > 0 { network.width = backbone.width }
      (network.stages, network.dilation, network.norm) = (backbone.stages, backbone.dilation, backbone.norm)
      self = .residual(ResNet(network, &random))
    case .highResolution(let variant):
      var network = HRNet.Config(variant)
      (network.width, network.norm) = (backbone.width, backbone.norm)
      self = .highResolution(HRNetFeatures(network, levels: config.masks ? 0..<4 : 3..<4, &random))
    }
  }

  var channels: [Int] {
    switch self {
    case .residual(let network): network.channels
    case .highResolution(let network): network.channels
    }
  }

  func callAsFunction(_ images: Tensor, keeping kept: Range<Int>, _ pass: Pass) -> [Tensor] {
    switch self {
    case .residual(let network): network(images, keeping: kept, pass)
    case .highResolution(let network): network(images, keeping: kept, pass)
    }
  }
}

/// Three linear layers from a slot to its box. - Shape: `[..., hidden]` → `[..., 4]`.
struct BoxHead: Module {
  let layers: [Linear]

  init(_ config: DETR.Config, _ random: inout Random) {
    let widths = [config.hidden, config.hidden, config.hidden, 4]
    layers = (0..<3).map { Linear(widths[$0], widths[$0 + 1], &random) }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    layers[2](layers[1](layers[0](x, activation: .relu), activation: .relu), activation: .sigmoid)
  }
}
