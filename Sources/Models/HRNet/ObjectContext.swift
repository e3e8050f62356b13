import Base
import Networks
import Tensors

/// Object-contextual representations: each pixel looks at the mean features of every class, which a first segmentation gathers.
///
/// - Shape: `[n, h, w, inputs]` → logits and auxiliary logits `[n, h, w, classes]`.
/// - Initialiser: PyTorch's defaults; the normalisations remember a tenth of the batch.
/// - Source: Yuan, Chen, Wang, "Object-Contextual Representations for Semantic Segmentation", ECCV 2020, section 3.2.
public struct ObjectContext: Module {
  public static let checkpointNames = ["conv": "conv3x3_ocr", "attention": "ocr_distri_head"]
  let conv: ConvNorm
  let attention: ObjectAttention
  let clsHead: Conv2d
  let auxHead: MixingHead

  public struct Config: Codable, Sendable, Equatable, ValidatedConfig {
    /// Whether the network has object context.
    public var enabled = false
    /// Channels of pixels and of object regions.
    public var channels = 512
    /// Channels of queries, keys and values.
    public var keyChannels = 256
    /// Share of channels dropped behind the attention in training, 0..<1.
    public var dropout = 0.05

    public init() {}

    public func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require(channels > 0, "channels", channels, "1 or more")
      problems.require(keyChannels > 0, "key_channels", keyChannels, "1 or more")
      problems.require(dropout >= 0 && dropout < 1, "dropout", dropout, "0 or more, below 1")
      return problems
    }
  }

  init(_ config: Config, inputs: Int, classes: Int, _ random: inout Random) {
    let style = BlockStyle(weights: .kaimingUniform) { .batch(BatchNorm2d($0)) }
    conv = ConvNorm(inputs, config.channels, kernel: 3, bias: true, style, &random)
    attention = ObjectAttention(config, style, &random)
    clsHead = Conv2d(config.channels, classes, kernel: 1, &random)
    auxHead = MixingHead(inputs, outputs: classes, style, &random)
  }

  func callAsFunction(_ features: Tensor, _ pass: Pass) -> HRNetSegmentation.Output {
    let aux = auxHead(features, pass)
    let pixels = conv(features, pass, activation: .relu)
    let regions = Self.regions(pixels, aux)
    return HRNetSegmentation.Output(logits: clsHead(attention(pixels, regions, pass)), aux: aux)
  }

  /// The mean features of every class, weighted by the softmax of its logits over all pixels.
  /// - Shape: `[n, h, w, channels]`, `[n, h, w, classes]` → `[n, classes, channels]`.
  static func regions(_ pixels: Tensor, _ logits: Tensor) -> Tensor {
    let (n, h, w, channels) = pixels.shape4
    let shares = logits.reshaped(to: [n, h * w, logits.shape[3]]).softmax(1)
    return shares.matmul(pixels.reshaped(to: [n, h * w, channels]), transposed: true)
  }
}

/// What a pixel gathers from the object regions, mixed with the pixel itself.
/// - Names: `object_context_block.f_pixel.0`, `object_context_block.f_pixel.1.0`, …, `conv_bn_dropout.0`, `conv_bn_dropout.1.0`.
struct ObjectAttention: Module {
  static let checkpointNames = [
    "pixel": "object_context_block.f_pixel", "object": "object_context_block.f_object", "down": "object_context_block.f_down",
    "up": "object_context_block.f_up", "mix": "conv_bn_dropout",
  ]
  let pixel: Transform
  let object: Transform
  let down: Transform
  let up: Transform
  let mix: Transform
  private let dropout: Dropout2d

  init(_ config: ObjectContext.Config, _ style: BlockStyle, _ random: inout Random) {
    let (wide, narrow) = (config.channels, config.keyChannels)
    pixel = Transform([wide, narrow, narrow], style, &random)
    object = Transform([wide, narrow, narrow], style, &random)
    down = Transform([wide, narrow], style, &random)
    up = Transform([narrow, wide], style, &random)
    mix = Transform([2 * wide, wide], style, &random)
    dropout = Dropout2d(config.dropout)
  }

  /// - Shape: pixels `[n, h, w, c]`, regions `[n, classes, c]` → `[n, h, w, c]`.
  func callAsFunction(_ pixels: Tensor, _ regions: Tensor, _ pass: Pass) -> Tensor {
    let (n, h, w, c) = pixels.shape4
    let classes = regions.shape[1]
    let regions = regions.reshaped(to: [n, classes, 1, c])
    let query = pixel(pixels, pass)
    let narrow = query.shape[3]
    let keys = object(regions, pass).reshaped(to: [n, classes, narrow])
    let values = down(regions, pass).reshaped(to: [n, classes, narrow])
    let gathered = query.reshaped(to: [n, h * w, narrow]).attention(keys: keys, values: values, heads: 1)
    let context = up(gathered.reshaped(to: [n, h, w, narrow]), pass)
    return dropout(mix(concatenate([context, pixels], axis: -1), pass), pass)
  }

  /// 1x1 convolutions without bias, each normalised and rectified. - Names: `0`, `1.0`, `2`, `3.0`.
  struct Transform: Module {
    static let checkpointNames = ["units": ""]
    let units: [Part]

    /// A convolution and a normalisation take turns, so that each has an index of its own.
    enum Part: Module {
      case conv(Conv2d)
      case norm([Normalization])
    }

    init(_ widths: [Int], _ style: BlockStyle, _ random: inout Random) {
      units = zip(widths, widths.dropFirst()).flatMap { inputs, outputs -> [Part] in
        [.conv(Conv2d(inputs, outputs, kernel: 1, bias: false, weights: style.weights, &random)), .norm([style.norm(outputs)])]
      }
    }

    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
      var x = x
      var last: Conv2d?
      for unit in units {
        switch unit {
        case .conv(let conv): last = conv
        case .norm(let norms): x = last.map { $0(x, norms[0], pass, activation: .relu) } ?? x
        }
      }
      return x
    }
  }
}
