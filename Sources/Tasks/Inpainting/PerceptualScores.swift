import Base
import Models
import Tensors
import Training
import Vision

/// The networks whose features completions are judged by. Section `metrics`; what names no weights is left out.
public struct InpaintingMetricSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Weights of Inception-v3 of 2015, for FID, P-IDS and U-IDS.
  public var inception = ""
  /// Weights of LPIPS on AlexNet, or those of AlexNet alone.
  public var lpips = ""
  /// The linear heads of LPIPS, where `lpips` holds AlexNet alone.
  public var lpipsHeads = ""
  /// Weights of VGG-16, for improved precision and recall.
  public var vgg16 = ""
  /// A folder for the feature vectors, as NumPy arrays with the names of the pictures; empty: none.
  public var features = ""
  /// Whether they are computed during training as well.
  public var inTraining = false

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(lpipsHeads.isEmpty || !lpips.isEmpty, "lpips", "''", "the weights of AlexNet, with lpips_heads")
    problems.require(features.isEmpty || !inception.isEmpty || !vgg16.isEmpty, "features", features,
                     "nothing, unless inception or vgg16 name weights")
    return problems
  }
}

/// Judges completions by features of networks: each picture is looked at once, and all together at the end.
struct PerceptualScores {
  static let metrics = [
    MetricKind("FID", "Fréchet distance of Inception's features, divisor N", better: .lower),
    MetricKind("P-IDS", "share of pairs whose completion looks more real", better: .higher),
    MetricKind("U-IDS", "share of pictures that a linear machine mistakes", better: .higher),
    MetricKind("LPIPS", "perceptual distance to the picture", better: .lower),
    MetricKind("precision", "share of completions among real pictures, VGG-16", better: .higher),
    MetricKind("recall", "share of real pictures among completions, VGG-16", better: .higher),
  ]

  /// The features of both sets by one network.
  private struct Pair {
    let name: String
    let network: any FeatureExtractor
    var real: [Tensor] = []
    var found: [Tensor] = []

    func sets(_ names: [String]) throws -> (real: FeatureSet, found: FeatureSet) {
      func set(_ values: [Tensor]) throws -> FeatureSet { try FeatureSet(names: names, values: concatenate(values, axis: 0)) }
      return (try set(real), try set(found))
    }
  }

  private let settings: InpaintingMetricSettings
  private let lpips: LPIPS?
  private var inception: Pair?
  private var vgg16: Pair?
  private var names: [String] = []
  private var distances: [Double] = []

  /// - Throws: the failures of reading weights, with the key that names them.
  init(_ settings: InpaintingMetricSettings) throws {
    func weights(_ path: String, _ key: String) -> FeatureWeights { FeatureWeights(path, setting: "metrics.\(key)") }
    self.settings = settings
    lpips = settings.lpips.isEmpty ? nil : try weights(settings.lpips, "lpips").lpips(heads: settings.lpipsHeads)
    if !settings.inception.isEmpty {
      inception = Pair(name: "inception", network: try weights(settings.inception, "inception").inception())
    }
    if !settings.vgg16.isEmpty { vgg16 = Pair(name: "vgg16", network: try weights(settings.vgg16, "vgg16").vgg16()) }
  }

  mutating func add(_ name: String, truth: Image, found: Image) {
    names.append(name)
    if let lpips { distances += lpips.distances([truth], [found]) }
    Self.add(truth, found, to: &inception)
    Self.add(truth, found, to: &vgg16)
  }

  private static func add(_ truth: Image, _ found: Image, to pair: inout Pair?) {
    guard let network = pair?.network else { return }
    pair?.real.append(network.features(of: [truth]))
    pair?.found.append(network.features(of: [found]))
  }

  /// The scores of all pictures, and a line for the user; both empty without a network.
  /// - Throws: `.badData` for too few pictures, and the failures of writing feature files.
  func result() throws -> (metrics: Metrics, notes: [String]) {
    var metrics: Metrics = [:]
    guard !names.isEmpty else { return (metrics, []) }
    if let inception {
      let sets = try inception.sets(names)
      let scores = try InceptionDiscriminativeScore(real: sets.real, found: sets.found)
      metrics["FID"] = try frechetDistance(sets.real, sets.found)
      (metrics["P-IDS"], metrics["U-IDS"]) = (scores.paired, scores.unpaired)
      try write(sets, inception.name)
    }
    if !distances.isEmpty { metrics["LPIPS"] = distances.reduce(0, +) / Double(distances.count) }
    if let vgg16 {
      let sets = try vgg16.sets(names)
      let scores = try ImprovedPrecisionRecall(real: sets.real, found: sets.found)
      (metrics["precision"], metrics["recall"]) = (scores.precision, scores.recall)
      try write(sets, vgg16.name)
    }
    let found = Array(metrics).map(\.name)
    guard !found.isEmpty else { return (metrics, []) }
    return (metrics, ["\(found.joined(separator: ", ")) of \(names.count) pictures; compare with sets of as many only"])
  }

  private func write(_ sets: (real: FeatureSet, found: FeatureSet), _ network: String) throws {
    guard !settings.features.isEmpty else { return }
    try File.createFolder(settings.features)
    try sets.real.write(to: "\(settings.features)/\(network)_real.npy")
    try sets.found.write(to: "\(settings.features)/\(network)_found.npy")
  }
}
