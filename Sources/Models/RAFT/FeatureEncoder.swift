import Networks
import Tensors

/// Section 3.1: image → features at an eighth of the resolution; also the context encoder.
///
/// - Shape: `[n, h, w, 3]` in [-1, 1] → `[n, h / 8, w / 8, outputs]`.
struct FeatureEncoder: Module {
  /// Channels after the stem and after each of the three stages.
  struct Widths {
    let stem: Int
    let widths: [Int]
  }

  let conv1: Conv2d
  let norm1: Normalization
  let layer1, layer2, layer3: [BottleneckBlock]
  let conv2: Conv2d
  let dropout: Double

  init(_ widths: Widths, outputs: Int, norm: Normalization.Kind, dropout: Double, _ random: inout Random) {
    func stage(_ inputs: Int, _ width: Int, stride: Int) -> [BottleneckBlock] {
      [BottleneckBlock(inputs, width, stride: stride, norm, &random), BottleneckBlock(width, width, stride: 1, norm, &random)]
    }
    let w = widths.widths
    conv1 = Conv2d(3, widths.stem, kernel: 7, Convolution(stride: 2, padding: 3), weights: .encoder, &random)
    norm1 = Normalization(norm, widths.stem)
    layer1 = stage(widths.stem, w[0], stride: 1)
    layer2 = stage(w[0], w[1], stride: 2)
    layer3 = stage(w[1], w[2], stride: 2)
    conv2 = Conv2d(w[2], outputs, kernel: 1, weights: .encoder, &random)
    self.dropout = dropout
  }

  func callAsFunction(_ image: Tensor, _ pass: Pass) -> Tensor {
    var x = norm1(conv1(image), pass, activation: .relu)  // [n, h/2, w/2, stem]
    for block in layer1 + layer2 + layer3 { x = block(x, pass) }
    let y = conv2(x)  // [n, h/8, w/8, outputs]
    return pass.isTraining && dropout > 0 ? y.dropoutChannels(dropout, &pass.random) : y
  }
}

/// A residual block of 1x1, 3x3 (strided) and 1x1 convolutions, whose own output is rectified before the addition, too.
struct BottleneckBlock: Module {
  let conv1, conv2, conv3: Conv2d
  let norm1, norm2, norm3: Normalization
  let downsample: Shortcut?

  init(_ inputs: Int, _ width: Int, stride: Int, _ norm: Normalization.Kind, _ random: inout Random) {
    conv1 = Conv2d(inputs, width / 4, kernel: 1, weights: .encoder, &random)
    conv2 = Conv2d(width / 4, width / 4, kernel: 3, Convolution(stride: Extent(stride), padding: 1), weights: .encoder, &random)
    conv3 = Conv2d(width / 4, width, kernel: 1, weights: .encoder, &random)
    norm1 = Normalization(norm, width / 4)
    norm2 = Normalization(norm, width / 4)
    norm3 = Normalization(norm, width)
    downsample = stride == 1 ? nil : Shortcut(inputs, width, stride: stride, norm, &random)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    var y = norm1(conv1(x), pass, activation: .relu)
    y = norm2(conv2(y), pass, activation: .relu)
    return norm3(conv3(y), pass, activation: .relu, residual: downsample?(x, pass) ?? x, outputActivation: .relu)
  }
}

/// The strided 1x1 convolution that brings a block's input to the size of its output.
struct Shortcut: Module {
  static let officialNames = ["conv": "0", "norm": "1"]
  let conv: Conv2d
  let norm: Normalization

  init(_ inputs: Int, _ outputs: Int, stride: Int, _ norm: Normalization.Kind, _ random: inout Random) {
    conv = Conv2d(inputs, outputs, kernel: 1, Convolution(stride: Extent(stride)), weights: .encoder, &random)
    self.norm = Normalization(norm, outputs)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { norm(conv(x), pass) }
}

extension Initializer {
  /// All convolutions of the encoders: He's normal initialisation over the outgoing connections.
  fileprivate static var encoder: Initializer { .kaimingNormal }
}
