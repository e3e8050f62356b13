import Base
import Networks
import Tensors

/// DETR with the heads that add a mask to every slot. - Names: the box model under `detr.`, `bbox_attention`, `mask_head`.
public struct DETRSegmentation: Module {
  public let detr: DETR
  let bboxAttention: BoxAttention
  let maskHead: MaskHead

  public init(_ config: DETR.Config, _ random: inout Random) {
    detr = DETR(config, &random)
    bboxAttention = BoxAttention(config, &random)
    maskHead = MaskHead(config, stages: detr.backbone.body.channels, &random)
  }

  /// The masks of chosen slots of an output.
  /// - Parameter slots: image and query of each.
  /// - Returns: logits `[slots, H/4, W/4]`.
  public func masks(of slots: [(image: Int, query: Int)], _ output: DETR.Output) -> Tensor {
    let features = output.features
    let (n, queries, d) = features.queries.shape3
    let images = slots.map(\.image)
    let chosen = features.queries.reshaped(to: [n * queries, d]).gathered(0, slots.map { $0.image * queries + $0.query })
    return maskHead(bboxAttention(chosen, of: images, features.memory, features.mask), of: images, features)
  }
}

/// The network of a config: with or without masks.
public enum DETRModel: Module {
  case boxes(DETR)
  case masks(DETRSegmentation)

  public init(_ config: DETR.Config, _ random: inout Random) {
    self = config.masks ? .masks(DETRSegmentation(config, &random)) : .boxes(DETR(config, &random))
  }

  public var detr: DETR {
    switch self {
    case .boxes(let detr): detr
    case .masks(let segmentation): segmentation.detr
    }
  }

  public var segmentation: DETRSegmentation? {
    if case .masks(let segmentation) = self { segmentation } else { nil }
  }
}
