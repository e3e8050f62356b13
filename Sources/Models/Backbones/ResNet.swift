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
        return config.variant.isBottleneck ? Bottleneck(shape, config.style, &random) : BasicBlock(shape, config.style, &random)
      })
    }
    conv1 = Conv2d(3, config.width, kernel: 7, Conv2dOptions(stride: 2, padding: 3), bias: false, weights: .kaimingNormal, &random)
    bn1 = config.norm.make(config.width)
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

    var style: BlockStyle { BlockStyle(weights: .kaimingNormal) { [norm] in norm.make($0) } }
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

    /// - Parameter momentum: the share of the batch in running statistics.
    func make(_ channels: Int, momentum: Double = 0.1) -> Normalization {
      switch self {
      case .frozen: .frozen(FrozenBatchNorm2d(channels))
      case .batch: .batch(BatchNorm2d(channels, momentum: momentum))
      case .group: .group(GroupNorm(groups: Self.groups(of: channels), channels))
      }
    }

    /// Of four channels at least, as many as divide the channels.
    private static func groups(of channels: Int) -> Int {
      let most = max(1, min(32, channels / 4))
      return (1...most).last { channels.isMultiple(of: $0) } ?? 1
    }
  }
}
