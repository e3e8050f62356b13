import Base
import Models
import Networks
import Tensors
import Training
import Vision

/// The networks that judge completions by features, as files of weights; an empty path leaves its metrics out. Section `metrics`.
public struct FeatureMetricSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Inception-v3 of 2015-12-05: FID, U-IDS, P-IDS.
  public var inception = ""
  /// VGG-16 of torchvision: improved precision and recall.
  public var vgg16 = ""
  /// LPIPS on AlexNet: its whole state dictionary, or torchvision's AlexNet.
  public var lpips = ""
  /// The linear heads of LPIPS, if `lpips` names AlexNet alone.
  public var lpipsHeads = ""
  /// A folder for the feature vectors (NumPy arrays with the pictures' names beside them), for other tools; empty: none.
  public var features = ""
  /// Whether they are computed in validations during training, too.
  public var inTraining = false

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(lpipsHeads.isEmpty || !lpips.isEmpty, "lpips", "''", "the file of AlexNet, whose heads lpips_heads names")
    problems.require(features.isEmpty || !(inception + vgg16).isEmpty, "features", features, "nothing, unless inception or vgg16 is given")
    return problems
  }

  /// Nearest neighbours whose distance is the radius of a ball, for precision and recall.
  static let neighbours = 3

  /// All metrics by features. Shares are in per cent.
  public static let kinds = [
    MetricKind("FID", "Fréchet distance of Inception's features", better: .lower),
    MetricKind("U-IDS", unit: "%", "features on the wrong side of a linear machine", better: .higher),
    MetricKind("P-IDS", unit: "%", "pairs whose completion looks more real", better: .higher),
    MetricKind("precision", unit: "%", "completions among real features", better: .higher),
    MetricKind("recall", unit: "%", "real features among completions", better: .higher),
    MetricKind("LPIPS", "perceptual distance on AlexNet", better: .lower),
  ]
}

/// Collects the features of real pictures and their completions, and judges all of them together.
public struct FeatureJudge {
  /// Feature vectors of both sets by one network.
  private struct Collector {
    let name: String
    let network: any FeatureExtractor
    var real: [Tensor] = []
    var found: [Tensor] = []

    mutating func add(_ pairs: [(truth: Image, found: Image)]) {
      real.append(network.features(of: pairs.map(\.truth)))
      found.append(network.features(of: pairs.map(\.found)))
    }

    func sets(_ names: [String]) throws -> (real: FeatureSet, found: FeatureSet) {
      (try FeatureSet(names: names, values: concatenate(real, axis: 0), from: "\(name), real pictures"),
       try FeatureSet(names: names, values: concatenate(found, axis: 0), from: "\(name), completions"))
    }
  }

  private let settings: FeatureMetricSettings
  private var inception: Collector?
  private var vgg16: Collector?
  private let lpips: LPIPS?
  private var names: [String] = []
  private var waiting: [(truth: Image, found: Image)] = []
  private var distance = 0.0

  /// Pictures that go through a network together.
  private static let batchSize = 8

  /// Reads the weights that the settings name.
  /// - Throws: the failures of reading; each names the file that is expected.
  public init(_ settings: FeatureMetricSettings) throws {
    self.settings = settings
    func weights(_ path: String, _ key: String) -> FeatureWeights? { path.isEmpty ? nil : FeatureWeights(path, setting: "metrics.\(key)") }
    inception = try weights(settings.inception, "inception").map { Collector(name: "inception", network: try $0.inception()) }
    vgg16 = try weights(settings.vgg16, "vgg16").map { Collector(name: "vgg16", network: try $0.vgg16()) }
    lpips = try weights(settings.lpips, "lpips").map { try $0.lpips(heads: settings.lpipsHeads) }
  }

  /// Whether there is anything to compute.
  public var isIdle: Bool { inception == nil && vgg16 == nil && lpips == nil }

  /// - Parameters:
  ///   - name: of the picture, once in a set.
  ///   - found: its completion, of the same size.
  public mutating func add(_ name: String, truth: Image, found: Image) {
    guard !isIdle else { return }
    names.append(name)
    if let lpips { distance += lpips.distances([truth], [found])[0] }
    waiting.append((truth, found))
    if waiting.count == Self.batchSize { extract() }
  }

  private mutating func extract() {
    guard !waiting.isEmpty else { return }
    let pairs = waiting
    inception?.add(pairs)
    vgg16?.add(pairs)
    waiting = []
  }

  /// The metrics of all pictures so far, and what a reader must know about them. Writes the features if the settings say so.
  /// - Throws: `.badData` for features that are not finite or names that are not different, and the failures of writing.
  public mutating func result() throws -> (metrics: Metrics, notes: [String]) {
    var metrics = Metrics()
    var notes: [String] = []
    extract()
    guard !names.isEmpty else { return (metrics, notes) }
    if let sets = try inception?.sets(names) {
      let score = try InceptionDiscriminativeScore(real: sets.real, found: sets.found)
      metrics["FID"] = try frechetDistance(sets.real, sets.found)
      metrics["U-IDS"] = 100 * score.unpaired
      metrics["P-IDS"] = 100 * score.paired
      try write(sets, "inception")
      let few = names.count <= sets.real.width ? "; fewer than the \(sets.real.width) dimensions, so compare only with equal numbers" : ""
      notes.append("FID, U-IDS and P-IDS of \(names.count) pairs\(few)")
    }
    if let sets = try vgg16?.sets(names) {
      if names.count > FeatureMetricSettings.neighbours {
        let result = try ImprovedPrecisionRecall(real: sets.real, found: sets.found, neighbours: FeatureMetricSettings.neighbours)
        metrics["precision"] = 100 * result.precision
        metrics["recall"] = 100 * result.recall
      }
      try write(sets, "vgg16")
      notes.append(names.count > FeatureMetricSettings.neighbours ? "precision and recall of \(names.count) pictures each"
        : "no precision and recall: \(names.count) pictures have no \(FeatureMetricSettings.neighbours) neighbours")
    }
    if lpips != nil { metrics["LPIPS"] = distance / Double(names.count) }
    return (metrics, notes)
  }

  private func write(_ sets: (real: FeatureSet, found: FeatureSet), _ network: String) throws {
    guard !settings.features.isEmpty else { return }
    try File.createFolder(settings.features)
    try sets.real.write(to: "\(settings.features)/\(network)_real.npy")
    try sets.found.write(to: "\(settings.features)/\(network)_found.npy")
  }
}
