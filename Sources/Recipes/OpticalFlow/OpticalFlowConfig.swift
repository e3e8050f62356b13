import Data
import Models
import Networks
import Tensors
import Training
import Vision

/// The config of optical flow training; its defaults are RAFT-small on FlyingChairs.
public struct OpticalFlowConfig: TaskConfig, ValidatedConfig {
  public var recipe = RecipeName.opticalFlow
  public var model = RAFT.Config(variant: .small)
  /// What to learn from, and what to judge by.
  public var data = FlowData()
  public var validation = FlowData(split: .validation)
  public var augmentation = FlowAugmentation.chairs
  public var learning = FlowLearning()
  public var optimizer = AdamW.Config(weightDecay: 1e-4)
  public var schedule = Schedule(.oneCycle)
  public var prediction = FlowPrediction()
  public var plan = Plan()

  public init() {
    schedule.extraSteps = 100  // as the authors' script plans it
  }

  /// The learning rate of the update after `step` others.
  func rate(at step: Int) -> Double { schedule.rate(at: step, of: plan.steps, peak: learning.learningRate) }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let (height, width) = (augmentation.cropHeight, augmentation.cropWidth)
    problems.require(height % 8 == 0 && height >= 128, "augmentation.crop_height", height, "a multiple of 8, at least 128")
    problems.require(width % 8 == 0 && width >= 128, "augmentation.crop_width", width, "a multiple of 8, at least 128")
    problems.require((1...6).contains(model.correlationLevels), "model.correlation_levels", model.correlationLevels, "1 to 6")
    problems.require((0...16).contains(model.correlationRadius), "model.correlation_radius", model.correlationRadius, "0 to 16")
    problems.require((0..<1).contains(model.dropout), "model.dropout", model.dropout, "0 or more, below 1")
    problems.require((0..<1).contains(optimizer.beta1), "optimizer.beta1", optimizer.beta1, "0 or more, below 1")
    problems.require((0..<1).contains(optimizer.beta2), "optimizer.beta2", optimizer.beta2, "0 or more, below 1")
    problems.require(optimizer.epsilon > 0, "optimizer.epsilon", optimizer.epsilon, "above 0")
    problems.require(optimizer.weightDecay >= 0, "optimizer.weight_decay", optimizer.weightDecay, "0 or more")
    let cropKeys: Set = ["crop_height", "crop_width"]  // judged above, and more strictly
    problems += augmentation.problems.filter { !cropKeys.contains($0.key) }
      .map { ConfigProblem("augmentation.\($0.key)", $0.value, allowed: $0.allowed) }
    problems += schedule.problems.map { ConfigProblem("schedule.\($0.key)", $0.value, allowed: $0.allowed) }
    return problems
  }
}

/// A set of image pairs with flow.
public struct FlowData: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Format: String, ConfigChoice {
    /// `data/NNNNN_img1.ppm`, `_img2.ppm`, `_flow.flo` and a split list.
    case flyingChairs
    /// A plain folder of images and flow files that belong together by name.
    case pairs
    /// No data: validation is left out.
    case none
  }

  public var format = Format.flyingChairs
  /// The folder, relative to where the command is run.
  public var root = "datasets/FlyingChairs_release"
  /// Which part of FlyingChairs; ignored by other formats.
  public var split = FlyingChairs.Split.train
  /// At most so many samples, spread evenly over the set; 0: all.
  public var limit = 0

  public init(split: FlyingChairs.Split = .train) { self.split = split }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(format == .none || !root.isEmpty, "root", root, "the path of a folder")
    problems.require(limit >= 0, "limit", limit, "0 (all) or more")
    return problems
  }

  /// The data set; `nil` if there is none.
  /// - Parameter section: where in the config this stands, for failures.
  func open(_ section: String) throws -> (any FlowDataset)? {
    do {
      return switch format {
      case .flyingChairs: try FlyingChairs(root: root, split: split)
      case .pairs: try FlowPairs(root: root)
      case .none: nil
      }
    } catch let failure as Failure where failure.kind == .missingInput && failure.remedy.isEmpty {
      throw Failure(.missingInput, at: failure.place, failure.problem,
                    remedy: "'\(section).root' names it, relative to where apus is run: --set \(section).root=FOLDER. No data yet? apus synth flow")
    }
  }

  /// Which samples to judge by, in order.
  func indices(of count: Int) -> [Int] {
    guard limit > 0, limit < count else { return Array(0..<count) }
    return (0..<limit).map { $0 * count / limit }
  }
}

/// How the network learns from a batch and is asked afterwards.
public struct FlowLearning: Codable, Sendable, Equatable, ValidatedConfig {
  /// Pairs in a batch.
  public var batchSize = 10
  /// Threads that read and augment; 0: the training thread itself. Changes the speed, never the result.
  public var workers = 1
  /// Updates of the flow field in training, and in validation and prediction.
  public var iterations = 12
  public var validationIterations = 24
  /// Where rows are added that bring an image to a multiple of 8 in validation and prediction: split, or (`kitti`) all at the bottom.
  public var padding = Padding.Mode.sintel
  /// Weight of an iteration relative to the next one.
  public var gamma = 0.8
  /// Longer vectors are left out of the loss, pixels.
  public var maxFlow = 400.0
  /// The largest learning rate; the schedule says when it is in force.
  public var learningRate = 4e-4
  /// Names of parameters that stay as they are; `*` stands for any text.
  public var freeze: [String] = []
  /// Learning rate and weight decay by the names of parameters; the first rule that fits counts.
  public var parameterRules: [ParameterRule] = []
  /// Gradients are scaled to this global L2 norm if theirs is larger; 0: never.
  public var clipNorm = 1.0
  /// Adds Gaussian noise with a deviation drawn from 0...5 grey levels to both images of a pair.
  public var addNoise = false

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(batchSize >= 1, "batch_size", batchSize, "1 or more")
    problems.require((0...64).contains(workers), "workers", workers, "0 to 64")
    problems.require(iterations >= 1, "iterations", iterations, "1 or more")
    problems.require(validationIterations >= 1, "validation_iterations", validationIterations, "1 or more")
    problems.require(gamma > 0 && gamma <= 1, "gamma", gamma, "above 0, at most 1")
    problems.require(maxFlow > 0, "max_flow", maxFlow, "above 0")
    problems.require(learningRate > 0 && learningRate.isFinite, "learning_rate", learningRate, "above 0")
    problems.require(clipNorm >= 0, "clip_norm", clipNorm, "0 (never) or more")
    return problems
  }
}

// Enums of other targets as config values: they know nothing of configs.
extension RAFT.Variant: ConfigChoice {}
extension FlyingChairs.Split: ConfigChoice {}
extension FlowAugmentation.Crop: ConfigChoice {}
extension Padding.Mode: ConfigChoice {}

extension Schedule.Kind: ConfigChoice {}
extension ParameterRule: ConfigElement {
  public init() { self.init("*") }
}
