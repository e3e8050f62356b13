import Base
import Networks
import Tensors
import WeightFiles

// The names of HRNet's weights in files: the authors', which are ours, with what their training scripts add.
//
// Weights of the classification network start the body of any other: `initialize: {from: hrnetv2_w48_imagenet.pth, strict: false}` takes
// what has a name here. A segmentation network without object context starts one with it by
// `rename: [{from: last_layer., to: aux_head.}]`, as the authors' code does.

extension HRNetPose: PublishedModel {
  public static let title = "HRNet"

  public static let published: [PublishedVariant] = [(HRNet.Variant.w32, 32), (.w48, 48)].map { variant, width in
    PublishedVariant(
      "hrnet-pose-w\(width)", title: "HRNet-W\(width) for pose", mark: ("final_layer.weight", [17, width, 1, 1])
    ) { HRNetPose(Config(variant), &$0) }
  }
}

extension HRNetClassification: PublishedModel {
  public static let published: [PublishedVariant] = HRNet.Variant.allCases.map { variant in
    let width = variant.preset.width
    let name = variant.configName.replacing("_", with: "-")
    return PublishedVariant(
      "hrnet-classification-\(name)", title: "HRNet-\(name.uppercased()) for classification",
      mark: ("incre_modules.0.0.conv1.weight", [32, width, 1, 1])
    ) { HRNetClassification(Config(variant), &$0) }
  }
}

extension HRNetSegmentation: PublishedModel {
  public static let title = "HRNet"

  public static let published: [PublishedVariant] = {
    var list = [HRNet.Variant.w18SmallV1, .w18SmallV2, .w48].map { variant in
      let channels = 15 * variant.preset.width
      let name = variant.configName.replacing("_", with: "-")
      return PublishedVariant(
        "hrnet-segmentation-\(name)", title: "HRNet-\(name.uppercased()) for segmentation",
        mark: ("last_layer.0.weight", [channels, channels, 1, 1])
      ) { HRNetSegmentation(Config(variant), &$0) }
    }
    var config = Config(.w48)
    (config.objectContext.enabled, config.alignCorners) = (true, true)
    list.append(PublishedVariant(
      "hrnet-segmentation-w48-ocr", title: "HRNet-W48 with object context", mark: ("cls_head.weight", [19, 512, 1, 1])
    ) { [config] in HRNetSegmentation(config, &$0) })
    return list
  }()

  /// Official names and values for ordinary batch normalisation, from a network trained with InPlaceABN.
  public static let namings = [WeightNaming("from-inplace-abn") { state, _ in state.withoutInPlaceABN() }]

  /// Takes away `module.` and the `model.` of the wrapper that the authors train, and leaves out the weights of its loss.
  public static func official(_ state: StateDictionary, from place: String) throws -> StateDictionary {
    let named = try state.renamed([("module.model.", ""), ("model.", ""), ("module.", "")], from: place).unshared
    return StateDictionary(named.entries.filter { !$0.name.hasPrefix("loss.") })
  }
}

extension StateDictionary {
  /// Ordinary batch normalisation in place of InPlaceABN, which scales by `|weight| + 1e-5`.
  ///
  /// The authors' files for PyTorch 0.4 (`torch04` in their names) need this, and no other file says of itself that it does: a Cityscapes
  /// W48 without it falls from 81 to about 76.6 mIoU.
  func withoutInPlaceABN() -> StateDictionary {
    StateDictionary(unshared.entries.map { entry in
      let ending = ".weight"
      guard entry.name.hasSuffix(ending), let weight = entry.tensor,
            self[entry.name.dropLast(ending.count) + ".running_var"] != nil else { return entry }
      return .init(entry.name, weight.abs() + 1e-5)
    })
  }
}
