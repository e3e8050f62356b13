import Base
import Networks
import Tensors

/// Label maps. - Source: section 5 of the paper; the networks of the authors' segmentation repository.
///
/// - Shape: `[n, h, w, 3]` of any size → logits `[n, ⌈h / 4⌉, ⌈w / 4⌉, classes]`.
/// - Names: those of the body, `last_layer`; with object context `conv3x3_ocr`, `ocr_distri_head`, `cls_head`, `aux_head`.
/// - Initialiser: convolutions normal with deviation 0.001; object context and the heads beside it as PyTorch's defaults.
public struct HRNetSegmentation: Module {
  public static let checkpointNames = ["body": "", "neck": "", "context": ""]
  package let body: HRNet
  let neck: RepresentationNeck
  let lastLayer: MixingHead?
  let context: ObjectContext?
  public let config: Config

  public struct Config: Codable, Sendable, Equatable, ValidatedConfig {
    public var backbone = HRNet.Config(.w48)
    public var representation = Representation.v2
    public var classes = 19
    /// Whether interpolation keeps the corner pixels' centres in the corners: in fusions, in the head, in losses and in evaluation.
    public var alignCorners = false
    public var objectContext = ObjectContext.Config()

    public init(_ variant: HRNet.Variant = .w48) { backbone = HRNet.Config(variant) }

    public func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require(classes == 0 || classes > 1, "classes", classes, "2 or more, or 0: as many as the data names")
      return problems
    }
  }

  /// Class logits, and with object context those of the auxiliary head.
  public struct Output {
    public let logits: Tensor
    public let aux: Tensor?
  }

  public init(_ config: Config, _ random: inout Random) {
    let weights = Initializer.normal(deviation: 0.001)
    let upsampling = config.alignCorners ? Upsampling.aligned : .bilinear
    let style = config.backbone.style(weights)
    body = HRNet(config.backbone, outputs: config.representation.outputs, upsampling: upsampling, weights: weights, &random)
    neck = RepresentationNeck(config.representation, config.backbone.widths, upsampling, style, &random)
    if config.objectContext.enabled {
      lastLayer = nil
      context = ObjectContext(config.objectContext, inputs: neck.channels, classes: config.classes, &random)
    } else {
      lastLayer = MixingHead(neck.channels, outputs: config.classes, style, &random)
      context = nil
    }
    self.config = config
  }

  public func callAsFunction(_ images: Tensor, _ pass: Pass) -> Output {
    let x = neck(body(images, pass), pass)
    return context?(x, pass) ?? Output(logits: lastLayer?(x, pass) ?? x, aux: nil)
  }
}
