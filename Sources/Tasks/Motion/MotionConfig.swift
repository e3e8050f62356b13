import Base
import Data
import Models
import Networks
import Training

/// The config of motion prediction: a recurrent network that learns from the tracks of a ground truth where boxes go.
public struct MotionConfig: OptimizedConfig, ValidatedConfig {
  public var task = TaskName.motion
  public var model = MotionLSTM.Config()
  public var initialize = Initialization()
  /// What to learn from, and what to judge by.
  public var data = TrackData()
  public var validation = TrackData()
  public var window = MotionWindow()
  /// What is laid over the boxes of the ground truth, in training and validation.
  public var noise = BoxNoise()
  /// Batches of pieces of tracks.
  public var train = TrainSettings(batchSize: 64)
  public var loss = MotionLoss()
  public var optimizer = OptimizerConfig(.adam, learningRate: 2e-3)
  public var schedule = Schedule(.cosine)
  public var inference = MotionInference()
  public var plan = Plan()

  public init() { optimizer.weightDecay = 0 }

  /// The weights of one network go through all stages.
  public static let fixedSections: Set = ["task", "model"]

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(window.history > noise.longestMiss || noise.missRate == 0, "window.history", window.history,
                     "more than noise.longest_miss (\(noise.longestMiss)) frames")
    return problems
  }
}

/// Sequences with a ground truth.
public struct TrackData: Codable, Sendable, Equatable, ValidatedConfig, LimitedData {
  /// A sequence in MOT layout, a folder of them, or one with the split below. Empty: no data.
  public var root = ""
  /// The folder below the root, such as `train` or `val`, if the root has no sequences itself.
  public var split = "train"
  /// For validation: at most so many samples, spread evenly over the set; 0: all.
  public var limit = 0

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireLimit(limit)
    return problems
  }

  /// The sequences; nil if there are none.
  func sequences() throws -> [MOTSequence]? { root.isEmpty ? nil : try MOTSequence.all(in: root, split: split) }
}

/// The pieces of tracks that are learned from. Section `window`.
public struct MotionWindow: Codable, Sendable, Equatable, ValidatedConfig {
  /// Frames that the network sees before it predicts, at most; in training it predicts after each of them.
  public var history = 20
  /// Frames from the start of one piece of a track to that of the next.
  public var stride = 3

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((2...1000).contains(history), "history", history, "2 to 1000 frames")
    problems.require((1...10_000).contains(stride), "stride", stride, "1 to 10000 frames")
    return problems
  }
}

/// The loss of displacements. Section `loss`.
public struct MotionLoss: Codable, Sendable, Equatable, ValidatedConfig {
  /// Width of the smooth L1 loss where it is quadratic, in displacements times `model.scale`.
  public var beta = 0.5

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(beta >= 0 && beta <= 1000, "beta", beta, "0 to 1000")
    return problems
  }
}

/// How a trained network is asked. Section `inference`.
public struct MotionInference: Codable, Sendable, Equatable, ValidatedConfig {
  /// Pieces of tracks in a batch.
  public var batchSize = 256

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize)
    return problems
  }
}
