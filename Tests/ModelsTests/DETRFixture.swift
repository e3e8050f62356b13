import Base
import Foundation
import Models
import Networks
import Tensors
import TestSupport
import WeightFiles

/// DETR with the fixture's weights and inputs, as the official code ran it.
struct DETRFixture {
  /// One file of reference values each.
  enum Case: String, CaseIterable, Sendable {
    case narrow = "detr_narrow", prenorm = "detr_prenorm", dc5 = "detr_dc5", panoptic = "detr_panoptic", r50 = "detr_r50"

    static let trained = allCases.filter { $0 != .dc5 }
  }

  /// What the file says of the network and the inputs.
  struct Settings: Decodable {
    let block, position: String
    let blocks: [Int]
    let width, hidden, heads, feedforward, encoderLayers, decoderLayers, queries, classes, noise, things: Int
    let dc5, preNorm, masks: Bool
    let sizes, originalSizes: [[Int]]
    let panopticThreshold: Double
  }

  let item: Case
  let fixture: Fixture
  let settings: Settings
  let model: DETRModel
  let images: PaddedImages
  let targets: [DetectionTarget]
  let precision: Precision
  /// Parameters whose exact gradient is zero.
  let nullGradients: Set<String>

  init(_ item: Case, _ precision: Precision) throws {
    self.item = item
    self.precision = precision
    fixture = try Fixture(item.rawValue)
    settings = try Self.decoded(fixture, "settings")
    nullGradients = Set(try Self.decoded(fixture, "null_gradients", as: [String].self))
    var random = Random(seed: 0, stream: .test)
    model = DETRModel(Self.config(settings), &random)
    model.convert(to: precision)
    try model.load(StateDictionary(Self.names(item).map { name, shape in
      .init(name, Tensor(Self.weights(name, shape), shape: shape, precision: .float64))
    }))
    // As the official code: the backbone's stem and first stage are not trained.
    try model.freeze(["*backbone.0.body.conv1.*", "*backbone.0.body.layer1.*"])
    images = Self.images(settings, precision)
    targets = try Self.targets(fixture, settings)
  }

  static func decoded<Value: Decodable>(_ fixture: Fixture, _ key: String, as: Value.Type = Value.self) throws -> Value {
    guard let text = fixture.file.metadata[key] else { throw Fixture.Missing(description: "no metadata '\(key)'") }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Value.self, from: Data(text.utf8))
  }

  private static func config(_ settings: Settings) -> DETR.Config {
    var config = DETR.Config(settings.block == "basic" ? .resnet18 : .resnet50)
    (config.backbone.width, config.backbone.stages, config.backbone.dilation) = (settings.width, settings.blocks, settings.dc5)
    (config.hidden, config.heads, config.feedForward) = (settings.hidden, settings.heads, settings.feedforward)
    (config.encoderLayers, config.decoderLayers) = (settings.encoderLayers, settings.decoderLayers)
    (config.queries, config.classes, config.masks) = (settings.queries, settings.classes, settings.masks)
    (config.preNorm, config.dropout) = (settings.preNorm, 0)
    let encoding: PositionEncoding = settings.position == "learned" ? .learned : .sine
    (config.encoderPositions, config.decoderPositions) = (encoding, encoding)
    return config
  }

  /// Official names and shapes, in order.
  static func names(_ item: Case) throws -> [(name: String, shape: [Int])] {
    if item == .r50 { return try names("detr_r50_names.json") }
    return try decoded(Fixture(item.rawValue), "names", as: [Row].self).map { ($0.name, $0.shape) }
  }

  static func names(_ file: String) throws -> [(name: String, shape: [Int])] {
    try Fixture.json(file, as: [NamedShape].self).map { ($0.name, $0.shape) }
  }

  private struct NamedShape: Decodable {
    let name: String
    let shape: [Int]
  }

  /// `["name", [1, 2]]`.
  struct Row: Decodable {
    let name: String
    let shape: [Int]

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      name = try values.decode(String.self)
      shape = try values.decode([Int].self)
    }
  }

  /// RAFT's formula, times a gain that sets classes, boxes and positions apart.
  static func weights(_ name: String, _ shape: [Int]) -> [Double] {
    let gains = [
      "class_embed.weight": 4.0, "bbox_embed.layers.2.weight": 4, "query_embed.weight": 16, "row_embed.weight": 8, "col_embed.weight": 8,
    ]
    let values = FixtureHash.weights(name, shape)
    guard let gain = gains.first(where: { name.hasSuffix($0.key) })?.value else { return values }
    return values.map { $0 * gain }
  }

  private static func images(_ settings: Settings, _ precision: Precision) -> PaddedImages {
    let sizes = settings.sizes.map { Extent(height: $0[0], width: $0[1]) }
    let canvas = Extent(height: sizes.map(\.height).max() ?? 1, width: sizes.map(\.width).max() ?? 1)
    var values = [Double](repeating: 0, count: sizes.count * canvas.height * canvas.width * 3)
    for (i, size) in sizes.enumerated() {
      let noise = FixtureHash.key("noise.\(settings.noise).\(i)")
      let s = Double(i)
      for c in 0..<3 { for y in 0..<size.height { for x in 0..<size.width {
        let (a, b, k) = (Double(x), Double(y), Double(c))
        let waves = 1.2 * sin(0.11 * a + 0.07 * b + 0.9 * k + 1.3 * s) + 0.8 * cos(0.05 * a - 0.13 * b + 0.5 * k + 0.7 * s)
        let value = waves + FixtureHash.fraction(noise, (c * size.height + y) * size.width + x) - 0.5
        values[((i * canvas.height + y) * canvas.width + x) * 3 + c] = (64 * value + 0.5).rounded(.down) / 64
      } } }
    }
    return PaddedImages(pixels: Tensor(values, shape: [sizes.count, canvas.height, canvas.width, 3], precision: precision), sizes: sizes)
  }

  private static func targets(_ fixture: Fixture, _ settings: Settings) throws -> [DetectionTarget] {
    try settings.sizes.enumerated().map { i, size in
      let labels = try fixture.integers("target/labels.\(i)")
      let values = try fixture.tensor("target/boxes.\(i)").doubles
      let boxes = labels.indices.map { Array(values[4 * $0..<4 * $0 + 4]) }
      return DetectionTarget(labels: labels, boxes: boxes, masks: boxes.map { ellipse($0, height: size[0], width: size[1]) })
    }
  }

  /// The pixels inside the ellipse in a box.
  private static func ellipse(_ box: [Double], height: Int, width: Int) -> [UInt8] {
    (0..<height * width).map { pixel in
      let x = (Double(pixel % width) + 0.5) / Double(width)
      let y = (Double(pixel / width) + 0.5) / Double(height)
      let (dx, dy) = (2 * (x - box[0]) / box[2], 2 * (y - box[1]) / box[3])
      return dx * dx + dy * dy <= 1 ? 1 : 0
    }
  }

  var originalSizes: [Extent] { settings.originalSizes.map { Extent(height: $0[0], width: $0[1]) } }

  func forward() throws -> (output: DETR.Output, report: SetLoss.Report) {
    let output = model.detr(images, Pass(.training))
    return (output, try SetLoss()(output, targets, segmentation: model.segmentation))
  }

  /// AdamW as the recipe has it: the backbone at a tenth of the rate.
  func optimizer() throws -> AdamW {
    try AdamW(model.parameters(), AdamW.Config(weightDecay: 1e-4), groups: [ParameterGroup("*backbone.*", lrMult: 0.1)])
  }

  // MARK: Comparison

  typealias Bounds = Fixture.Bounds

  /// Float64: `1e-8` of the largest value (the acceptance; found: below 1e-11). Float32: four times PyTorch's own distance, at least 16
  /// roundings.
  func bounds(_ group: String, _ name: String) throws -> Bounds {
    let largest = try fixture.tensor("f64/\(group).statistics/\(name)").doubles[5]
    guard precision == .float32 else { return (1e-8 * largest, 1e-8 * largest) }
    let distance = try fixture.tensor("f32/\(group).statistics/\(name)").doubles[7]
    let allowed = max(4 * distance, 16 * Double(Float.ulpOfOne) * largest)
    return (allowed, allowed)
  }

  /// The distances that PyTorch's float32 runs show in the worst tensor of a group, absolute or as shares of its largest value.
  func worstDistances(_ group: String, relative: Bool) throws -> Bounds {
    var worst = (element: 0.0, mean: 0.0)
    for (name, parameter) in model.parameters() where !nullGradients.contains(name) && fixture.has("f32/\(group).statistics/\(name)") {
      let statistics = try fixture.tensor("f32/\(group).statistics/\(name)").doubles
      let unit = relative ? try fixture.tensor("f64/\(group).statistics/\(name)").doubles[5] : 1
      worst.element = max(worst.element, statistics[7] / unit)
      worst.mean = max(worst.mean, statistics[6] / Double(parameter.value.count).squareRoot() / unit)
    }
    return worst
  }

  /// Compares a whole tensor through its stored elements, its norm and four projections; `values` are in official order.
  /// - Returns: what is wrong, nil if nothing.
  func compare(_ group: String, _ name: String, _ values: [Double], _ bounds: Bounds? = nil) throws -> String? {
    try fixture.mismatch(group, name, values, bounds ?? self.bounds(group, name))
  }

  /// Whether a term of the loss is right before a step (counted from 0): in float32 within the given share, or four times PyTorch's own
  /// distance if that is more.
  func isNear(_ value: Double, _ term: String, step: Int = 0, share: Double = 16 * Double(Float.ulpOfOne)) throws -> Bool {
    let exact = try fixture.tensor("f64/loss/\(term)").doubles[step]
    let distance = try fixture.tensor("f32/loss.distance/\(term)").doubles[step]
    return abs(value - exact) <= (precision == .float64 ? 1e-8 * abs(exact) : max(share * abs(exact), 4 * distance))
  }
}
