import Base
import Tensors

/// 2-D convolution.
///
/// - Shape: `[n, h, w, in]` → `[n, oh, ow, out]`.   - Names: `weight` `[out, in / groups, kh, kw]`, `bias` `[out]`.
/// - Initialiser: weight and bias uniform in `±1 / √(kh·kw·in / groups)`.
///
/// ```swift
/// let conv = Conv2d(3, 64, kernel: 7, Convolution(stride: 2, padding: 3), &random)
/// conv(Tensor.zeros([1, 32, 48, 3])).shape   // [1, 16, 24, 64]
/// ```
public struct Conv2d: StatelessLayer {
  public let weight: Parameter
  public let bias: Parameter?
  public let options: Conv2dOptions

  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, _ options: Conv2dOptions, bias: Bool = true,
    weights: Initializer = .kaimingUniform, _ random: inout Random
  ) {
    require(options.groups > 0 && inputs % options.groups == 0 && outputs % options.groups == 0,
      "Conv2d: \(inputs) input and \(outputs) output channels do not divide into \(options.groups) groups")
    let shape = [kernel.height, kernel.width, inputs / options.groups, outputs]
    weight = Parameter(weights(shape, &random), layout: .convolution)
    self.bias = bias ? Parameter(Initializer.kaimingUniform([outputs], fanIn: shape.dropLast().reduce(1, *), &random)) : nil
    self.options = options
  }

  /// A layer with the given parameters, for networks that initialise in their own way.
  public init(weight: Parameter, bias: Parameter?, _ options: Conv2dOptions = Conv2dOptions()) {
    self.weight = weight
    self.bias = bias
    self.options = options
  }

  /// A convolution with stride 1 and no padding.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, bias: Bool = true, weights: Initializer = .kaimingUniform, _ random: inout Random
  ) {
    self.init(inputs, outputs, kernel: kernel, Conv2dOptions(), bias: bias, weights: weights, &random)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { x.conv2d(with: weight.value, bias: bias?.value, options) }

  /// The layer and an activation in one op.
  public func callAsFunction(_ x: Tensor, activation: FusedActivation) -> Tensor {
    x.conv2d(with: weight.value, bias: bias?.value, options, activation: activation)
  }
}

/// Transposed 2-D convolution ("deconvolution").
///
/// - Shape: `[n, h, w, in]` → `[n, (h - 1)·stride - 2·padding + dilation·(kh - 1) + outputPadding + 1, …, out]`.
/// - Names: `weight` `[in, out / groups, kh, kw]`, `bias` `[out]`.
/// - Initialiser: weight and bias uniform in `±1 / √(kh·kw·out / groups)`: PyTorch counts the fan-in on this side.
public struct ConvTranspose2d: StatelessLayer {
  public let weight: Parameter
  public let bias: Parameter?
  public let options: Conv2dOptions
  public let outputPadding: Extent

  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, _ options: Conv2dOptions, outputPadding: Extent = 0, bias: Bool = true,
    weights: Initializer = .kaimingUniform, _ random: inout Random
  ) {
    require(options.groups > 0 && inputs % options.groups == 0 && outputs % options.groups == 0,
      "ConvTranspose2d: \(inputs) input and \(outputs) output channels do not divide into \(options.groups) groups")
    let shape = [kernel.height, kernel.width, outputs / options.groups, inputs]
    weight = Parameter(weights(shape, &random), layout: .convolution)
    self.bias = bias ? Parameter(Initializer.kaimingUniform([outputs], fanIn: shape.dropLast().reduce(1, *), &random)) : nil
    self.options = options
    self.outputPadding = outputPadding
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.convTranspose2d(with: weight.value, bias: bias?.value, options, outputPadding: outputPadding)
  }
}
