import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// The names of other publishers' files, both ways: detection and, under the prefix `detr.`, segmentation.
@Suite("DETR's names") struct DETRNamesTests {
  /// As many arrays as DETR-R50 has, narrow ones.
  private static func model(masks: Bool) -> DETRModel {
    var random = Random(seed: 8, stream: .initialization)
    var config = DETR.Config()
    config.backbone.width = 4
    (config.hidden, config.feedForward, config.masks) = (masks ? 128 : 32, 16, masks)
    return DETRModel(config, &random)
  }

  private static func hub(_ state: StateDictionary) throws -> StateDictionary {
    let naming = try #require(DETRModel.namings.first { $0.name == "huggingface" })
    return try naming.named(state, "w")
  }

  /// Whether both hold the same names, shapes and bits.
  private static func expectEqual(_ a: StateDictionary, _ b: StateDictionary, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(a.names.sorted() == b.names.sorted(), sourceLocation: sourceLocation)
    for entry in a.entries {
      guard let x = entry.tensor, let y = b[entry.name]?.tensor else { continue }
      #expect(x.shape == y.shape && x.isIdentical(to: y), "\(entry.name)", sourceLocation: sourceLocation)
    }
  }

  @Test("official names become Hugging Face's and back", arguments: [(false, 458, 530), (true, 490, 562)])
  func bothWays(_ masks: Bool, _ count: Int, _ splitCount: Int) throws {
    let official = Self.model(masks: masks).stateDictionary().unshared
    #expect(official.entries.count == count)
    let hub = try Self.hub(official)
    #expect(hub.entries.count == splitCount && Set(hub.names).count == splitCount)
    Self.expectEqual(try DETRModel.official(hub, from: "w"), official)
  }

  /// The table of names, one of each kind.
  @Test("names on the hub") func hubNames() throws {
    let detection = try Self.hub(Self.model(masks: false).stateDictionary())
    let expected: [(name: String, shape: [Int])] = [
      ("model.backbone.conv_encoder.model.conv1.weight", [4, 3, 7, 7]),
      ("model.backbone.conv_encoder.model.layer4.0.downsample.1.running_var", [128]),
      ("model.encoder.layers.0.self_attn.q_proj.weight", [32, 32]),
      ("model.encoder.layers.5.self_attn.v_proj.bias", [32]),
      ("model.encoder.layers.5.self_attn.out_proj.weight", [32, 32]),
      ("model.encoder.layers.1.self_attn_layer_norm.weight", [32]),
      ("model.encoder.layers.1.final_layer_norm.bias", [32]),
      ("model.encoder.layers.2.fc1.weight", [16, 32]),
      ("model.decoder.layers.2.fc2.weight", [32, 16]),
      ("model.decoder.layers.3.self_attn.k_proj.weight", [32, 32]),
      ("model.decoder.layers.3.encoder_attn.k_proj.weight", [32, 32]),
      ("model.decoder.layers.3.encoder_attn.out_proj.bias", [32]),
      ("model.decoder.layers.4.self_attn_layer_norm.weight", [32]),
      ("model.decoder.layers.4.encoder_attn_layer_norm.weight", [32]),
      ("model.decoder.layers.4.final_layer_norm.weight", [32]),
      ("model.decoder.layernorm.weight", [32]),
      ("model.input_projection.weight", [32, 128, 1, 1]),
      ("model.query_position_embeddings.weight", [100, 32]),
      ("class_labels_classifier.bias", [92]),
      ("bbox_predictor.layers.2.weight", [4, 32]),
    ]
    for (name, shape) in expected { #expect(detection[name]?.shape == shape, "\(name)") }
    #expect(detection.names.allSatisfy { $0.hasPrefix("model.") || $0.hasPrefix("class_labels") || $0.hasPrefix("bbox_predictor") })
    let segmentation = try Self.hub(Self.model(masks: true).stateDictionary())
    for (name, shape) in [
      ("detr.model.decoder.layers.3.encoder_attn.q_proj.weight", [128, 128]), ("detr.bbox_predictor.layers.0.bias", [128]),
      ("bbox_attention.q_linear.weight", [128, 128]), ("mask_head.lay1.weight", [136, 136, 3, 3]), ("mask_head.adapter3.bias", [16]),
    ] {
      #expect(segmentation[name]?.shape == shape, "\(name)")
    }
  }

  @Test("the order of joined projections is that of queries, keys and values") func order() throws {
    let official = Self.model(masks: false).stateDictionary()
    let packed = try #require(official["transformer.decoder.layers.2.multihead_attn.in_proj_weight"]?.tensor)
    let hub = try Self.hub(official)
    for (index, part) in ["q_proj", "k_proj", "v_proj"].enumerated() {
      let found = try #require(hub["model.decoder.layers.2.encoder_attn.\(part).weight"]?.tensor)
      #expect(found.isIdentical(to: packed.sliced(0, 32 * index..<32 * (index + 1))), "\(part)")
    }
  }

  /// What version 5 of the library calls the arrays in memory, and in what it saves.
  private static func newer(_ name: String) -> String {
    var name = name
    func replace(_ old: String, _ new: String) { name = name.replacing(old, with: new) }
    replace("model.backbone.conv_encoder.model.", "model.backbone.model.")
    replace("_attn.out_proj.", "_attn.o_proj.")
    for part in ["fc1", "fc2"] { replace(".\(part).", ".mlp.\(part).") }
    for part in ["q", "k"] { replace("bbox_attention.\(part)_linear.", "bbox_attention.\(part)_proj.") }
    for layer in 1...2 {
      replace("mask_head.lay\(layer).", "mask_head.conv\(layer).conv.")
      replace("mask_head.gn\(layer).", "mask_head.conv\(layer).norm.")
    }
    for stage in 0...2 {
      replace("mask_head.adapter\(stage + 1).", "mask_head.fpn_stages.\(stage).fpn_adapter.")
      replace("mask_head.lay\(stage + 3).", "mask_head.fpn_stages.\(stage).refine.conv.")
      replace("mask_head.gn\(stage + 3).", "mask_head.fpn_stages.\(stage).refine.norm.")
    }
    replace("mask_head.out_lay.", "mask_head.output_conv.")
    return name
  }

  @Test("version 5's names are read, too", arguments: [false, true]) func newerNames(_ masks: Bool) throws {
    let official = Self.model(masks: masks).stateDictionary().unshared
    let hub = try Self.hub(official)
    let newer = try hub.renamed(from: "w", Self.newer)
    #expect(zip(hub.names, newer.names).count { $0 != $1 } > 300)
    Self.expectEqual(try DETRModel.official(newer, from: "w"), official)
  }

  @Test("a wrapper's prefix is taken away, and torchvision's network becomes the backbone") func others() throws {
    let official = Self.model(masks: false).stateDictionary().unshared
    let wrapped = StateDictionary(official.entries.map { $0.renamed("module.\($0.name)") })
    Self.expectEqual(try DETRModel.official(wrapped, from: "w"), official)
    let prefix = "backbone.0.body."
    let backbone = official.entries.filter { $0.name.hasPrefix(prefix) }
    let torchvision = StateDictionary(
      backbone.map { $0.renamed(String($0.name.dropFirst(prefix.count))) } + [.init("bn1.num_batches_tracked", Tensor(3.0))])
    #expect(torchvision.names.contains("layer1.0.conv1.weight"))
    Self.expectEqual(try DETRModel.official(torchvision, from: "w"), StateDictionary(backbone))
    // Official names stay as they are.
    Self.expectEqual(try DETRModel.official(official, from: "w"), official)
  }

  @Test("a network whose backbone learns statistics reads what it writes") func batchStatistics() throws {
    var random = Random(seed: 8, stream: .initialization)
    var config = DETR.Config(.resnet18)
    (config.backbone.width, config.backbone.norm, config.hidden, config.feedForward) = (4, .batch, 32, 16)
    let model = DETRModel(config, &random)
    let state = model.stateDictionary()
    #expect(state.names.contains("backbone.0.body.bn1.num_batches_tracked"))
    #expect(model.incompatibleKeys(of: try DETRModel.official(state, from: "w")).isEmpty)
    #expect(model.incompatibleKeys(of: try DETRModel.official(Self.hub(state), from: "w")).isEmpty)
  }

  @Test("a missing projection is named") func incomplete() throws {
    let hub = try Self.hub(Self.model(masks: false).stateDictionary())
    let broken = StateDictionary(hub.entries.filter { $0.name != "model.encoder.layers.0.self_attn.k_proj.bias" })
    let failure = #expect(throws: Failure.self) { try DETRModel.official(broken, from: "w.safetensors") }
    #expect(failure?.kind == .badData && failure?.place == "w.safetensors")
    #expect(failure?.problem.contains("transformer.encoder.layers.0.self_attn") == true)
  }
}
