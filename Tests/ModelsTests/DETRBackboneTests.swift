import Base
import Models
import Networks
import Tensors
import Testing

/// HRNet with its pyramid as DETR's backbone.
@Suite("DETR on HRNet") struct DETRBackboneTests {
  private func model(masks: Bool) -> DETRModel {
    var config = DETR.Config(.hrnetW18)
    (config.backbone.width, config.backbone.norm) = (4, .batch)
    (config.hidden, config.heads, config.feedForward, config.masks) = (masks ? 128 : 32, 8, 32, masks)
    (config.encoderLayers, config.decoderLayers, config.dropout) = (1, 1, 0)
    (config.queries, config.classes) = (6, 3)
    var random = Random(seed: 4, stream: .test)
    return DETRModel(config, &random)
  }

  /// Of sizes that are no multiples of 32.
  private var images: PaddedImages {
    var random = Random(seed: 5, stream: .test)
    let sizes = [Extent(height: 100, width: 70), Extent(height: 67, width: 110)]
    return PaddedImages(pixels: .uniform([2, 100, 110, 3], from: -2, to: 2, &random), sizes: sizes)
  }

  @Test("shapes, names, and a gradient of every parameter", arguments: [false, true]) func learns(_ masks: Bool) throws {
    let model = model(masks: masks)
    let output = model.detr(images, Pass(.training))
    #expect(output.last.logits.shape == [2, 6, 4] && output.last.boxes.shape == [2, 6, 4])
    var loss = output.logits.squared().sum() + output.boxes.sum()
    if let segmentation = model.segmentation {
      let slots = (0..<2).flatMap { image in (0..<6).map { (image: image, query: $0) } }
      let maps = segmentation.masks(of: slots, output)
      #expect(maps.shape == [12, 25, 28])
      loss = loss + maps.squared().mean()
    }
    let names = model.parameters().map(\.name)
    let prefix = (masks ? "detr." : "") + "backbone.0.body."
    #expect(names.contains(prefix + "stage4.2.branches.3.3.conv2.weight") && names.contains(prefix + "neck.fpn_conv.3.bias"))
    #expect(names.contains(prefix + "neck.fpn_conv.0.bias") == masks)
    let gradients = loss.gradients()
    for (name, parameter) in model.parameters() { #expect(gradients[parameter] != nil, "\(name)") }
  }

  @Test("an ImageNet file starts the backbone") func imageNet() throws {
    var random = Random(seed: 6, stream: .test)
    var classified = HRNetClassification.Config(.w18)
    (classified.backbone.width, classified.classes) = (4, 10)
    let file = HRNetClassification(classified, &random).stateDictionary()
    let model = model(masks: false)
    var initialization = Initialization(from: "w")
    initialization.strict = false
    _ = try initialization.apply(DETRModel.official(file, from: "w"), to: model, from: "w")
    let taken = try #require(model.stateDictionary()["backbone.0.body.transition3.3.0.0.weight"]?.tensor)
    #expect(try #require(file["transition3.3.0.0.weight"]?.tensor).isIdentical(to: taken))
  }
}
