import Base
import Tensors

// Convolutions whose weights a style vector scales. - Source: Karras et al. 2020 (StyleGAN2), section 2.2.

/// A square convolution whose input channels are scaled by a style, and whose output channels are scaled back to unit variance.
///
/// With `s` = affine(style) for each input channel: `w'ᵢⱼ = s_i w_ij`, `w'' = w' / √(Σ w'² + 1e-8)` summed over inputs and taps. No bias.
/// - Shape: x `[n, h, w, in]`, style `[n, styleWidth]` → `[n, h, w, out]` or `[n, 2h, 2w, out]`.
/// - Names: `weight` `[1, out, in, k, k]`, `resample_filter` `[4, 4]`, `affine.weight`, `affine.bias`.
/// - Initialiser: weight normal with deviation 1, `affine.bias` 1.
public struct ModulatedConv2d: Module {
  public let weight: Parameter
  let resampleFilter: Buffer
  let affine: EqualizedLinear
  public let resampling: ConvolutionResampling
  private let demodulates: Bool

  /// - Parameter kernel: 1 or 3.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, styleWidth: Int, resampling: ConvolutionResampling = .same, demodulates: Bool = true,
    _ random: inout Random
  ) {
    require(kernel == 3 || (kernel == 1 && resampling == .same), "ModulatedConv2d: a \(kernel)x\(kernel) kernel, \(resampling)")
    weight = Parameter(.normal([kernel, kernel, inputs, outputs], &random), layout: .modulated)
    resampleFilter = ResamplingFilter.buffer()
    affine = EqualizedLinear(styleWidth, inputs, bias: 1, &random)
    self.resampling = resampling
    self.demodulates = demodulates
  }

  /// - Parameter gain: multiplies the result.
  public func callAsFunction(_ x: Tensor, style: Tensor, gain: Double = 1) -> Tensor {
    let (n, h, w, inputs) = x.shape4
    let (kernel, _, _, outputs) = weight.value.shape4
    let scales = affine(style) * (1 / Double(kernel * kernel * inputs).squareRoot())  // [n, in], the equalising factor included
    let demodulation = demodulates ? self.demodulation(scales) * gain : nil  // [n, out]
    // One sample: scale the weights, or the maps where these are smaller.
    if n == 1, !demodulates || h * w * (inputs + outputs) > weight.value.count {
      let ofInputs = scales.reshaped(to: [inputs, 1])
      return x.convolved(with: weight.value.scaledWeight(by: demodulation.map { ofInputs * $0 } ?? ofInputs * gain), resampling)
    }
    let y = (x * scales.reshaped(to: [n, 1, 1, inputs])).convolved(with: weight.value, resampling)
    return demodulation.map { y * $0.reshaped(to: [n, 1, 1, outputs]) } ?? y * gain
  }

  /// `1 / √(Σ w'² + 1e-8)` for each sample and output: `[n, out]`.
  private func demodulation(_ scales: Tensor) -> Tensor {
    (scales.squared().matmul(weight.value.squared().sum([0, 1])) + 1e-8).power(-0.5)
  }
}

/// Noise that a synthesis network adds to its maps.
public enum SynthesisNoise: String, ConfigChoice {
  /// Drawn for every image.
  case random
  /// The network's own, which fits its native resolution only.
  case constant
  case none
}

/// A modulated convolution with noise, bias and leaky relu.
///
/// - Shape: as `ModulatedConv2d`.
/// - Names: `conv`, `bias` `[out]`; with noise `noise_strength` `[]`, `noise_const` `[resolution, resolution]`.
/// - Initialiser: bias and strength 0, `noise_const` normal with deviation 1.
public struct StyleConv: Module {
  let conv: ModulatedConv2d
  let bias: Parameter
  let noiseStrength: Parameter?
  let noiseConst: Buffer?

  /// - Parameter noiseResolution: height and width of the results that the constant noise is for; nil: no noise.
  public init(
    _ inputs: Int, _ outputs: Int, styleWidth: Int, resampling: ConvolutionResampling = .same, noiseResolution: Int?,
    _ random: inout Random
  ) {
    conv = ModulatedConv2d(inputs, outputs, kernel: 3, styleWidth: styleWidth, resampling: resampling, &random)
    bias = Parameter(.zeros([outputs]))
    noiseStrength = noiseResolution.map { _ in Parameter(.zeros([])) }
    noiseConst = noiseResolution.map { Buffer(.normal([$0, $0], &random)) }
  }

  public func callAsFunction(_ x: Tensor, style: Tensor, noise: SynthesisNoise, _ pass: Pass) -> Tensor {
    let activation = EqualizedActivation.leakyRelu
    var y = conv(x, style: style, gain: activation.gain)
    if let noiseStrength, let map = noiseMap(y.shape, y.precision, noise, pass) {
      y = y + map * (noiseStrength.value * activation.gain)
    }
    return activation(y + bias.value * activation.gain)
  }

  /// `[n or 1, h, w, 1]`.
  private func noiseMap(_ shape: [Int], _ precision: Precision, _ noise: SynthesisNoise, _ pass: Pass) -> Tensor? {
    switch noise {
    case .none: return nil
    case .random: return .normal([shape[0], shape[1], shape[2], 1], &pass.random, precision: precision)
    case .constant:
      guard let map = noiseConst?.value else { return nil }
      require(map.shape == [shape[1], shape[2]],
        "StyleConv: the constant noise is for \(map.shape[0])x\(map.shape[1]), the map has \(shape[1])x\(shape[2]); take random noise")
      return map.reshaped(to: [1] + map.shape + [1])
    }
  }
}

/// Features to colours, added to the picture so far.
///
/// - Shape: features `[n, h, w, in]`, picture `[n, h / 2, w / 2, 3]` → `[n, h, w, 3]`.
/// - Names: `conv` (1x1, not demodulated), `bias` `[3]`, `resample_filter` `[4, 4]`.
public struct ToRGB: Module {
  let conv: ModulatedConv2d
  let bias: Parameter
  let resampleFilter: Buffer

  public init(_ inputs: Int, styleWidth: Int, _ random: inout Random) {
    conv = ModulatedConv2d(inputs, 3, kernel: 1, styleWidth: styleWidth, demodulates: false, &random)
    bias = Parameter(.zeros([3]))
    resampleFilter = ResamplingFilter.buffer()
  }

  /// - Parameter picture: of half the resolution; nil: there is none yet.
  public func callAsFunction(_ x: Tensor, style: Tensor, onto picture: Tensor?) -> Tensor {
    let y = conv(x, style: style) + bias.value
    return picture.map { y + $0.upsampledByFilter() } ?? y
  }
}
