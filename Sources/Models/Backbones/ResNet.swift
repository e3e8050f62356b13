import Base
import Networks
import Tensors

/// A residual network as torchvision has it, without its classifier: the stride of a bottleneck lies on its 3x3 convolution.
///
/// - Shape: `[n, h, w, 3]` → the outputs of the four stages, at 1/4, 1/8, 1/16 and 1/32 of the resolution (rounded up).
/// - Names: `conv1`, `bn1`, `layer1.0.conv1`, … `layer4.2.bn3`, as in torchvision's files.
/// - Source: He et al. 2016, tables 1 and 5.
public struct ResNet: Module {
  let conv1: Conv2d
  let bn1: Normalization
  let layer1, layer2, layer3, layer4: Sequential
  /// Channels of the four outputs.
  public let channels: [Int]

  public init(_ config: Config, _ random: inout Random) {
    let widths = (0..<4).map { config.width << $0 }
    func stage(_ index: Int, inputs: Int, _ random: inout Random) -> Sequential {
      let isDilated = index == 3 && config.dilation
      let stride = index == 0 || isDilated ? 1 : 2
      return Sequential((0..<config.blocks[index]).map { block -> any Layer in
        // The first block of a dilated stage keeps the distance 1 of the stage before.
        let shape = BlockShape(
          inputs: block == 0 ? inputs : widths[index] * config.expansion, width: widths[index], stride: block == 0 ? stride : 1,
          dilation: isDilated && block > 0 ? 2 : 1)
        return config.variant.isBottleneck ? Bottleneck(shape, config, &random) : BasicBlock(shape, config, &random)
      })
    }
    conv1 = Conv2d(3, config.width, kernel: 7, Conv2dOptions(stride: 2, padding: 3), bias: false, weights: .kaimingNormal, &random)
    bn1 = config.makeNorm(config.width)
    channels = widths.map { $0 * config.expansion }
    layer1 = stage(0, inputs: config.width, &random)
    layer2 = stage(1, inputs: channels[0], &random)
    layer3 = stage(2, inputs: channels[1], &random)
    layer4 = stage(3, inputs: channels[2], &random)
  }

  /// The outputs of the four stages, or of some of them.
  public func callAsFunction(_ images: Tensor, keeping kept: Range<Int> = 0..<4, _ pass: Pass) -> [Tensor] {
    var x = conv1(images, bn1, pass, activation: .relu).maxPooled(window: 3, stride: 2, padding: 1)
    var outputs: [Tensor] = []
    for (index, stage) in [layer1, layer2, layer3, layer4].enumerated() {
      x = stage(x, pass)
      if kept.contains(index) { outputs.append(x) }
    }
    return outputs
  }
}

extension ResNet {
  /// Depth and width of the network, and its normalisation.
  public struct Config: Codable, Sendable, Equatable {
    public var variant = Variant.resnet50
    /// Channels of the stem and of the first stage's 3x3 convolutions, which double from stage to stage; 64 as published.
    public var width = 64
    /// Blocks of the four stages; none: the variant's.
    public var stages: [Int] = []
    /// Whether the last stage keeps the resolution and spreads its kernels instead (DC5).
    public var dilation = false
    public var norm = BackboneNorm.frozen

    public init(_ variant: Variant = .resnet50) { self.variant = variant }

    var blocks: [Int] { stages.isEmpty ? variant.blocks : stages }
    var expansion: Int { variant.isBottleneck ? 4 : 1 }

    func makeNorm(_ channels: Int) -> Normalization {
      switch norm {
      case .frozen: .frozen(FrozenBatchNorm2d(channels))
      case .batch: .batch(BatchNorm2d(channels))
      case .group: .group(GroupNorm(groups: min(32, channels / 4), channels))
      }
    }
  }

  public enum Variant: String, ConfigChoice {
    case resnet18, resnet34, resnet50, resnet101

    var isBottleneck: Bool { self == .resnet50 || self == .resnet101 }

    var blocks: [Int] {
      switch self {
      case .resnet18: [2, 2, 2, 2]
      case .resnet34, .resnet50: [3, 4, 6, 3]
      case .resnet101: [3, 4, 23, 3]
      }
    }
  }

  /// The normalisation behind every convolution.
  public enum BackboneNorm: String, ConfigChoice {
    /// Batch normalisation by the statistics of a file, which never change: for networks that were trained before.
    case frozen
    /// Batch normalisation by the batch.
    case batch
    /// Group normalisation, for small batches from scratch: 32 groups, of four channels at least.
    case group
  }
}

/// The sizes of one residual block.
private struct BlockShape {
  let inputs, width, stride, dilation: Int

  /// The 3x3 convolution that has the block's stride or dilation.
  var spatial: Conv2dOptions { Conv2dOptions(stride: Extent(stride), padding: Extent(dilation), dilation: Extent(dilation)) }
}

/// Two 3x3 convolutions, the first of them strided.
private struct BasicBlock: Layer {
  let conv1: Conv2d
  let bn1: Normalization
  let conv2: Conv2d
  let bn2: Normalization
  let downsample: Projection?

  init(_ shape: BlockShape, _ config: ResNet.Config, _ random: inout Random) {
    let options = Conv2dOptions(padding: Extent(shape.dilation), dilation: Extent(shape.dilation))
    conv1 = Conv2d(shape.inputs, shape.width, kernel: 3, shape.spatial, bias: false, weights: .kaimingNormal, &random)
    bn1 = config.makeNorm(shape.width)
    conv2 = Conv2d(shape.width, shape.width, kernel: 3, options, bias: false, weights: .kaimingNormal, &random)
    bn2 = config.makeNorm(shape.width)
    downsample = Projection(shape, config, &random)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    let y = conv1(x, bn1, pass, activation: .relu)
    return conv2(y, bn2, pass, residual: downsample?(x, pass) ?? x, outputActivation: .relu)
  }
}

/// A 1x1 convolution to a quarter of the channels, a strided 3x3 convolution, and a 1x1 convolution back.
private struct Bottleneck: Layer {
  let conv1: Conv2d
  let bn1: Normalization
  let conv2: Conv2d
  let bn2: Normalization
  let conv3: Conv2d
  let bn3: Normalization
  let downsample: Projection?

  init(_ shape: BlockShape, _ config: ResNet.Config, _ random: inout Random) {
    let outputs = shape.width * config.expansion
    conv1 = Conv2d(shape.inputs, shape.width, kernel: 1, bias: false, weights: .kaimingNormal, &random)
    bn1 = config.makeNorm(shape.width)
    conv2 = Conv2d(shape.width, shape.width, kernel: 3, shape.spatial, bias: false, weights: .kaimingNormal, &random)
    bn2 = config.makeNorm(shape.width)
    conv3 = Conv2d(shape.width, outputs, kernel: 1, bias: false, weights: .kaimingNormal, &random)
    bn3 = config.makeNorm(outputs)
    downsample = Projection(shape, config, &random)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    var y = conv1(x, bn1, pass, activation: .relu)
    y = conv2(y, bn2, pass, activation: .relu)
    return conv3(y, bn3, pass, residual: downsample?(x, pass) ?? x, outputActivation: .relu)
  }
}

/// The strided 1x1 convolution of a shortcut, where the block changes the shape.
private struct Projection: Module {
  static let checkpointNames = ["conv": "0", "norm": "1"]
  let conv: Conv2d
  let norm: Normalization

  init?(_ shape: BlockShape, _ config: ResNet.Config, _ random: inout Random) {
    let outputs = shape.width * config.expansion
    guard shape.stride != 1 || shape.inputs != outputs else { return nil }
    let options = Conv2dOptions(stride: Extent(shape.stride))
    conv = Conv2d(shape.inputs, outputs, kernel: 1, options, bias: false, weights: .kaimingNormal, &random)
    norm = config.makeNorm(outputs)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { conv(x, norm, pass) }
}
