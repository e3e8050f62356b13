import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport

/// The variants of the paper's ablations: sizes, and that each learns with all of its parameters.
@Suite("DETR's variants") struct DETRVariantTests {
  private static func model(_ config: DETR.Config, seed: UInt64 = 3) -> DETRModel {
    var random = Random(seed: seed, stream: .initialization)
    return DETRModel(config, &random)
  }

  /// Parameters that are trained as the authors train: without the backbone's stem and first stage.
  private static func trained(_ change: (inout DETR.Config) -> Void) throws -> Int {
    var config = DETR.Config()
    change(&config)
    let model = model(config)
    try model.freeze(["*backbone.0.body.conv1.*", "*backbone.0.body.layer1.*"])
    return model.parameters().reduce(0) { $0 + ($1.parameter.isFrozen ? 0 : $1.parameter.value.count) }
  }

  /// Tables 2 and 4, in millions: 33.4, 37.4, 41.3, 49.2; 28.7 without the feed-forward parts.
  @Test("trained parameters of the ablations") func parametersOfAblations() throws {
    let counts = try [0, 3, 6, 12].map { layers in try Self.trained { $0.encoderLayers = layers } }
    #expect(counts == [33_411_936, 37_357_152, 41_302_368, 49_192_800])
    #expect(try Self.trained { $0.feedForward = 0 } == 28_685_664)
    #expect(try Self.trained { $0.backbone.dilation = true } == 41_302_368)
    #expect(try Self.trained { ($0.encoderPositions, $0.decoderPositions) = (.none, .none) } == 41_302_368)
    // Two tables of 50 rows.
    #expect(try Self.trained { $0.encoderPositions = .learned } == 41_302_368 + 2 * 50 * 128)
  }

  @Test("parameters of the published networks") func publishedParameters() {
    let counts = DETRModel.published.map { ($0.name, $0.module().parameterCount) }
    #expect(Dictionary(uniqueKeysWithValues: counts) == [
      "detr-r50": 41_524_768, "detr-r101": 60_464_672, "detr-r50-panoptic": 42_899_288, "detr-r101-panoptic": 61_839_192,
    ])
  }

  // MARK: Small networks

  private static var small: DETR.Config {
    var config = DETR.Config(.resnet18)
    (config.backbone.width, config.backbone.stages) = (8, [1, 1, 1, 1])
    (config.hidden, config.heads, config.feedForward) = (32, 4, 32)
    (config.encoderLayers, config.decoderLayers, config.dropout) = (1, 2, 0)
    (config.queries, config.classes) = (6, 3)
    return config
  }

  /// Two images of different sizes on one canvas.
  private static var images: PaddedImages {
    var random = Random(seed: 5, stream: .test)
    let sizes = [Extent(height: 96, width: 64), Extent(height: 64, width: 96)]
    return PaddedImages(pixels: .uniform([2, 96, 96, 3], from: -2, to: 2, &random), sizes: sizes)
  }

  private static let targets = [
    DetectionTarget(labels: [0, 2, 1], boxes: [[0.3, 0.3, 0.2, 0.4], [0.7, 0.6, 0.3, 0.3], [0.5, 0.2, 0.1, 0.1]]),
    DetectionTarget(labels: [1], boxes: [[0.5, 0.5, 0.8, 0.6]]),
  ]

  static let changes: [(name: String, change: @Sendable (inout DETR.Config) -> Void)] = [
    ("as published", { _ in }),
    ("no encoder", { $0.encoderLayers = 0 }),
    ("no feed-forward parts", { $0.feedForward = 0 }),
    ("pre-norm", { $0.preNorm = true }),
    ("pre-norm without an encoder", { ($0.preNorm, $0.encoderLayers) = (true, 0) }),
    ("no positions", { ($0.encoderPositions, $0.decoderPositions) = (.none, .none) }),
    ("no positions in the encoder", { $0.encoderPositions = .none }),
    ("learned positions", { ($0.encoderPositions, $0.decoderPositions) = (.learned, .learned) }),
    ("learned in the encoder, sine in the decoder", { $0.encoderPositions = .learned }),
    ("sine positions at the input", { $0.positionsAt = .input }),
    ("learned positions at the input", { ($0.positionsAt, $0.encoderPositions, $0.decoderPositions) = (.input, .learned, .learned) }),
    ("no positions, queries at the input", {
      ($0.positionsAt, $0.encoderPositions, $0.decoderPositions) = (.input, .none, .none)
    }),
    ("fewer slots than objects", { $0.queries = 2 }),
    ("one decoder layer", { $0.decoderLayers = 1 }),
    ("dilated", { $0.backbone.dilation = true }),
    ("bottlenecks", { $0.backbone.variant = .resnet50 }),
  ]

  /// The first self-attention of the decoder sees zeros, and its biases begin at zero, unless queries enter at the input.
  private static let nullGradients = Set(["self_attn.in_proj_weight", "self_attn.out_proj.weight", "norm1.weight", "norm2.weight"].map {
    "transformer.decoder.layers.0.\($0)"
  })

  @Test("every parameter gets a gradient, and evaluation equals training", arguments: changes.indices)
  func gradients(_ index: Int) throws {
    let item = Self.changes[index]
    var config = Self.small
    item.change(&config)
    let model = Self.model(config)
    let output = model.detr(Self.images, Pass(.training))
    #expect(output.layers == config.decoderLayers && output.last.boxes.shape == [2, config.queries, 4])
    let report = try SetLoss()(output, Self.targets)
    #expect(report.pairs.map(\.count) == (0..<config.decoderLayers).flatMap { _ in [min(3, config.queries), 1] })
    let gradients = report.total.gradients()
    for (name, parameter) in model.parameters() {
      let gradient = try #require(gradients[parameter], "\(item.name): \(name)")
      let isNull = config.positionsAt == .attention && Self.nullGradients.contains(name)
        && (config.preNorm || !name.hasSuffix("norm2.weight"))
      #expect(gradient.isFinite && (isNull || gradient.abs().max().item > 0), "\(item.name): \(name)")
    }
    let estimate = noGradient { model.detr(Self.images, auxiliary: false, .evaluation) }
    #expect(estimate.layers == 1)
    #expect(difference(estimate.last.logits, output.last.logits.detached(), absolute: 1e-4) == nil, "\(item.name)")
    #expect(difference(estimate.last.boxes, output.last.boxes.detached(), absolute: 1e-4) == nil, "\(item.name)")
  }

  @Test("the variants are different networks with the same weights") func differences() {
    func logits(_ change: (inout DETR.Config) -> Void) -> Tensor {
      var config = Self.small
      change(&config)
      return noGradient { Self.model(config).detr(Self.images, auxiliary: false, .evaluation).last.logits }
    }
    let all = [
      logits { _ in }, logits { $0.preNorm = true }, logits { $0.encoderPositions = .none }, logits { $0.decoderPositions = .none },
      logits { $0.positionsAt = .input },
    ]
    for i in all.indices { for j in 0..<i { #expect(!all[i].isIdentical(to: all[j]), "\(i) and \(j)") } }
  }

  @Test("an image in a batch is as if it were alone on the canvas", arguments: changes.indices) func alone(_ index: Int) {
    var config = Self.small
    Self.changes[index].change(&config)
    let model = Self.model(config)
    let images = Self.images
    let together = noGradient { model.detr(images, auxiliary: false, .evaluation).last }
    for image in 0..<2 {
      let single = PaddedImages(pixels: images.pixels.sliced(0, image..<image + 1), sizes: [images.sizes[image]])
      let found = noGradient { model.detr(single, auxiliary: false, .evaluation).last }
      #expect(difference(found.logits, together.logits.sliced(0, image..<image + 1), absolute: 1e-4) == nil, "\(Self.changes[index].name)")
      #expect(difference(found.boxes, together.boxes.sliced(0, image..<image + 1), absolute: 1e-4) == nil, "\(Self.changes[index].name)")
    }
  }

  // MARK: Losses

  @Test("losses that are left out, and the auxiliary ones") func losses() throws {
    let model = Self.model(Self.small)
    let output = model.detr(Self.images, Pass(.training))
    let report = try SetLoss()(output, Self.targets)
    let terms = Dictionary(uniqueKeysWithValues: report.terms.map { ($0.name, $0.value.item) })
    #expect(Set(terms.keys) == ["loss_ce", "loss_bbox", "loss_giou", "loss_ce_0", "loss_bbox_0", "loss_giou_0"])
    func total(_ change: (inout SetLoss) -> Void) throws -> Double {
      var loss = SetLoss()
      change(&loss)
      return try loss(output, Self.targets).total.item
    }
    func sum(_ name: String) -> Double { (terms[name] ?? .nan) + (terms["\(name)_0"] ?? .nan) }
    #expect(abs(report.total.item - (sum("loss_ce") + 5 * sum("loss_bbox") + 2 * sum("loss_giou"))) < 1e-4)
    #expect(abs(try total { $0.bbox = 0 } - (sum("loss_ce") + 2 * sum("loss_giou"))) < 1e-4)
    #expect(abs(try total { $0.giou = 0 } - (sum("loss_ce") + 5 * sum("loss_bbox"))) < 1e-4)
    #expect(abs(try total { ($0.bbox, $0.giou) = (0, 0) } - sum("loss_ce")) < 1e-4)
  }

  @Test("matching in fixed order takes the slots as they come") func fixedOrder() throws {
    let output = Self.model(Self.small).detr(Self.images, Pass(.training))
    var loss = SetLoss()
    loss.matching.method = .fixedOrder
    let fixed = try loss(output, Self.targets).pairs
    #expect(fixed.map { $0.map(\.query) } == [[0, 1, 2], [0], [0, 1, 2], [0]])
    #expect(fixed.map { $0.map(\.target) } == [[0, 1, 2], [0], [0, 1, 2], [0]])
  }

  @Test("images without objects cost their slots, and have a gradient") func nothing() throws {
    let model = Self.model(Self.small)
    let empty = DetectionTarget(labels: [], boxes: [])
    let report = try SetLoss()(model.detr(Self.images, Pass(.training)), [empty, empty])
    let terms = Dictionary(uniqueKeysWithValues: report.terms.map { ($0.name, $0.value.item) })
    #expect(terms["loss_bbox"] == 0 && terms["loss_giou"] == 0 && (terms["loss_ce"] ?? 0) > 0)
    #expect(report.classError == 100)
    let gradients = report.total.gradients()
    for (name, parameter) in model.parameters() where name.hasPrefix("class_embed") {
      #expect(try #require(gradients[parameter]).abs().max().item > 0)
    }
  }

  @Test("NaN in the outputs is divergence, not an error of the matching", arguments: [
    ("class_embed.bias", Double.nan), ("class_embed.bias", .infinity), ("bbox_embed.layers.2.bias", .nan),
  ])
  func notANumber(_ name: String, _ value: Double) throws {
    let model = Self.model(Self.small)
    for (found, parameter) in model.parameters() where found == name { parameter.value = Tensor(filling: parameter.shape, with: value) }
    for method in [SetMatching.Method.hungarian, .fixedOrder] {
      var loss = SetLoss()
      loss.matching.method = method
      let failure = #expect(throws: Failure.self) { try loss(model.detr(Self.images, Pass(.training)), Self.targets) }
      #expect(failure?.kind == .diverged && failure?.place == "matching" && failure?.kind.exitCode == 70)
    }
  }
}
