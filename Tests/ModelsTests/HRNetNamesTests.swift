import Base
import Models
import Networks
import Tensors
import Testing
import WeightFiles

/// Files as the authors' scripts write them.
@Suite("HRNet's names") struct HRNetNamesTests {
  private func segmentation(hasContext: Bool = false, seed: UInt64 = 1) -> HRNetSegmentation {
    var config = HRNetSegmentation.Config()
    config.backbone = .narrow()
    config.objectContext.enabled = hasContext
    (config.objectContext.channels, config.objectContext.keyChannels) = (16, 8)
    var random = Random(seed: seed, stream: .test)
    return HRNetSegmentation(config, &random)
  }

  private func prefixed(_ state: StateDictionary, _ prefix: String) -> [Safetensors.Entry] {
    state.entries.map { $0.renamed(prefix + $0.name) }
  }

  @Test("a checkpoint of the wrapper of model and loss", arguments: ["", "model.", "module.model.", "module."])
  func wrapper(_ prefix: String) throws {
    let own = segmentation().stateDictionary()
    let file = StateDictionary(prefixed(own, prefix) + [.init("loss.criterion.weight", Tensor.ones([19]))])
    let official = try HRNetSegmentation.official(file, from: "best.pth")
    #expect(official.names == own.names)
    #expect(segmentation().incompatibleKeys(of: official).isEmpty)
  }

  @Test("a checkpoint of data-parallel training of pose") func parallel() throws {
    var random = Random(seed: 1, stream: .test)
    var config = HRNetPose.Config()
    config.backbone = .narrow()
    let own = HRNetPose(config, &random).stateDictionary()
    #expect(try HRNetPose.official(StateDictionary(prefixed(own, "module.")), from: "w").names == own.names)
  }

  @Test("scales of InPlaceABN become those of batch normalisation, and nothing else changes") func inPlaceABN() throws {
    let own = segmentation().stateDictionary()
    let negative = StateDictionary(own.entries.map { entry in
      entry.name == "stage2.0.branches.0.0.bn1.weight" ? .init(entry.name, Tensor([-0.5, 0.25, 0, 2], shape: [4])) : entry
    })
    let naming = try #require(HRNetSegmentation.namings.first { $0.name == "from-inplace-abn" })
    let converted = try naming.named(negative, "w")
    #expect(converted.names == own.names)
    let weight = try #require(converted["stage2.0.branches.0.0.bn1.weight"]?.tensor)
    #expect(zip(weight.doubles, [0.50001, 0.25001, 0.00001, 2.00001]).allSatisfy { abs($0 - $1) < 1e-6 })
    for entry in own.entries where own[entry.name.replacing(".weight", with: ".running_var")] == nil || !entry.name.hasSuffix(".weight") {
      guard let before = entry.tensor, let after = converted[entry.name]?.tensor else { continue }
      #expect(before.isIdentical(to: after), "\(entry.name)")
    }
  }

  @Test("the body of a classification network starts a pose network, and what is left is named") func initialization() throws {
    var random = Random(seed: 2, stream: .test)
    var classified = HRNetClassification.Config()
    (classified.backbone, classified.classes) = (.narrow(), 10)
    let file = try HRNetClassification.official(HRNetClassification(classified, &random).stateDictionary(), from: "imagenet.pth")
    var config = HRNetPose.Config()
    config.backbone = .narrow()
    let pose = HRNetPose(config, &random)
    var initialization = Initialization(from: "imagenet.pth")
    initialization.strict = false
    let lines = try initialization.apply(file, to: pose, from: "imagenet.pth")
    let names = pose.stateDictionary().names
    #expect(lines[0] == "initialize: \(names.count - 2) of \(names.count) arrays taken from imagenet.pth")
    #expect(lines[1].contains("2 arrays keep their values: final_layer.weight, final_layer.bias"))
    #expect(lines[2].contains("arrays of the file are not used: stage4.0.fuse_layers.1.0.0.0.weight"))
    for name in ["conv1.weight", "stage4.0.fuse_layers.0.3.1.running_var"] {
      let taken = try #require(pose.stateDictionary()[name]?.tensor)
      #expect(try #require(file[name]?.tensor).isIdentical(to: taken), "\(name)")
    }
  }

  @Test("the head of a plain network starts the auxiliary head") func auxiliaryHead() throws {
    let file = segmentation(seed: 3).stateDictionary()
    let network = segmentation(hasContext: true)
    var initialization = Initialization(from: "best.pth")
    (initialization.strict, initialization.rename) = (false, [Initialization.Renaming(from: "last_layer.", to: "aux_head.")])
    _ = try initialization.apply(file, to: network, from: "best.pth")
    let taken = try #require(network.stateDictionary()["aux_head.3.weight"]?.tensor)
    #expect(try #require(file["last_layer.3.weight"]?.tensor).isIdentical(to: taken))
  }

  @Test("a variant's mark is an array of its network", arguments: [HRNetPose.published, HRNetSegmentation.published].flatMap { $0 })
  func marks(_ variant: PublishedVariant) {
    guard variant.name.contains("small") || variant.name == "hrnet-pose-w32" else { return }  // the others are large
    #expect(variant.mayBe(variant.module().stateDictionary()))
    #expect(!variant.mayBe(segmentation().stateDictionary()))
  }
}
