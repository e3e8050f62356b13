import Base
import Networks
import Tensors

/// Real pictures from completed ones: a tower for the final picture, and one of half the width for the first stage's.
///
/// - Shape: pictures `[n, h, w, 3]`, mask `[n, h, w, 1]` → logits `[n, 1]` each, above 0 for real ones.
/// - Names: `Dis.0.conv` (from RGB), `Dis.1.conv0`, `.conv1`, `.skip` …, the last convolution `Dis.8`, `fc0`, `fc1`; the same with `_stg1`.
/// - Source: the appendix of the paper; StyleGAN2's residual discriminator.
public struct MATDiscriminator: Module {
  public static let checkpointNames = ["dis": "Dis", "disStg1": "Dis_stg1"]
  let dis: Sequential
  let fc0: EqualizedLinear
  let fc1: EqualizedLinear
  let disStg1: Sequential
  let fc0Stg1: EqualizedLinear
  let fc1Stg1: EqualizedLinear
  private let resolution: Int

  public init(_ config: MAT.Config, _ random: inout Random) {
    func channels(_ resolution: Int, _ share: Int) -> Int { config.channels(at: resolution) / share }
    func tower(_ share: Int, _ random: inout Random) -> Sequential {
      let resolution = config.resolution
      let sizes = (0..<resolution.exponent - 2).map { resolution >> $0 }  // down to 8
      let blocks = sizes.map { ResidualDownsampling(channels($0, share), channels($0 / 2, share), &random) }
      let last = channels(4, share)
      return Sequential([FromRGB(channels(resolution, share), &random)] + blocks + [
        MinibatchDeviation(groupSize: config.minibatchGroup), EqualizedConv2d(last + 1, last, kernel: 3, &random),
      ])
    }
    func heads(_ share: Int, _ random: inout Random) -> (EqualizedLinear, EqualizedLinear) {
      let last = channels(4, share)
      return (EqualizedLinear(16 * last, last, activation: .leakyRelu, &random), EqualizedLinear(last, 1, &random))
    }
    dis = tower(1, &random)
    (fc0, fc1) = heads(1, &random)
    disStg1 = tower(2, &random)
    (fc0Stg1, fc1Stg1) = heads(2, &random)
    resolution = config.resolution
  }

  /// What it says of two pictures.
  public struct Logits {
    /// Of the final picture, `[n, 1]`.
    public let image: Tensor
    /// Of the first stage's, `[n, 1]`.
    public let firstStage: Tensor
  }

  /// - Parameters:
  ///   - image, firstStage: the pictures of both stages; twice the same for real ones.
  public func callAsFunction(_ image: Tensor, mask: Tensor, firstStage: Tensor) -> Logits {
    require(image.shape[1] == resolution && image.shape[2] == resolution && firstStage.shape == image.shape,
      "MATDiscriminator: pictures of shape \(image.shape) and \(firstStage.shape), expected \(resolution)x\(resolution) pixels")
    func logit(_ picture: Tensor, _ tower: Sequential, _ fc0: EqualizedLinear, _ fc1: EqualizedLinear) -> Tensor {
      let x = tower(concatenate([mask - 0.5, picture], axis: 3), .evaluation)  // [n, 4, 4, c]
      return fc1(fc0(x.transposed([0, 3, 1, 2]).reshaped(to: [x.shape[0], -1])))  // channels first, as the weights in files
    }
    return Logits(image: logit(image, dis, fc0, fc1), firstStage: logit(firstStage, disStg1, fc0Stg1, fc1Stg1))
  }
}

/// Mask and colours to features. - Shape: `[n, h, w, 4]` → `[n, h, w, c]`.   - Names: `conv`.
struct FromRGB: StatelessLayer {
  let conv: EqualizedConv2d

  init(_ outputs: Int, _ random: inout Random) { conv = EqualizedConv2d(4, outputs, kernel: 1, &random) }

  func callAsFunction(_ x: Tensor) -> Tensor { conv(x) }
}

/// A residual block to half of the resolution. - Shape: `[n, h, w, in]` → `[n, h / 2, w / 2, out]`.   - Names: `conv0`, `conv1`, `skip`.
struct ResidualDownsampling: StatelessLayer {
  let conv0: EqualizedConv2d
  let conv1: EqualizedConv2d
  let skip: EqualizedConv2d

  init(_ inputs: Int, _ outputs: Int, _ random: inout Random) {
    let gain = 0.5.squareRoot()  // the sum of two has unit variance again
    conv0 = EqualizedConv2d(inputs, inputs, kernel: 3, &random)
    conv1 = EqualizedConv2d(inputs, outputs, kernel: 3, resampling: .down, gain: gain, &random)
    skip = EqualizedConv2d(inputs, outputs, kernel: 1, resampling: .down, activation: .linear, bias: false, gain: gain, &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { skip(x) + conv1(conv0(x)) }
}
