import Base
import Networks
import Tensors

/// The representation that a head reads. - Source: section 3.3 and figure 4 of the paper.
public enum Representation: String, ConfigChoice {
  /// The highest resolution; the others reach it in the last fusion.
  case v1
  /// The highest resolution, widened by a 1x1 convolution to the channels of `v2`.
  case v1h
  /// All resolutions, interpolated to the highest one and concatenated.
  case v2

  var outputs: HRNet.Outputs { self == .v2 ? .all : .highest }
}

/// The map that a head reads, from the body's outputs. - Names: none, or `widen.0`, `widen.1` of `v1h`.
struct RepresentationNeck: Module {
  let widen: ConvNorm?
  /// Channels of the map.
  let channels: Int
  private let upsampling: Upsampling

  /// - Parameter widths: of all resolutions.
  init(
    _ representation: Representation, _ widths: [Int], _ upsampling: Upsampling, _ style: BlockStyle, _ random: inout Random
  ) {
    let all = widths.reduce(0, +)
    widen = representation == .v1h ? ConvNorm(widths[0], all, kernel: 1, style, &random) : nil
    channels = representation == .v1 ? widths[0] : all
    self.upsampling = upsampling
  }

  /// - Shape: → `[n, h, w, channels]` of the highest resolution.
  func callAsFunction(_ branches: [Tensor], _ pass: Pass) -> Tensor {
    let x = branches.count == 1 ? branches[0] : branches.joined(upsampling)
    return widen?(x, pass, activation: .relu) ?? x
  }
}

extension [Tensor] {
  /// All resolutions at the size of the first, side by side.
  func joined(_ upsampling: Upsampling) -> Tensor {
    let size = Extent(height: self[0].shape[1], width: self[0].shape[2])
    return concatenate(map { upsampling($0, to: size) }, axis: -1)
  }
}

/// A 1x1 convolution that mixes the channels, and one to classes or keypoints. - Names: `0`, `1`, `3`.
struct MixingHead: Module {
  static let checkpointNames = ["conv": "0", "norm": "1", "classifier": "3"]
  let conv: Conv2d
  let norm: Normalization
  let classifier: Conv2d

  init(_ channels: Int, outputs: Int, _ style: BlockStyle, _ random: inout Random) {
    conv = Conv2d(channels, channels, kernel: 1, weights: style.weights, &random)
    norm = style.norm(channels)
    classifier = Conv2d(channels, outputs, kernel: 1, weights: style.weights, &random)
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { classifier(conv(x, norm, pass, activation: .relu)) }
}
