import Base
import Data
import Models
import Networks
import Training

/// The config of a learned affinity: a network that learns from detections and ground truth which detection belongs to which track.
public struct MatchingConfig: OptimizedConfig, ValidatedConfig {
  public var task = TaskName.affinity
  public var model = MatchNetwork.Config()
  public var initialize = Initialization()
  /// What to learn from, and what to judge by: sequences with detections and ground truth.
  public var data = TrackData()
  public var validation = TrackData()
  public var pairs = MatchingPairs()
  /// Misses and jitter besides those that the detections have.
  public var noise = BoxNoise()
  /// Batches of tracks, each with the detections near it.
  public var train = TrainSettings(batchSize: 64)
  public var optimizer = OptimizerConfig(.adam, learningRate: 2e-3)
  public var schedule = Schedule(.cosine)
  public var inference = MotionInference()
  public var plan = Plan()

  public init() {
    optimizer.weightDecay = 0
    (noise.jitter, noise.missRate) = (0.02, 0.1)
  }

  /// The weights of one network go through all stages.
  public static let fixedSections: Set = ["task", "model"]

  public func problems() -> [ConfigProblem] { [] }
}

/// Which pairs of tracks and detections are learned from. Section `pairs`.
public struct MatchingPairs: Codable, Sendable, Equatable, ValidatedConfig {
  /// Frames between the last sight of a track and the detections, at most.
  public var longestGap = 10
  /// Detections for a track, at most: those nearest to where it is expected.
  public var most = 6
  /// False boxes near a track besides those of the detector, on average.
  public var falseRate = 0.3

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((1...1000).contains(longestGap), "longest_gap", longestGap, "1 to 1000 frames")
    problems.require((1...1000).contains(most), "most", most, "1 to 1000")
    problems.require((0...100).contains(falseRate), "false_rate", falseRate, "0 to 100")
    return problems
  }

  /// The cases of a set; nil if there is none.
  func open(_ data: TrackData, _ config: MatchingConfig) throws -> MatchingCases? {
    try data.sequences().map { sequences in
      try MatchingCases(
        sequences.map(LabeledDetections.init), longestGap: longestGap, noise: config.noise, falseRate: falseRate, mostPairs: most,
        seed: UInt64(config.plan.seed))
    }
  }
}
