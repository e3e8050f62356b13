import Base
import Networks
import Tensors

/// One convolution with bias, forward and backward.
struct ConvolutionWorkload: DifferentiatedWorkload {
  static let kind = "convolution"

  let batch: Int
  let inputs: Int
  let outputs: Int
  let height: Int
  let width: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let stride: Int
  let paddingHeight: Int
  let paddingWidth: Int
  /// Whether the gradient of the input is computed, as in all layers but a network's first.
  let inputGradient: Bool

  /// A convolution padded by half of its kernel, so that stride 1 keeps the size.
  /// - Parameter size: of the input, pixels.
  init(
    _ inputs: Int, to outputs: Int? = nil, kernel: Extent = 3, size: Extent, batch: Int = 1, stride: Int = 1, inputGradient: Bool = true
  ) {
    (self.batch, self.inputs, self.outputs, height, width) = (batch, inputs, outputs ?? inputs, size.height, size.width)
    (kernelHeight, kernelWidth, self.stride, self.inputGradient) = (kernel.height, kernel.width, stride, inputGradient)
    (paddingHeight, paddingWidth) = (kernel.height / 2, kernel.width / 2)
  }

  /// Multiply-adds of the forward pass, and as many for each gradient.
  var operations: Double {
    let outputHeight = (height + 2 * paddingHeight - kernelHeight) / stride + 1
    let outputWidth = (width + 2 * paddingWidth - kernelWidth) / stride + 1
    return 2 * Double(batch * outputHeight * outputWidth * kernelHeight * kernelWidth * inputs * outputs) * (inputGradient ? 3 : 2)
  }

  func forward() -> () -> Tensor {
    var random = Random(seed: 1, stream: .test)
    let options = Conv2dOptions(stride: Extent(stride), padding: Extent(height: paddingHeight, width: paddingWidth))
    let layer = Conv2d(inputs, outputs, kernel: Extent(height: kernelHeight, width: kernelWidth), options, &random)
    let image = Tensor.normal([batch, height, width, inputs], &random)
    let x = inputGradient ? image.asLeaf() : image
    return { layer(x) }
  }
}
