import Base
import Networks
import Tensors

/// Section 3.1: image → features at an eighth of the resolution; also the context encoder.
///
/// - Shape: `[n, h, w, 3]` in [-1, 1] → `[n, h / 8, w / 8, outputs]`.
struct FeatureEncoder: Module {
  /// The kind of block of its stages, two in each.
  enum Block { case residual, bottleneck }

  static let checkpointNames = ["coarser": "scales"]
  let norm1: Normalization
  let conv1: Conv2d
  let layer1: Sequential
  let layer2: Sequential
  let layer3: Sequential
  let conv2: Conv2d
  /// Table 2, "multi-scale": further stages, each at half of the resolution before.
  let coarser: [Sequential]
  private let dropout: Double
  private let recompute: Bool

  init(
    _ preset: RAFT.Preset, outputs: Int, scales: Int = 1, norm: Normalization.Kind, _ config: RAFT.Config, _ random: inout Random
  ) {
    func stage(_ inputs: Int, _ width: Int, stride: Int) -> Sequential {
      switch preset.block {
      case .residual:
        Sequential(ResidualBlock(inputs, width, stride: stride, norm, &random), ResidualBlock(width, width, stride: 1, norm, &random))
      case .bottleneck:
        Sequential(BottleneckBlock(inputs, width, stride: stride, norm, &random), BottleneckBlock(width, width, stride: 1, norm, &random))
      }
    }
    let w = preset.widths
    conv1 = Conv2d(3, preset.stem, kernel: 7, Conv2dOptions(stride: 2, padding: 3), weights: .encoder, &random)
    norm1 = Normalization(norm, preset.stem)
    layer1 = stage(preset.stem, w[0], stride: 1)
    layer2 = stage(w[0], w[1], stride: 2)
    layer3 = stage(w[1], w[2], stride: 2)
    conv2 = Conv2d(w[2], outputs, kernel: 1, weights: .encoder, &random)
    coarser = (1..<scales).map { _ in stage(w[2], w[2], stride: 2) }
    (dropout, recompute) = (config.dropout, config.recompute)
  }

  func callAsFunction(_ image: Tensor, _ pass: Pass) -> Tensor { scales(image, pass)[0] }

  /// The features at an eighth of the resolution, and at those of the further stages: `[n, ⌈h / 2ᵐ⁺³⌉, ⌈w / 2ᵐ⁺³⌉, outputs]`.
  func scales(_ image: Tensor, _ pass: Pass) -> [Tensor] {
    var x = recompute ? pass.recomputed { trunk(image, pass) } : trunk(image, pass)  // [n, h/8, w/8, widths[2]]
    var features = [projected(x, pass)]
    for stage in coarser {
      x = stage(x, pass)
      features.append(projected(x, pass))
    }
    return features
  }

  private func trunk(_ image: Tensor, _ pass: Pass) -> Tensor {
    let x = norm1(conv1(image), pass, activation: .relu)  // [n, h/2, w/2, stem]
    return [layer1, layer2, layer3].reduce(x) { $1($0, pass) }
  }

  private func projected(_ x: Tensor, _ pass: Pass) -> Tensor {
    let y = conv2(x)
    return pass.dropsOut && dropout > 0 ? y.dropoutChannels(dropout, &pass.random) : y
  }
}

/// A residual block of two 3x3 convolutions, the first of them strided; its own output is rectified before the addition, too.
struct ResidualBlock: Layer {
  let conv1: Conv2d
  let conv2: Conv2d
  let norm1: Normalization
  let norm2: Normalization
  /// The shortcut's normalisation once more: official files hold it under both names.
  let norm3: Normalization?
  let downsample: Shortcut?

  init(_ inputs: Int, _ width: Int, stride: Int, _ norm: Normalization.Kind, _ random: inout Random) {
    conv1 = Conv2d(inputs, width, kernel: 3, Conv2dOptions(stride: Extent(stride), padding: 1), weights: .encoder, &random)
    conv2 = Conv2d(width, width, kernel: 3, Conv2dOptions(padding: 1), weights: .encoder, &random)
    norm1 = Normalization(norm, width)
    norm2 = Normalization(norm, width)
    downsample = stride == 1 ? nil : Shortcut(inputs, width, stride: stride, norm, &random)
    norm3 = downsample?.norm
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    let y = norm1(conv1(x), pass, activation: .relu)
    return norm2(conv2(y), pass, activation: .relu, residual: downsample?(x, pass) ?? x, outputActivation: .relu)
  }
}

/// A residual block of 1x1, 3x3 (strided) and 1x1 convolutions, whose own output is rectified before the addition, too.
struct BottleneckBlock: Layer {
  let conv1: Conv2d
  let conv2: Conv2d
  let conv3: Conv2d
  let norm1: Normalization
  let norm2: Normalization
  let norm3: Normalization
  /// The shortcut's normalisation once more, as in `ResidualBlock`.
  let norm4: Normalization?
  let downsample: Shortcut?

  init(_ inputs: Int, _ width: Int, stride: Int, _ norm: Normalization.Kind, _ random: inout Random) {
    conv1 = Conv2d(inputs, width / 4, kernel: 1, weights: .encoder, &random)
    conv2 = Conv2d(width / 4, width / 4, kernel: 3, Conv2dOptions(stride: Extent(stride), padding: 1), weights: .encoder, &random)
    conv3 = Conv2d(width / 4, width, kernel: 1, weights: .encoder, &random)
    norm1 = Normalization(norm, width / 4)
    norm2 = Normalization(norm, width / 4)
    norm3 = Normalization(norm, width)
    downsample = stride == 1 ? nil : Shortcut(inputs, width, stride: stride, norm, &random)
    norm4 = downsample?.norm
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    var y = norm1(conv1(x), pass, activation: .relu)
    y = norm2(conv2(y), pass, activation: .relu)
    return norm3(conv3(y), pass, activation: .relu, residual: downsample?(x, pass) ?? x, outputActivation: .relu)
  }
}

/// The strided 1x1 convolution that brings a block's input to the size of its output.
struct Shortcut: Module {
  static let checkpointNames = ["conv": "0", "norm": "1"]
  let conv: Conv2d
  let norm: Normalization

  init(_ inputs: Int, _ outputs: Int, stride: Int, _ norm: Normalization.Kind, _ random: inout Random) {
    conv = Conv2d(inputs, outputs, kernel: 1, Conv2dOptions(stride: Extent(stride)), weights: .encoder, &random)
    self.norm = Normalization(norm, outputs)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { norm(conv(x), pass) }
}

extension Initializer {
  /// All convolutions of the encoders: He's normal initialisation over the outgoing connections.
  fileprivate static var encoder: Initializer { .kaimingNormal }
}
