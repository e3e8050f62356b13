import Base
import Networks
import Tensors

/// One stage of ResNet-50, batch normalisation in training mode, forward and backward.
/// - Source: He et al. 2016, table 1, with the stride in the 3x3 convolution, as torchvision has it.
struct BottleneckWorkload: DifferentiatedWorkload {
  static let kind = "bottlenecks"

  let batch: Int
  /// Channels of the input.
  let inputs: Int
  /// Channels in which blocks compute; they give four times as many.
  let width: Int
  /// Height and width of the input; the first block halves them.
  let height: Int
  let imageWidth: Int
  let blocks: Int

  var outputs: Int { 4 * width }

  /// The convolutions, forward and both gradients.
  var operations: Double {
    let large = height * imageWidth
    let small = (height / 2) * (imageWidth / 2)
    let first = large * inputs * width + small * (9 * width * width + width * outputs + inputs * outputs)
    let other = small * (2 * width * outputs + 9 * width * width)
    return 3 * 2 * Double(batch * (first + (blocks - 1) * other))
  }

  func forward() -> () -> Tensor {
    var random = Random(seed: 1, stream: .test)
    let blocks = (0..<blocks).map { Bottleneck($0 == 0 ? inputs : outputs, width, isFirst: $0 == 0, &random) }
    let x = Tensor.normal([batch, height, imageWidth, inputs], &random).asLeaf()
    return { Sequential(blocks)(x, Pass(.training)) }
  }
}

/// A residual block of 1x1, 3x3 and 1x1 convolutions.
private struct Bottleneck: Layer {
  let conv1: Conv2d
  let conv2: Conv2d
  let conv3: Conv2d
  let bn1: BatchNorm2d
  let bn2: BatchNorm2d
  let bn3: BatchNorm2d
  let downsample: Sequential?

  init(_ inputs: Int, _ width: Int, isFirst: Bool, _ random: inout Random) {
    let stride = Extent(isFirst ? 2 : 1)
    conv1 = Conv2d(inputs, width, kernel: 1, bias: false, &random)
    conv2 = Conv2d(width, width, kernel: 3, Conv2dOptions(stride: stride, padding: 1), bias: false, &random)
    conv3 = Conv2d(width, 4 * width, kernel: 1, bias: false, &random)
    bn1 = BatchNorm2d(width)
    bn2 = BatchNorm2d(width)
    bn3 = BatchNorm2d(4 * width)
    downsample = isFirst
      ? Sequential(Conv2d(inputs, 4 * width, kernel: 1, Conv2dOptions(stride: stride), bias: false, &random), BatchNorm2d(4 * width)) : nil
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    var y = bn1(conv1(x), pass, activation: .relu)
    y = bn2(conv2(y), pass, activation: .relu)
    return bn3(conv3(y), pass, residual: downsample?(x, pass) ?? x, outputActivation: .relu)
  }
}
