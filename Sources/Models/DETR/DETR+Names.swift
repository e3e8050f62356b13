import Base
import Networks
import Tensors
import WeightFiles

// The names of DETR's weights in files: the authors', which are ours; Hugging Face's; and a residual network of torchvision as a part.

extension DETRModel: PublishedModel {
  public static let title = "DETR"

  public static let published: [PublishedVariant] = {
    var list: [PublishedVariant] = []
    for (name, title, backbone) in [("r50", "R50", DETR.BackboneVariant.resnet50), ("r101", "R101", .resnet101)] {
      list.append(PublishedVariant("detr-\(name)", title: "DETR-\(title)") { DETRModel(DETR.Config(backbone), &$0) })
      list.append(PublishedVariant("detr-\(name)-panoptic", title: "panoptic DETR-\(title)") { DETRModel(.panoptic(backbone), &$0) })
    }
    return list
  }()

  public static let namings = [WeightNaming("huggingface") { try huggingFace($0, from: $1) }]

  /// The arrays of a file under official names, whoever named it: `module.` is taken away; Hugging Face's names are translated and their
  /// separate projections joined; a residual network of torchvision, or an HRNet of its authors, becomes the backbone, without its counts
  /// of batches. A network of ours whose normalisation learns from batches keeps these counts.
  public static func official(_ state: StateDictionary, from place: String) throws -> StateDictionary {
    let state = try state.renamed([("module.", "")], from: place)
    let names = Set(state.names)
    if names.contains("layer1.0.conv1.weight") {
      let counted = StateDictionary(state.unshared.entries.filter { !$0.name.hasSuffix(".num_batches_tracked") })
      return try counted.renamed([("", "backbone.0.body.")], from: place)
    }
    guard names.contains(where: { $0.hasSuffix("class_labels_classifier.weight") }) else { return state }
    return try state.renamed(from: place) { name in
      prefixed(name) { newerTable.ours(hubTable.ours($0)) }
    }.joiningProjections(from: place)
  }

  /// The names of Hugging Face's files, with separate projections of queries, keys and values.
  static func huggingFace(_ state: StateDictionary, from place: String) throws -> StateDictionary {
    try state.splittingProjections().renamed(from: place) { name in prefixed(name) { hubTable.theirs($0) } }
  }

  /// Translates the part of a name behind `detr.`, where it has that.
  private static func prefixed(_ name: String, _ translate: (String) -> String) -> String {
    let prefix = "detr."
    return name.hasPrefix(prefix) ? prefix + translate(String(name.dropFirst(prefix.count))) : translate(name)
  }

  /// The names of the files on the hub (of version 4 of the library).
  private static let hubTable = NameTable(layers { theirs in
    [
      ("transformer.encoder.layers.\(theirs).linear", "model.encoder.layers.\(theirs).fc"),
      ("transformer.encoder.layers.\(theirs).norm1.", "model.encoder.layers.\(theirs).self_attn_layer_norm."),
      ("transformer.encoder.layers.\(theirs).norm2.", "model.encoder.layers.\(theirs).final_layer_norm."),
      ("transformer.decoder.layers.\(theirs).linear", "model.decoder.layers.\(theirs).fc"),
      ("transformer.decoder.layers.\(theirs).norm1.", "model.decoder.layers.\(theirs).self_attn_layer_norm."),
      ("transformer.decoder.layers.\(theirs).norm2.", "model.decoder.layers.\(theirs).encoder_attn_layer_norm."),
      ("transformer.decoder.layers.\(theirs).norm3.", "model.decoder.layers.\(theirs).final_layer_norm."),
      ("transformer.decoder.layers.\(theirs).multihead_attn.", "model.decoder.layers.\(theirs).encoder_attn."),
    ]
  } + [
    ("transformer.decoder.norm.", "model.decoder.layernorm."),
    ("backbone.0.body.", "model.backbone.conv_encoder.model."),
    ("input_proj.", "model.input_projection."),
    ("query_embed.", "model.query_position_embeddings."),
    ("transformer.", "model."),  // what is left: the first rule that fits counts
    ("class_embed.", "class_labels_classifier."),
    ("bbox_embed.", "bbox_predictor."),
  ])

  /// What version 5 of the library calls otherwise, against the names after the table above.
  private static let newerTable = NameTable(layers { index in
    [
      ("transformer.encoder.layers.\(index).self_attn.out_proj.", "transformer.encoder.layers.\(index).self_attn.o_proj."),
      ("transformer.encoder.layers.\(index).linear", "transformer.encoder.layers.\(index).mlp.fc"),
      ("transformer.decoder.layers.\(index).self_attn.out_proj.", "transformer.decoder.layers.\(index).self_attn.o_proj."),
      ("transformer.decoder.layers.\(index).multihead_attn.out_proj.", "transformer.decoder.layers.\(index).multihead_attn.o_proj."),
      ("transformer.decoder.layers.\(index).linear", "transformer.decoder.layers.\(index).mlp.fc"),
    ]
  } + [
    ("backbone.0.body.", "transformer.backbone.model."),
    ("bbox_attention.q_linear.", "bbox_attention.q_proj."),
    ("bbox_attention.k_linear.", "bbox_attention.k_proj."),
    ("mask_head.lay#.", "mask_head.conv#.conv."),
    ("mask_head.gn#.", "mask_head.conv#.norm."),
    ("mask_head.out_lay.", "mask_head.output_conv."),
  ] + (0..<3).flatMap { stage in
    [
      ("mask_head.adapter\(stage + 1).", "mask_head.fpn_stages.\(stage).fpn_adapter."),
      ("mask_head.lay\(stage + 3).", "mask_head.fpn_stages.\(stage).refine.conv."),
      ("mask_head.gn\(stage + 3).", "mask_head.fpn_stages.\(stage).refine.norm."),
    ]
  })

  /// Rules for layers of one and of two digits.
  private static func layers(_ rules: (String) -> [(ours: String, theirs: String)]) -> [(ours: String, theirs: String)] {
    rules("##") + rules("#")
  }
}

extension DETR.Config {
  /// The network for things and stuff of COCO, with masks.
  public static func panoptic(_ backbone: DETR.BackboneVariant) -> DETR.Config {
    var config = DETR.Config(backbone)
    config.classes = 250
    config.masks = true
    return config
  }
}

extension StateDictionary {
  private static let projections = ["q_proj", "k_proj", "v_proj"]

  /// Queries, keys and values of every attention in one array, as PyTorch has them.
  fileprivate func joiningProjections(from place: String) throws -> StateDictionary {
    var result: [Safetensors.Entry] = []
    for entry in entries {
      guard let range = entry.name.range(of: ".q_proj.") else {
        if !entry.name.contains(".k_proj.") && !entry.name.contains(".v_proj.") { result.append(entry) }
        continue
      }
      let (block, kind) = (entry.name[..<range.lowerBound], entry.name[range.upperBound...])
      let parts = Self.projections.compactMap { self["\(block).\($0).\(kind)"]?.tensor }
      guard parts.count == 3, parts.allSatisfy({ $0.shape == parts[0].shape }) else {
        throw Failure(.badData, at: place, "the projections of '\(block)' are not all there, or not of one shape")
      }
      result.append(.init("\(block).in_proj_\(kind)", concatenate(parts, axis: 0)))
    }
    return StateDictionary(result)
  }

  /// The reverse.
  fileprivate func splittingProjections() -> StateDictionary {
    StateDictionary(unshared.entries.flatMap { entry -> [Safetensors.Entry] in
      guard let range = entry.name.range(of: ".in_proj_"), let tensor = entry.tensor else { return [entry] }
      let (block, kind) = (entry.name[..<range.lowerBound], entry.name[range.upperBound...])
      return zip(Self.projections, tensor.split(0, into: 3)).map { .init("\(block).\($0).\(kind)", $1) }
    })
  }
}
