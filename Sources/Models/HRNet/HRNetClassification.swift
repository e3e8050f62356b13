import Base
import Networks
import Tensors

/// Classes of images: what the bodies of all other networks are pre-trained by.
///
/// - Shape: `[n, h, w, 3]`, height and width multiples of 32 → `[n, classes]`.
/// - Names: those of the body, `incre_modules`, `downsamp_modules`, `final_layer`, `classifier`.
/// - Initialiser: convolutions He's normal over outgoing connections.
/// - Source: the appendix of the paper; the network of the authors' classification repository.
public struct HRNetClassification: Module {
  public static let checkpointNames = ["body": ""]
  package let body: HRNet
  let increModules: [Sequential]
  let downsampModules: [ConvNorm]
  let finalLayer: ConvNorm
  let classifier: Linear

  public struct Config: Codable, Sendable, Equatable {
    public var backbone = HRNet.Config(.w32)
    public var classes = 1000

    public init(_ variant: HRNet.Variant = .w32) { backbone = HRNet.Config(variant) }
  }

  public init(_ config: Config, _ random: inout Random) {
    let style = config.backbone.style(.kaimingNormal)
    body = HRNet(config.backbone, upsampling: .nearest, weights: .kaimingNormal, &random)
    let widths = body.channels.indices.map { 32 << $0 }
    let outputs = widths.map { $0 * Bottleneck.expansion }
    increModules = zip(body.channels, widths).map { Sequential(Bottleneck(BlockShape(inputs: $0, width: $1), style, &random)) }
    downsampModules = zip(outputs, outputs.dropFirst()).map { ConvNorm($0, $1, kernel: 3, stride: 2, bias: true, style, &random) }
    finalLayer = ConvNorm(outputs[outputs.count - 1], 2048, kernel: 1, bias: true, style, &random)
    classifier = Linear(2048, config.classes, &random)
  }

  public func callAsFunction(_ images: Tensor, _ pass: Pass) -> Tensor {
    let branches = body(images, pass)
    var x = increModules[0](branches[0], pass)
    for (index, halve) in downsampModules.enumerated() {
      x = increModules[index + 1](branches[index + 1], pass) + halve(x, pass, activation: .relu)
    }
    return classifier(finalLayer(x, pass, activation: .relu).mean([1, 2]))
  }
}
