import Base
import Networks
import Tensors

/// A mask-aware convolution: its result is scaled up where part of its input is hole, and it tells which pixels have seen anything known.
///
/// With u = the known pixels below the kernel (beyond the border none are): `y = act(conv(x) + b) · k² / u`, 0 where u = 0, and the new
/// mask is 1 where u > 0. Unlike in the classical layer, bias and activation come before the ratio, and x is not masked.
/// - Shape: x `[n, h, w, in]`, mask `[n, h, w, 1]` of 0 and 1 → the same at the convolution's resolution.
/// - Names: `conv`.
/// - Source: Liu et al. 2018, equations 1 and 2, with the order of MAT's authors (section 3.2 of their paper).
struct PartialConv: Module {
  let conv: EqualizedConv2d
  private let kernel: Int

  init(_ inputs: Int, _ outputs: Int, kernel: Int = 3, resampling: ConvolutionResampling = .same, _ random: inout Random) {
    conv = EqualizedConv2d(inputs, outputs, kernel: kernel, resampling: resampling, &random)
    self.kernel = kernel
  }

  /// - Parameter mask: nil: all pixels are known, beyond the border too, and no mask comes back.
  func callAsFunction(_ x: Tensor, mask: Tensor?) -> (Tensor, Tensor?) {
    guard let mask else { return (conv(x), nil) }
    require(conv.resampling != .up, "PartialConv: no mask can be upsampled")
    let ones = Tensor.ones([kernel, kernel, 1, 1], mask.precision)
    let options = Conv2dOptions(stride: conv.resampling == .down ? 2 : 1, padding: Extent(kernel / 2))
    let known = mask.detached().conv2d(with: ones, options)
    let updated = known.clamped(to: 0, 1)
    let ratio = updated * Double(kernel * kernel) / (known + 1e-8)
    // The ratio is 0 or more, so it may as well come before the activation, which then keeps its own result alone.
    return (conv.activation(conv.beforeActivation(x) * ratio), updated)
  }
}
