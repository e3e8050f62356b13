import Base
import Networks
import Tensors

/// Heatmaps of keypoints. - Source: section 4 of the paper; the network of the authors' pose repository.
///
/// - Shape: `[n, h, w, 3]`, height and width multiples of 32 → `[n, h / 4, w / 4, keypoints]`.
/// - Names: those of the body, `final_layer`; with the representations `v1h` and `v2`, which are not published, `widen` and `last_layer`.
/// - Initialiser: convolutions normal with deviation 0.001, biases 0.
public struct HRNetPose: Module {
  static let weights = Initializer.normal(deviation: 0.001)
  public static let checkpointNames = ["body": "", "neck": ""]
  package let body: HRNet
  let neck: RepresentationNeck
  let finalLayer: Conv2d?
  let lastLayer: MixingHead?
  public let config: Config

  public struct Config: Codable, Sendable, Equatable, ValidatedConfig {
    public var backbone = HRNet.Config(.w32)
    public var representation = Representation.v1
    public var keypoints = 17
    /// Height and width of the last convolution's kernel: 1 or 3.
    public var finalKernel = 1

    public init(_ variant: HRNet.Variant = .w32) { backbone = HRNet.Config(variant) }

    public func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require((0...10_000).contains(keypoints), "keypoints", keypoints, "1 to 10000, or 0: those of the skeleton")
      problems.require(finalKernel == 1 || (finalKernel == 3 && representation == .v1), "final_kernel", finalKernel,
                       "1, or 3 with the representation v1")
      return problems
    }
  }

  public init(_ config: Config, _ random: inout Random) {
    let style = config.backbone.style(Self.weights)
    body = HRNet(config.backbone, outputs: config.representation.outputs, upsampling: .nearest, weights: Self.weights, &random)
    neck = RepresentationNeck(config.representation, config.backbone.widths, .bilinear, style, &random)
    if config.representation == .v1 {
      let kernel = config.finalKernel
      let weight = Self.weights([kernel, kernel, neck.channels, config.keypoints], &random)
      let options = Conv2dOptions(padding: Extent(kernel / 2))
      finalLayer = Conv2d(weight: Parameter(weight, layout: .convolution), bias: Parameter(.zeros([config.keypoints])), options)
      lastLayer = nil
    } else {
      finalLayer = nil
      lastLayer = MixingHead(neck.channels, outputs: config.keypoints, style, &random)
    }
    self.config = config
  }

  /// The number that height and width of images must be multiples of.
  public var sizeStep: Int { body.sizeStep }

  public func callAsFunction(_ images: Tensor, _ pass: Pass) -> Tensor {
    let x = neck(body(images, pass), pass)
    return finalLayer?(x) ?? lastLayer?(x, pass) ?? x
  }
}
