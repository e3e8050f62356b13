import Base
import Training
import Vision

/// The config of multi-object tracking: where boxes come from, which tracker gives them identities, and what it is judged by.
public struct TrackingConfig: RunnableConfig, ValidatedConfig, SelectiveConfig {
  public enum Kind: String, ConfigChoice {
    /// SORT, as its authors have it. Section `sort`.
    case sort
    /// DeepSORT, as its authors have it. Section `deepsort`.
    case deepsort
    /// An online tracker made of parts. Sections `affinity`, `gates`, `association` and `tracks`.
    case parts
    /// Association over the whole sequence, with the same parts. Section `batch` besides.
    case batch
  }

  public var task = TaskName.tracking
  public var kind = Kind.sort
  public var detector = TrackingDetector()
  public var networks = TrackingNetworks()
  public var sort = SORT.Settings()
  public var deepsort = DeepSORT.Settings()
  public var affinity = TrackingAffinity()
  public var gates = TrackingGates()
  public var association = AssociationSettings()
  public var tracks = TrackLifecycle()
  public var batch = BatchSettings()
  public var pictures = TrackingPictures()
  public var validation = TrackingData()
  public var plan = Computation()

  public init() {}

  public var computation: Computation { plan }

  public static let selector = "kind"

  public var unusedKeys: [String] {
    let parts = ["affinity", "gates", "association", "tracks"]
    switch kind {
    case .sort: return ["deepsort", "batch"] + parts
    case .deepsort: return ["sort", "batch"] + parts
    case .parts: return ["sort", "deepsort", "batch"]
    case .batch: return ["sort", "deepsort"]
    }
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(detector.batchSize == 1 || detector.kind == .detr, "detector.batch_size", detector.batchSize, "1 without a network")
    guard kind == .parts || kind == .batch else { return problems }
    problems.require(affinity.sum > 0, "affinity.iou", affinity.iou, "above 0, where no other term is")
    let hasVectors = networks.appearance.isNamed || detector.kind == .features || (affinity.siamese > 0 && networks.siamese.isNamed)
    let isOne = !networks.appearance.isNamed || networks.appearance == networks.siamese
    problems.require(affinity.siamese <= 0 || isOne, "networks.appearance", networks.appearance.config,
                     "none, or as networks.siamese, whose head judges its own vectors")
    let needs = [
      ("flow", affinity.flow, networks.flow.isNamed), ("pose", affinity.pose, networks.pose.isNamed),
      ("lstm", affinity.lstm, networks.lstm.isNamed), ("learned", affinity.learned, networks.learned.isNamed),
      ("siamese", affinity.siamese, networks.siamese.isNamed),
    ]
    for (key, weight, isThere) in needs {
      problems.require(weight <= 0 || isThere, "affinity.\(key)", weight, "0 without a network: name networks.\(key).config")
    }
    problems.require(affinity.appearance <= 0 || hasVectors, "affinity.appearance", affinity.appearance,
                     "0 without vectors: name networks.appearance.config")
    problems.require(gates.cosine >= 2 || hasVectors, "gates.cosine", gates.cosine,
                     "2 (no gate) without vectors: name networks.appearance.config")
    problems.require(kind == .parts || batch.linkStep == 0 || hasVectors, "batch.link_step", batch.linkStep,
                     "0 (none) without vectors: name networks.appearance.config")
    return problems
  }
}

/// Where boxes come from. Section `detector`.
public struct TrackingDetector: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Kind: String, ConfigChoice {
    /// The sequence's own `det/det.txt`, or `NAME.txt` of the folder `path`.
    case file
    /// `NAME.npy` of the folder `path`: an array with the ten columns of a detection file and an appearance vector behind them in each row.
    case features
    /// A network of the task `detection`, by its config and weights.
    case detr
  }

  public var kind = Kind.file
  public var path = ""
  /// The config of the network; best the `config.yaml` of the run that trained it.
  public var config = ""
  /// Its weights: a .safetensors or .pth file, a checkpoint folder, or a run folder.
  public var weights = ""
  /// Frames that the network looks at together.
  public var batchSize = 1
  /// Score of a box of the network, at least.
  public var threshold = 0.3
  /// The category ids that count, of those of the network; none: all.
  public var categories: [Int] = []

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize)
    problems.require((0...1).contains(threshold), "threshold", threshold, "0 to 1")
    problems.require(kind != .features || !path.isEmpty, "path", "''", "a folder of files NAME.npy")
    problems.require(kind != .detr || !config.isEmpty, "config", "''", "the config of a network of the task detection")
    problems.require(kind != .detr || !weights.isEmpty, "weights", "''", "the weights of the network")
    return problems
  }

  var network: TrackingNetwork {
    var network = TrackingNetwork()
    (network.config, network.weights) = (config, weights)
    return network
  }
}

/// A network that another task trains.
public struct TrackingNetwork: Codable, Sendable, Equatable, ValidatedConfig {
  /// Its config; best the `config.yaml` of the run that trained it. Empty: there is none.
  public var config = ""
  /// Its weights: a .safetensors or .pth file, a checkpoint folder, or a run folder.
  public var weights = ""

  public init() {}

  var isNamed: Bool { !config.isEmpty }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(config.isEmpty || !weights.isEmpty, "weights", "''", "the weights of the network that config describes")
    problems.require(weights.isEmpty || !config.isEmpty, "config", "''", "the config of the network whose weights are named")
    return problems
  }
}

/// The networks behind features and affinities. Section `networks`.
public struct TrackingNetworks: Codable, Sendable, Equatable {
  /// Optical flow from each frame to the next, for the affinity of that name.
  public var flow = TrackingNetwork()
  /// The keypoints of each detection.
  public var pose = TrackingNetwork()
  /// The appearance vector of each detection.
  public var appearance = TrackingNetwork()
  /// An appearance network that was trained with the verification loss: it gives the vectors, and the score of two of them.
  public var siamese = TrackingNetwork()
  /// The next box of a track by a recurrent network.
  public var lstm = TrackingNetwork()
  /// The probability that a detection continues a track.
  public var learned = TrackingNetwork()

  public init() {}
}

/// The weights of the terms of the affinity, whose weighted mean it is; 0: the term is left out. Section `affinity`.
public struct TrackingAffinity: Codable, Sendable, Equatable, ValidatedConfig {
  /// IoU of the predicted box.
  public var iou = 1.0
  /// The place within the gate of the motion model.
  public var mahalanobis = 0.0
  /// Cosine similarity of appearance vectors.
  public var appearance = 0.0
  /// IoU of the last detection moved on by optical flow.
  public var flow = 0.0
  /// Object keypoint similarity with the last pose.
  public var pose = 0.0
  /// A verification network's probability that two appearance vectors are of one object.
  public var siamese = 0.0
  /// IoU of the box that a recurrent network predicts.
  public var lstm = 0.0
  /// A network's probability that the detection continues the track.
  public var learned = 0.0

  public init() {}

  private var weights: [(key: String, value: Double)] {
    [("iou", iou), ("mahalanobis", mahalanobis), ("appearance", appearance), ("flow", flow), ("pose", pose), ("siamese", siamese),
     ("lstm", lstm), ("learned", learned)]
  }

  var sum: Double { weights.reduce(0) { $0 + $1.value } }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    for (key, value) in weights { problems.require((0...1e6).contains(value), key, value, "0 to 1000000") }
    return problems
  }
}

/// What `apus track run --pictures` draws. Section `pictures`.
public struct TrackingPictures: Codable, Sendable, Equatable, ValidatedConfig {
  /// Frames of the line behind each box; 0: none.
  public var trail = 30
  /// Frames a second of the film; 0: those of the sequence, or 25.
  public var frameRate = 0.0

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((0...10_000).contains(trail), "trail", trail, "0 (none) to 10000")
    problems.require((0...1000).contains(frameRate), "frame_rate", frameRate, "0 (that of the sequence) to 1000")
    return problems
  }
}

/// The sequences that the tracker is judged by. Section `validation`.
public struct TrackingData: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Benchmark: String, ConfigChoice {
    /// By the name of the sequence, else by the columns of its ground truth.
    case auto
    case mot15, mot16, mot17, mot20

    var benchmark: TrackingBenchmark? { TrackingBenchmark(rawValue: rawValue) }
  }

  /// A sequence, a folder of sequences, or one with `split` below it. Empty: nothing to be judged by.
  public var root = ""
  public var split = "train"
  /// The names of those that count; none: all.
  public var sequences: [String] = []
  public var benchmark = Benchmark.auto
  public var rule = TrackingRule.official
  /// Whether boxes on distractors are excused, and other classes than pedestrians left out.
  public var preprocessing = true

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(Set(sequences).count == sequences.count, "sequences", sequences, "each name once")
    return problems
  }
}
