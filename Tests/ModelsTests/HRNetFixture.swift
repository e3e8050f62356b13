import Base
import Foundation
import Models
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// HRNets with the fixture's weights and inputs, as the official code ran them.
struct HRNetFixture {
  /// One file of reference values each.
  enum Case: String, CaseIterable, Sendable {
    case pose = "hrnet_pose", segmentation = "hrnet_segmentation", context = "hrnet_ocr", classification = "hrnet_classification"
    case poseW32 = "hrnet_pose_w32", contextW48 = "hrnet_ocr_w48"

    /// In debug builds the narrow ones, which take seconds.
    static let tested = BuildKind.some(allCases, inDebug: 4)
    static let trained = tested.filter { $0 != .classification }
  }

  /// What the file says of the network and the inputs.
  struct Settings: Decodable {
    let task: String
    let width, blocks, outputs, noise, batch, kept: Int
    let modules, layer1, context, size: [Int]
    let alignCorners, isTrained: Bool
    let threshold, momentum, rate: Double
    let classWeights: [Double]

    var backbone: HRNet.Config {
      var config = HRNet.Config()
      config.stages = (0..<3).map { i in HRNet.Stage(modules: modules[i], blocks: blocks, widths: (0..<i + 2).map { width << $0 }) }
      (config.layer1Blocks, config.layer1Width, config.normMomentum) = (layer1[0], layer1[1], momentum)
      return config
    }
  }

  enum Network {
    case pose(HRNetPose)
    case segmentation(HRNetSegmentation)
    case classification(HRNetClassification)

    init(_ settings: Settings) {
      var random = Random(seed: 0, stream: .test)
      switch settings.task {
      case "pose":
        var config = HRNetPose.Config()
        (config.backbone, config.keypoints) = (settings.backbone, settings.outputs)
        self = .pose(HRNetPose(config, &random))
      case "classification":
        var config = HRNetClassification.Config()
        (config.backbone, config.classes) = (settings.backbone, settings.outputs)
        self = .classification(HRNetClassification(config, &random))
      default:
        var config = HRNetSegmentation.Config()
        (config.backbone, config.classes, config.alignCorners) = (settings.backbone, settings.outputs, settings.alignCorners)
        config.objectContext.enabled = settings.task == "ocr"
        (config.objectContext.channels, config.objectContext.keyChannels) = (settings.context[0], settings.context[1])
        config.objectContext.dropout = 0
        self = .segmentation(HRNetSegmentation(config, &random))
      }
    }

    var module: any Module {
      switch self {
      case .pose(let model): model
      case .segmentation(let model): model
      case .classification(let model): model
      }
    }

    var body: HRNet {
      switch self {
      case .pose(let model): model.body
      case .segmentation(let model): model.body
      case .classification(let model): model.body
      }
    }
  }

  let item: Case
  let precision: Precision
  let fixture: Fixture
  let settings: Settings
  let network: Network
  let images: Tensor
  /// Parameters whose exact gradient is zero.
  let nullGradients: Set<String>
  /// For groups of many small tensors the largest distance, as a share of the largest value, that PyTorch's float32 runs show.
  private let shares: [String: Double]

  init(_ item: Case, _ precision: Precision) throws {
    self.item = item
    self.precision = precision
    fixture = try Fixture(item.rawValue)
    settings = try DETRFixture.decoded(fixture, "settings")
    nullGradients = Set(try DETRFixture.decoded(fixture, "null_gradients", as: [String].self))
    shares = try Dictionary(uniqueKeysWithValues: ["grad", "param", "buffer", "trained_buffer"].map { [fixture, nullGradients] group in
      (group, try Self.worstShare(group, fixture, nullGradients))
    })
    network = Network(settings)
    network.module.convert(to: precision)
    try network.module.load(StateDictionary(Self.names(fixture).map { name, shape in
      if shape.isEmpty { return .init(name, integers: [7], shape: []) }
      return .init(name, Tensor(FixtureHash.weights(name, shape), shape: shape, precision: .float64))
    }))
    let shape = [settings.batch, 3, settings.size[0], settings.size[1]]
    images = Self.drawn("image.\(settings.noise)", shape, from: -128, to: 128, unit: 64, precision).channelsLast
  }

  /// Official names and shapes, in order.
  static func names(_ fixture: Fixture) throws -> [(name: String, shape: [Int])] {
    try DETRFixture.decoded(fixture, "names", as: [DETRFixture.Row].self).map { ($0.name, $0.shape) }
  }

  /// Whole numbers in a range, divided by `unit`.
  private static func drawn(
    _ name: String, _ shape: [Int], from: Double, to: Double, unit: Double, _ precision: Precision
  ) -> Tensor {
    let key = FixtureHash.key(name)
    let values = (0..<shape.reduce(1, *)).map { (from + (to - from) * FixtureHash.fraction(key, $0)).rounded(.down) / unit }
    return Tensor(values, shape: shape, precision: precision)
  }

  // MARK: Targets

  /// Heatmaps `[n, h/4, w/4, keypoints]` and weights `[n, keypoints]`.
  var heatmaps: (target: Tensor, weight: Tensor) {
    let (n, k) = (settings.batch, settings.outputs)
    let maps = Self.drawn(
      "target.\(settings.noise)", [n, k, settings.size[0] / 4, settings.size[1] / 4], from: 0, to: 65, unit: 64, precision)
    return (maps.channelsLast, Self.drawn("target_weight.\(settings.noise)", [n, k], from: 0, to: 4, unit: 2, precision))
  }

  /// Of images or of pixels, some of these 255.
  var labels: [Int] {
    let isImage = settings.task == "classification"
    let count = settings.batch * (isImage ? 1 : settings.size[0] * settings.size[1])
    let drawn = Self.drawn(
      "label.\(settings.noise)", [count], from: 0, to: isImage ? Double(settings.outputs) : 10, unit: 1, .float64).doubles
    return drawn.map { !isImage && $0 == 9 ? 255 : Int($0) % settings.outputs }
  }

  /// The inputs as the script hashes them.
  var inputBytes: (images: [UInt8], targets: [UInt8]) {
    func bytes(_ values: [Double]) -> [UInt8] {
      values.flatMap { value in withUnsafeBytes(of: Float(value).bitPattern.littleEndian, Array.init) }
    }
    let targets = settings.task == "pose" ? heatmaps.target.channelsFirst.doubles + heatmaps.weight.doubles : labels.map(Double.init)
    return (bytes(images.channelsFirst.doubles), bytes(targets))
  }

  // MARK: Results

  /// Outputs by name, and the terms of the loss with `total`.
  struct Results {
    var outputs: [String: Tensor]
    let terms: [String: Tensor]
    var total: Tensor { terms["total"] ?? Tensor(0) }
  }

  func forward(_ pass: Pass = Pass(.training)) -> Results {
    switch network {
    case .pose(let model):
      let maps = model(images, pass)
      return Results(outputs: ["heatmaps": maps], terms: ["total": PoseLoss()(maps, heatmaps.target, weight: heatmaps.weight)])
    case .classification(let model):
      let logits = model(images, pass)
      return Results(outputs: ["logits": logits], terms: ["total": crossEntropy(logits, labels)])
    case .segmentation(let model):
      let output = model(images, pass)
      var loss = SegmentationLoss()
      (loss.kind, loss.threshold, loss.minKept, loss.classWeights) = (.ohem, settings.threshold, settings.kept, settings.classWeights)
      func report(_ loss: SegmentationLoss) -> SegmentationLoss.Report {
        loss(output, labels, size: Extent(height: settings.size[0], width: settings.size[1]), alignCorners: settings.alignCorners)
      }
      let hard = report(loss)
      guard let aux = output.aux else {
        loss.kind = .crossEntropy
        return Results(outputs: ["logits": output.logits], terms: ["total": hard.total, "plain": report(loss).total])
      }
      return Results(outputs: ["logits": output.logits, "aux": aux],
                     terms: ["total": hard.total, "main": hard.terms[0].value, "aux": hard.terms[1].value])
    }
  }

  /// As the authors' scripts: Adam without weight decay for pose, else SGD with momentum.
  func optimizer() throws -> (optimizer: any Optimizer, rate: Double) {
    let parameters = network.module.parameters()
    return settings.task == "pose" ? (try Adam(parameters), settings.rate)
      : (try SGD(parameters, SGD.Config(momentum: 0.9, weightDecay: 5e-4)), settings.rate)
  }

  // MARK: Comparison

  /// Float64: `1e-8` of the largest value. Float32: four times PyTorch's own distance, at least 16 roundings; of gradients, parameters and
  /// statistics the distance of the worst one, because in any float32 run some inputs of ReLU change their sign; which ones, is chance.
  func bounds(_ group: String, _ name: String) throws -> Fixture.Bounds {
    let largest = try fixture.tensor("f64/\(group).statistics/\(name)").doubles[5]
    guard precision == .float32 else { return (1e-8 * largest, 1e-8 * largest) }
    let own = try fixture.tensor("f32/\(group).distance/\(name)").doubles[1]
    let allowed = max(4 * own, 4 * (shares[group] ?? 0) * largest, 16 * Double(Float.ulpOfOne) * largest)
    return (allowed, allowed)
  }

  private static func worstShare(_ group: String, _ fixture: Fixture, _ excluded: Set<String>) throws -> Double {
    let prefix = "f32/\(group).distance/"
    let shares = try fixture.file.entries.filter { $0.name.hasPrefix(prefix) }.map { entry -> Double in
      let name = String(entry.name.dropFirst(prefix.count))
      guard !excluded.contains(name), let distance = entry.tensor?.doubles[1] else { return 0 }
      return distance / (try fixture.tensor("f64/\(group).statistics/\(name)").doubles[5])
    }
    return shares.max() ?? 0
  }

  /// Compares a whole tensor; `values` are in official order.
  /// - Returns: what is wrong, nil if nothing.
  func compare(_ group: String, _ name: String, _ values: [Double], _ bounds: Fixture.Bounds? = nil) throws -> String? {
    try fixture.mismatch(group, name, values, bounds ?? self.bounds(group, name))
  }

  /// Whether a loss is right; in float32 within four times PyTorch's largest distance in all steps.
  func isNear(_ value: Double, _ group: String, _ name: String, step: Int = 0) throws -> Bool {
    let exact = try fixture.tensor("f64/\(group)/\(name)").doubles[step]
    let distance = try fixture.tensor("f32/\(group).distance/\(name)").doubles.max() ?? 0
    let allowed = precision == .float64 ? 1e-8 * abs(exact) : max(16 * Double(Float.ulpOfOne) * abs(exact), 4 * distance)
    return abs(value - exact) <= allowed
  }
}
