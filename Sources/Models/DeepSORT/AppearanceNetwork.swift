import Base
import Networks
import Tensors

/// The appearance network of DeepSORT: crops of objects to unit vectors, near each other for one identity.
///
/// - Shape: `[n, height, width, 3]`, RGB from 0 to 255 → `[n, features]`, each of length 1.
/// - Names: `conv1`, `norm1`, `conv2`, `norm2`, `blocks.0` … `blocks.5` (see `AppearanceBlock`), `dense`, `norm3`, `ball`. The columns of
///   `dense.weight` are in the order of rows, columns, channels, as in the published network. No batch normalisation has a scale.
/// - Source: Wojke, Bewley, Paulus 2017, table 1; paddings, normalisations and the kind of pooling as in the authors' code.
public struct AppearanceNetwork: Module {
  let conv1: Conv2d
  let norm1: BatchNorm2d
  let conv2: Conv2d
  let norm2: BatchNorm2d
  let blocks: [AppearanceBlock]
  let dropout: Dropout
  let dense: Linear
  let norm3: BatchNorm2d
  let ball: BatchNorm2d
  public let config: Config

  public struct Config: Codable, Sendable, Equatable, ValidatedConfig {
    /// The edges of the pooling's windows.
    public enum Pooling: String, ConfigChoice {
      /// Windows inside the picture only, as the authors' code has it: 128x64 becomes 63x31.
      case valid
      /// Windows over the edge, too, as the paper's table says: 64x32.
      case same
    }

    /// The first values of convolutions and of the dense layer.
    public enum Initial: String, ConfigChoice {
      /// Normal with deviation 0.001, cut at two deviations: the published training. Slow to begin.
      case published
      /// He's normal rule over outgoing connections; 0 in the last convolution of a block, which so begins as its shortcut.
      case he
    }

    /// Size of the crops, px; multiples of 8.
    public var height = 128
    public var width = 64
    /// Channels of the first blocks; the later ones have two and four times as many.
    public var channels = 32
    /// Length of the vectors.
    public var features = 128
    public var pooling = Pooling.valid
    /// Share of the elements that dropout sets to 0 in training.
    public var dropout = 0.4
    /// Share of the running statistics that a step keeps. Short trainings need less: 0.999 forgets its start after some 3000 steps.
    public var normDecay = 0.999
    public var initial = Initial.published

    public init() {}

    public func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      for (key, side) in [("height", height), ("width", width)] {
        problems.require((16...1024).contains(side) && side % 8 == 0, key, side, "16 to 1024, a multiple of 8")
      }
      problems.require((1...1024).contains(channels), "channels", channels, "1 to 1024")
      problems.require((1...65_536).contains(features), "features", features, "1 to 65536")
      problems.require(dropout >= 0 && dropout < 1, "dropout", dropout, "0 or more, below 1")
      problems.require(normDecay >= 0 && normDecay < 1, "norm_decay", normDecay, "0 or more, below 1")
      return problems
    }
  }

  public init(_ config: Config, _ random: inout Random) {
    let style = AppearanceStyle(config), c = config.channels
    self.config = config
    conv1 = Conv2d(3, c, kernel: 3, Conv2dOptions(padding: 1), bias: false, weights: style.weights, &random)
    norm1 = style.norm(c)
    conv2 = Conv2d(c, c, kernel: 3, Conv2dOptions(padding: 1), bias: false, weights: style.weights, &random)
    norm2 = style.norm(c)
    let shapes = [(c, c), (c, c), (c, 2 * c), (2 * c, 2 * c), (2 * c, 4 * c), (4 * c, 4 * c)]
    blocks = shapes.enumerated().map { AppearanceBlock($1.0, $1.1, isFirst: $0 == 0, style, &random) }
    dropout = Dropout(config.dropout)
    dense = Linear(
      weight: Parameter(style.weights([config.height / 8 * (config.width / 8) * 4 * c, config.features], &random), layout: .linear),
      bias: nil)
    norm3 = style.norm(config.features)
    ball = style.norm(config.features)
  }

  public func callAsFunction(_ images: Tensor, _ pass: Pass) -> Tensor {
    let (n, height, width, _) = images.shape4
    require(height == config.height && width == config.width,
      "AppearanceNetwork: crops of \(width)x\(height), expected \(config.width)x\(config.height)")
    var x = conv1(images, norm1, pass).elu()
    x = conv2(x, norm2, pass).elu()
    x = (config.pooling == .same ? x.paddedAsSame(kernel: 3, stride: 2, with: -.infinity) : x).maxPooled(window: 3, stride: 2)
    for block in blocks { x = block(x, pass) }
    x = dropout(x.reshaped(to: [n, -1]), pass)
    x = ball(norm3(dense(x), pass).elu(), pass)
    return x / (x.squared().sum([-1], keepingAxes: true) + 1e-8).sqrt()
  }
}

/// What the parts of an appearance network share.
struct AppearanceStyle {
  let weights: Initializer
  /// Of a block's last convolution.
  let lastWeights: Initializer
  let dropout: Double
  private let momentum: Double

  init(_ config: AppearanceNetwork.Config) {
    let isPublished = config.initial == .published
    weights = isPublished ? .truncatedNormal(deviation: 1e-3, limit: 2e-3) : .kaimingNormal
    lastWeights = isPublished ? weights : .zeros
    dropout = config.dropout
    momentum = 1 - config.normDecay
  }

  func norm(_ channels: Int) -> BatchNorm2d { BatchNorm2d(channels, epsilon: 1e-3, momentum: momentum, hasScale: false) }
}

/// A residual block that normalises before it convolves: `shortcut(x) + conv2(dropout(elu(norm2(conv1(elu(norm1(x)))))))`.
///
/// The first block takes its input as it is, without `norm1`. The shortcut is `x`, or a 1x1 convolution of stride 2 where the channels
/// double.
/// - Names: `norm1.bias`, `conv1.weight`, `norm2.bias`, `conv2.weight`, `conv2.bias`, `shortcut.weight`.
public struct AppearanceBlock: Module {
  let norm1: BatchNorm2d?
  let conv1: Conv2d
  let norm2: BatchNorm2d
  let dropout: Dropout
  let conv2: Conv2d
  let shortcut: Conv2d?

  init(_ inputs: Int, _ outputs: Int, isFirst: Bool, _ style: AppearanceStyle, _ random: inout Random) {
    let stride = inputs == outputs ? 1 : 2
    norm1 = isFirst ? nil : style.norm(inputs)
    // Of stride 2 the padding depends on the size of the map: see the call.
    conv1 = Conv2d(inputs, outputs, kernel: 3, Conv2dOptions(stride: Extent(stride), padding: stride == 1 ? 1 : 0), bias: false,
                   weights: style.weights, &random)
    norm2 = style.norm(outputs)
    dropout = Dropout(style.dropout)
    conv2 = Conv2d(weight: Parameter(style.lastWeights([3, 3, outputs, outputs], &random), layout: .convolution),
                   bias: Parameter(.zeros([outputs])), Conv2dOptions(padding: 1))
    shortcut = stride == 1
      ? nil : Conv2d(inputs, outputs, kernel: 1, Conv2dOptions(stride: Extent(stride)), bias: false, weights: style.weights, &random)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    var y = norm1.map { $0(x, pass).elu() } ?? x
    if shortcut != nil { y = y.paddedAsSame(kernel: 3, stride: conv1.options.stride) }
    y = dropout(conv1(y, norm2, pass).elu(), pass)
    return y.conv2d(with: conv2.weight.value, bias: conv2.bias?.value, conv2.options, residual: shortcut?(x) ?? x)
  }
}

extension Tensor {
  /// The padding that makes a window give `⌈length / stride⌉` results, as TensorFlow's `SAME`: where it is odd, one more below and on the
  /// right. - Shape: `[n, h, w, c]`.
  func paddedAsSame(kernel: Extent, stride: Extent, with value: Double = 0) -> Tensor {
    func sides(_ length: Int, _ kernel: Int, _ stride: Int) -> (before: Int, after: Int) {
      let sum = Swift.max(0, ((length + stride - 1) / stride - 1) * stride + kernel - length)
      return (sum / 2, sum - sum / 2)
    }
    let rows = sides(shape[1], kernel.height, stride.height), columns = sides(shape[2], kernel.width, stride.width)
    return padded(1, before: rows.before, after: rows.after, with: value)
      .padded(2, before: columns.before, after: columns.after, with: value)
  }
}
