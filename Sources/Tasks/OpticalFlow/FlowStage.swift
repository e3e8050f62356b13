import Base
import Data
import Models
import Networks
import Training

/// A part of the run with data, learning and schedule of its own. What is not set is as in the section of the config with the same name.
///
/// The weights go from stage to stage. Everything else begins anew, as if each stage were a run that starts from the last one's weights: the
/// optimiser, the learning rate's schedule over the steps of the stage, and the order of the data.
public struct FlowStage: ConfigElement, Equatable, ValidatedConfig {
  /// In logs, and in checkpoints.
  public var name = ""
  /// Updates in this stage; to be set.
  public var steps = 0
  public var data = FlowData()
  public var validation = FlowData(split: .validation)
  public var augmentation = FlowAugmentation.chairs
  public var learning = FlowLearning()
  public var optimizer = AdamW.Config(weightDecay: 1e-4)
  public var schedule = Schedule(.oneCycle)

  /// The sections of a config that a stage overlays.
  static let sections = ["data", "validation", "augmentation", "learning", "optimizer", "schedule"]

  public init() {}

  /// The whole of a run without stages.
  init(of config: OpticalFlowConfig) {
    steps = config.plan.steps
    (data, validation, augmentation) = (config.data, config.validation, config.augmentation)
    (learning, optimizer, schedule) = (config.learning, config.optimizer, config.schedule)
  }

  /// The config with the sections of this stage: what it would be for a run of its own.
  func laid(over config: OpticalFlowConfig) -> OpticalFlowConfig {
    var own = config
    (own.data, own.validation, own.augmentation) = (data, validation, augmentation)
    (own.learning, own.optimizer, own.schedule) = (learning, optimizer, schedule)
    return own
  }

  /// The learning rate of the update after `step` others of this stage.
  func rate(at step: Int) -> Double { schedule.learningRate(at: step, of: steps, peak: learning.learningRate) }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(!name.isEmpty, "name", "'\(name)'", "a name")
    problems.require((1...1_000_000_000).contains(steps), "steps", steps, "1 to 1000000000")
    return problems
  }

  /// What does not fit the model.
  /// - Parameter section: the key of the stage in the config, with a point behind.
  func problems(with model: RAFT.Config, section: String) -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let (height, width, least) = (augmentation.cropHeight, augmentation.cropWidth, model.minimumSize)
    problems.require(height % 8 == 0 && height >= least, "\(section)augmentation.crop_height", height, "a multiple of 8, at least \(least)")
    problems.require(width % 8 == 0 && width >= least, "\(section)augmentation.crop_width", width, "a multiple of 8, at least \(least)")
    return problems + model.problems(iterations: learning.iterations, validationIterations: learning.validationIterations)
      .map { ConfigProblem("model.\($0.key)", $0.value, allowed: $0.allowed) }
  }

  /// What is out of range in the sections that do not judge themselves; keys are relative to the stage.
  var sectionProblems: [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((0..<1).contains(optimizer.beta1), "optimizer.beta1", optimizer.beta1, "0 or more, below 1")
    problems.require((0..<1).contains(optimizer.beta2), "optimizer.beta2", optimizer.beta2, "0 or more, below 1")
    problems.require(optimizer.epsilon > 0, "optimizer.epsilon", optimizer.epsilon, "above 0")
    problems.require(optimizer.weightDecay >= 0, "optimizer.weight_decay", optimizer.weightDecay, "0 or more")
    return problems
  }
}
