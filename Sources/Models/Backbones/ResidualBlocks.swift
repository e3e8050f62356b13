import Base
import Networks
import Tensors

// The blocks of residual networks, as torchvision and the authors of HRNet name and compute them.

/// What the blocks of one network share.
struct BlockStyle {
  /// The first values of their convolutions.
  let weights: Initializer
  /// The normalisation of so many channels.
  let norm: (Int) -> Normalization
}

/// The sizes of one residual block.
struct BlockShape {
  let inputs: Int
  /// Channels of the 3x3 convolutions.
  let width: Int
  var stride = 1
  var dilation = 1

  /// The 3x3 convolution that has the block's stride or dilation.
  var spatial: Conv2dOptions { Conv2dOptions(stride: Extent(stride), padding: Extent(dilation), dilation: Extent(dilation)) }
}

/// Two 3x3 convolutions, the first of them strided.
struct BasicBlock: Layer {
  let conv1: Conv2d
  let bn1: Normalization
  let conv2: Conv2d
  let bn2: Normalization
  let downsample: ConvNorm?

  init(_ shape: BlockShape, _ style: BlockStyle, _ random: inout Random) {
    let options = Conv2dOptions(padding: Extent(shape.dilation), dilation: Extent(shape.dilation))
    conv1 = Conv2d(shape.inputs, shape.width, kernel: 3, shape.spatial, bias: false, weights: style.weights, &random)
    bn1 = style.norm(shape.width)
    conv2 = Conv2d(shape.width, shape.width, kernel: 3, options, bias: false, weights: style.weights, &random)
    bn2 = style.norm(shape.width)
    downsample = ConvNorm(shortcutOf: shape, outputs: shape.width, style, &random)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    let y = conv1(x, bn1, pass, activation: .relu)
    return conv2(y, bn2, pass, residual: downsample?(x, pass) ?? x, outputActivation: .relu)
  }
}

/// A 1x1 convolution to a quarter of the channels, a strided 3x3 convolution, and a 1x1 convolution back.
struct Bottleneck: Layer {
  /// Channels of the output for each of the 3x3 convolution.
  static let expansion = 4
  let conv1: Conv2d
  let bn1: Normalization
  let conv2: Conv2d
  let bn2: Normalization
  let conv3: Conv2d
  let bn3: Normalization
  let downsample: ConvNorm?

  init(_ shape: BlockShape, _ style: BlockStyle, _ random: inout Random) {
    let outputs = shape.width * Self.expansion
    conv1 = Conv2d(shape.inputs, shape.width, kernel: 1, bias: false, weights: style.weights, &random)
    bn1 = style.norm(shape.width)
    conv2 = Conv2d(shape.width, shape.width, kernel: 3, shape.spatial, bias: false, weights: style.weights, &random)
    bn2 = style.norm(shape.width)
    conv3 = Conv2d(shape.width, outputs, kernel: 1, bias: false, weights: style.weights, &random)
    bn3 = style.norm(outputs)
    downsample = ConvNorm(shortcutOf: shape, outputs: outputs, style, &random)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    var y = conv1(x, bn1, pass, activation: .relu)
    y = conv2(y, bn2, pass, activation: .relu)
    return conv3(y, bn3, pass, residual: downsample?(x, pass) ?? x, outputActivation: .relu)
  }
}

/// A convolution and its normalisation. - Names: `0`, `1`.
struct ConvNorm: Module {
  static let checkpointNames = ["conv": "0", "norm": "1"]
  let conv: Conv2d
  let norm: Normalization

  /// A convolution that keeps the resolution, or a part of it.
  init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, bias: Bool = false, _ style: BlockStyle, _ random: inout Random
  ) {
    let options = Conv2dOptions(stride: Extent(stride), padding: Extent(kernel / 2))
    conv = Conv2d(inputs, outputs, kernel: Extent(kernel), options, bias: bias, weights: style.weights, &random)
    norm = style.norm(outputs)
  }

  /// The strided 1x1 convolution of a shortcut, where the block changes the shape.
  init?(shortcutOf shape: BlockShape, outputs: Int, _ style: BlockStyle, _ random: inout Random) {
    guard shape.stride != 1 || shape.inputs != outputs else { return nil }
    self.init(shape.inputs, outputs, kernel: 1, stride: shape.stride, style, &random)
  }

  func callAsFunction(
    _ x: Tensor, _ pass: Pass, activation: Rectifier = .none, residual: Tensor? = nil, outputActivation: Rectifier = .none
  ) -> Tensor {
    conv(x, norm, pass, activation: activation, residual: residual, outputActivation: outputActivation)
  }
}
