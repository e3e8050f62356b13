import Base
import Tensors

// Layers with an equalised learning rate: weights are stored with unit variance and scaled at run time, so that all of them move at one
// pace under Adam. - Source: Karras et al. 2018, section 4.1; the layers as in StyleGAN2 (Karras et al. 2020).

/// The activation of an equalised layer, with the gain that keeps the variance.
public enum EqualizedActivation: Sendable {
  case linear
  /// Slope 0.2, times √2.
  case leakyRelu

  public var gain: Double { self == .linear ? 1 : 2.0.squareRoot() }

  /// The part behind the gain, which every caller multiplies into what it activates: `g · lrelu(x) = lrelu(g · x)`.
  var fused: FusedActivation? { self == .linear ? nil : .leakyRelu(slope: 0.2) }

  package func callAsFunction(_ x: Tensor) -> Tensor { self == .linear ? x : x.leakyRelu(slope: 0.2) }
}

extension Tensor {
  /// Times a constant that is often 1.
  func equalized(by scale: Double) -> Tensor { scale == 1 ? self : scaledWeight(by: scale) }
}

/// `y = act(x · (W m / √in) + b m)`.
///
/// - Shape: `[..., in]` → `[..., out]`.   - Names: `weight` `[out, in]`, `bias` `[out]`.
/// - Initialiser: weight normal with deviation `1 / m`, bias as given.
public struct EqualizedLinear: StatelessLayer {
  public let weight: Parameter
  public let bias: Parameter
  public let activation: EqualizedActivation
  private let rateMultiplier: Double

  /// - Parameters:
  ///   - rateMultiplier: m, the pace of this layer beside the others'.
  ///   - bias: the first value of every bias, as stored.
  public init(
    _ inputs: Int, _ outputs: Int, activation: EqualizedActivation = .linear, rateMultiplier: Double = 1, bias: Double = 0,
    _ random: inout Random
  ) {
    require(rateMultiplier > 0, "EqualizedLinear: the rate multiplier \(rateMultiplier) is not positive")
    weight = Parameter(.normal([inputs, outputs], deviation: 1 / rateMultiplier, &random), layout: .linear)
    self.bias = Parameter(Tensor(filling: [outputs], with: bias))
    self.activation = activation
    self.rateMultiplier = rateMultiplier
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let scale = rateMultiplier * activation.gain
    return x.linear(
      by: weight.value.scaledWeight(by: scale / Double(weight.shape[0]).squareRoot()), bias: bias.value.equalized(by: scale),
      activation: activation.fused)
  }
}

/// The resolution that a convolution gives.
public enum ConvolutionResampling: Sendable {
  case same
  /// Half of it: low-pass filtered, then a strided convolution.
  case down
  /// Twice of it: a transposed convolution, then low-pass filtered.
  case up
}

/// The binomial filter of all resampling layers, `[1, 3, 3, 1]` in each direction.
public enum ResamplingFilter {
  static let taps = [1.0, 3, 3, 1]

  /// The filter as checkpoints carry it, `[4, 4]`, summing to 1. Layers compute with the constant: it is the same in every file.
  static func buffer() -> Buffer {
    let sum = taps.reduce(0, +)
    return Buffer(Tensor(taps.flatMap { row in taps.map { row * $0 / (sum * sum) } }, shape: [4, 4]))
  }
}

extension Tensor {
  /// `[n, h, w, c]` → `[n, 2h, 2w, c]`: zeros between the pixels, then the low-pass filter.
  package func upsampledByFilter() -> Tensor { filtered(by: FIRFilter(ResamplingFilter.taps, up: 2), before: 2, after: 1) }

  /// The low-pass filter on the result of a transposed convolution, `[n, 2h + 1, 2w + 1, c]` → `[n, 2h, 2w, c]`, with the gain that makes
  /// up for the zeros between the pixels.
  fileprivate func smoothedAfterUpsampling() -> Tensor {
    filtered(by: FIRFilter(ResamplingFilter.taps, gain: 2), before: 1, after: 1, remade: false)
  }

  /// A square convolution of one of the three resolutions. Bias and activation come at the very end.
  /// - Shape: `[n, h, w, in]`, weight `[k, k, in, out]` with k = 1 or 3 → `[n, h', w', out]`.
  func convolved(
    with weight: Tensor, _ resampling: ConvolutionResampling, bias: Tensor? = nil, activation: EqualizedActivation = .linear
  ) -> Tensor {
    let kernel = weight.shape[0]
    switch resampling {
    case .same:
      return conv2d(with: weight, bias: bias, Conv2dOptions(padding: Extent(kernel / 2)), activation: activation.fused)
    case .down where kernel == 1:
      let x = filtered(by: FIRFilter(ResamplingFilter.taps, down: 2), before: 1, after: 1)
      return x.conv2d(with: weight, bias: bias, activation: activation.fused)
    case .down:
      let x = filtered(by: FIRFilter(ResamplingFilter.taps), before: 2, after: 2)
      return x.conv2d(with: weight, bias: bias, Conv2dOptions(stride: 2), activation: activation.fused)
    case .up:
      let y = zeroStuffedConvolution(with: weight).smoothedAfterUpsampling()
      return activation(bias.map { y + $0 } ?? y)
    }
  }

  /// The correlation of this map, with zeros between its pixels and around it, with a 3x3 kernel: `[n, h, w, in]` →
  /// `[n, 2h + 1, 2w + 1, out]`.
  ///
  /// A transposed convolution with stride 2 adds the kernel the other way round, so it is turned by 180 degrees first.
  private func zeroStuffedConvolution(with weight: Tensor) -> Tensor {
    let (kh, kw, inputs, outputs) = weight.shape4
    let turned = weight.reshaped(to: [kh * kw, inputs, outputs]).reversed(0).transposed([0, 2, 1])
    return convTranspose2d(with: turned.reshaped(to: [kh, kw, outputs, inputs]), Conv2dOptions(stride: 2))
  }
}

/// A square convolution with an equalised learning rate, at the same, half or twice the resolution.
///
/// - Shape: `[n, h, w, in]` → `[n, h, w, out]`, `[n, h / 2, w / 2, out]` or `[n, 2h, 2w, out]`.
/// - Names: `weight` `[out, in, k, k]`, `bias` `[out]`, `resample_filter` `[4, 4]`.
/// - Initialiser: weight normal with deviation 1, bias 0.
public struct EqualizedConv2d: StatelessLayer {
  public let weight: Parameter
  public let bias: Parameter?
  let resampleFilter: Buffer
  public let resampling: ConvolutionResampling
  public let activation: EqualizedActivation
  private let gain: Double

  /// - Parameters:
  ///   - kernel: 1 or 3.
  ///   - gain: multiplies the result, beside the activation's own.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, resampling: ConvolutionResampling = .same, activation: EqualizedActivation = .leakyRelu,
    bias: Bool = true, gain: Double = 1, _ random: inout Random
  ) {
    require(kernel == 3 || (kernel == 1 && resampling != .up), "EqualizedConv2d: a \(kernel)x\(kernel) kernel, \(resampling)")
    weight = Parameter(.normal([kernel, kernel, inputs, outputs], &random), layout: .convolution)
    self.bias = bias ? Parameter(.zeros([outputs])) : nil
    resampleFilter = ResamplingFilter.buffer()
    self.resampling = resampling
    self.activation = activation
    self.gain = gain
  }

  /// The number of products that reach one output.
  private var fanIn: Double { Double(weight.shape.dropLast().reduce(1, *)) }

  public func callAsFunction(_ x: Tensor) -> Tensor { result(x, activation) }

  /// What the activation is applied to: without it, but with its gain.
  package func beforeActivation(_ x: Tensor) -> Tensor { result(x, .linear) }

  private func result(_ x: Tensor, _ last: EqualizedActivation) -> Tensor {
    let scale = gain * activation.gain
    return x.convolved(
      with: weight.value.scaledWeight(by: scale / fanIn.squareRoot()), resampling, bias: bias?.value.equalized(by: scale), activation: last)
  }
}
