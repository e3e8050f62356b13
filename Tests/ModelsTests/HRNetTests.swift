import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport

@Suite("HRNet") struct HRNetTests {
  private func random(_ seed: UInt64 = 1) -> Random { Random(seed: seed, stream: .test) }

  private func pose(_ change: (inout HRNetPose.Config) -> Void = { _ in }) -> HRNetPose {
    var config = HRNetPose.Config()
    config.backbone = .narrow()
    change(&config)
    var random = random()
    return HRNetPose(config, &random)
  }

  private func segmentation(_ change: (inout HRNetSegmentation.Config) -> Void = { _ in }) -> HRNetSegmentation {
    var config = HRNetSegmentation.Config()
    config.backbone = .narrow()
    (config.classes, config.objectContext.channels, config.objectContext.keyChannels) = (5, 16, 8)
    change(&config)
    var random = random()
    return HRNetSegmentation(config, &random)
  }

  private func image(_ n: Int, _ h: Int, _ w: Int) -> Tensor {
    var random = random(7)
    return .uniform([n, h, w, 3], from: -1, to: 1, &random)
  }

  // MARK: Published sizes

  @Test("parameters of published pose networks", arguments: BuildKind.some([
    (HRNet.Variant.w18, 9_318_215), (.w32, 28_536_113), (.w48, 63_595_745),
  ], inDebug: 1)) func posePublished(_ variant: HRNet.Variant, _ parameters: Int) {
    var random = random()
    let model = HRNetPose(HRNetPose.Config(variant), &random)
    #expect(model.parameterCount == parameters)
    #expect(model.stateDictionary().names.count == 1754 && model.parameters().count == 878)
  }

  @Test("parameters of published segmentation networks", arguments: BuildKind.some([
    (HRNet.Variant.w18SmallV1, 1_540_819, 435), (.w18SmallV2, 3_939_579, 873), (.w18, 9_641_119, 1839), (.w32, 29_546_515, 1839),
    (.w40, 45_894_435, 1839), (.w48, 65_859_379, 1839),
  ], inDebug: 2)) func segmentationPublished(_ variant: HRNet.Variant, _ parameters: Int, _ arrays: Int) {
    var random = random()
    let model = HRNetSegmentation(HRNetSegmentation.Config(variant), &random)
    #expect(model.parameterCount == parameters && model.stateDictionary().names.count == arrays)
  }

  @Test("parameters of the published network with object context") func contextPublished() {
    var random = random()
    var config = HRNetSegmentation.Config(.w48)
    config.objectContext.enabled = true
    let model = HRNetSegmentation(config, &random)
    #expect(model.parameterCount == 70_372_678 && model.stateDictionary().names.count == 1890)
    func count(_ prefix: String) -> Int { model.parameters().reduce(0) { $0 + ($1.name.hasPrefix(prefix) ? $1.parameter.value.count : 0) } }
    #expect(["conv3x3_ocr.", "ocr_distri_head.", "cls_head.", "aux_head."].map(count) == [3_319_296, 1_184_256, 9747, 534_259])
  }

  @Test("parameters of published classification networks", arguments: BuildKind.some([
    (HRNet.Variant.w18SmallV1, 13_187_464), (.w18SmallV2, 15_597_464), (.w18, 21_299_004), (.w30, 37_712_220), (.w32, 41_232_680),
    (.w40, 57_557_160), (.w44, 67_064_984), (.w48, 77_469_864), (.w64, 128_059_944),
  ], inDebug: 1)) func classificationPublished(_ variant: HRNet.Variant, _ parameters: Int) {
    var random = random()
    let model = HRNetClassification(HRNetClassification.Config(variant), &random)
    #expect(model.parameterCount == parameters)
    #expect(variant == .w18SmallV1 || variant == .w18SmallV2 || model.stateDictionary().names.count == 1956)
  }

  // MARK: Variants

  @Test("shapes of heatmaps", arguments: Representation.allCases) func poseShapes(_ representation: Representation) {
    let model = pose { $0.representation = representation }
    #expect(model(image(2, 64, 96), .evaluation).shape == [2, 16, 24, 17])
  }

  @Test("shapes of label maps, of images of any size", arguments: Representation.allCases, [false, true])
  func segmentationShapes(_ representation: Representation, _ hasContext: Bool) {
    let model = segmentation { ($0.representation, $0.objectContext.enabled) = (representation, hasContext) }
    let output = model(image(2, 75, 90), .evaluation)
    #expect(output.logits.shape == [2, 19, 23, 5] && output.aux?.shape == (hasContext ? [2, 19, 23, 5] : nil))
  }

  @Test("fusions of the ablations", arguments: [(HRNet.Fusion.everyUnit, 8), (.acrossStages, 3), (.final, 1)])
  func fusions(_ fusion: HRNet.Fusion, _ count: Int) {
    let model = pose { config in
      config.backbone.stages = [(1, [4, 8]), (4, [4, 8, 16]), (3, [4, 8, 16, 32])].map { HRNet.Stage(modules: $0, blocks: 1, widths: $1) }
      config.backbone.fusion = fusion
    }
    let names = model.parameters().map(\.name).filter { $0.contains(".fuse_layers.0.1.0.") }
    #expect(names.count == count)
    #expect(model(image(1, 32, 64), .evaluation).shape == [1, 8, 16, 17])
  }

  @Test("all resolutions from the beginning, and bilinear downsampling") func otherBodies() {
    let early = pose { $0.backbone.resolutions = .all }
    let names = early.parameters().map(\.name)
    #expect(names.contains("transition1.3.2.0.weight") && names.contains("stage2.0.branches.3.0.conv1.weight"))
    #expect(!names.contains { $0.hasPrefix("transition2") })
    #expect(early(image(1, 64, 32), .evaluation).shape == [1, 16, 8, 17])
    let bilinear = segmentation { $0.backbone.downsampling = .bilinear }
    #expect(bilinear.parameters().contains { $0.name == "stage4.0.fuse_layers.3.0.0.weight" && $0.parameter.shape == [1, 1, 4, 32] })
    #expect(bilinear(image(1, 70, 50), .evaluation).logits.shape == [1, 18, 13, 5])
  }

  @Test("every parameter learns", arguments: Representation.allCases, HRNet.Fusion.allCases)
  func gradients(_ representation: Representation, _ fusion: HRNet.Fusion) throws {
    let model = segmentation { ($0.representation, $0.backbone.fusion, $0.objectContext.enabled) = (representation, fusion, true) }
    let output = model(image(2, 64, 64), Pass(.training))
    let aux = try #require(output.aux)
    let gradients = (output.logits.squared().mean() + aux.squared().mean()).gradients()
    for (name, parameter) in model.parameters() { #expect(gradients[parameter] != nil, "\(name)") }
  }

  @Test("what runs again in the backward pass gives the same bits") func recomputation() throws {
    func step(recompute: Bool) -> (HRNetPose, Gradients) {
      let model = pose { ($0.backbone.recompute, $0.backbone.layer1Blocks) = (recompute, 3) }
      let gradients = model(image(2, 64, 64), Pass(.training)).squared().mean().gradients()
      return (model, gradients)
    }
    let (plain, again) = (step(recompute: false), step(recompute: true))
    for (one, other) in zip(plain.0.parameters(), again.0.parameters()) {
      let expected = try #require(plain.1[one.parameter])
      #expect(try #require(again.1[other.parameter]).isIdentical(to: expected), "\(one.name)")
    }
    for (one, other) in zip(plain.0.buffers(), again.0.buffers()) {
      #expect(one.buffer.value.isIdentical(to: other.buffer.value), "\(one.name)")
    }
  }

  @Test("images whose size does not halve often enough") func badSize() async {
    await #expect(processExitsWith: .failure) {
      var random = Random(seed: 1, stream: .test)
      var config = HRNetPose.Config()
      config.backbone = .narrow()
      _ = HRNetPose(config, &random)(.zeros([1, 64, 48, 3]), .evaluation)
    }
  }

  @Test("mistakes of a config") func problems() {
    var config = HRNet.Config()
    #expect(config.problems().isEmpty && HRNet.Config.narrow().problems().isEmpty)
    config.stages = [HRNet.Stage(modules: 0, blocks: 1, widths: [4, 8]), HRNet.Stage(modules: 1, blocks: 1, widths: [4])]
    config.width = 8
    #expect(Set(config.problems().map(\.key)) == ["stages", "width", "stages.0.modules", "stages.1.widths"])
  }

  @Test("evaluation folds batch normalisation into the convolutions, to the same numbers") func folding() {
    let model = pose()
    model.convert(to: .float64)
    let x = image(2, 64, 64).converted(to: .float64)
    _ = model(x, Pass(.training))
    let folded = model(x, .evaluation)
    let normalised = model(x, Pass(.training, frozenNormalization: true))
    #expect((folded - normalised).abs().max().item <= 1e-12 * folded.abs().max().item)
  }
}
