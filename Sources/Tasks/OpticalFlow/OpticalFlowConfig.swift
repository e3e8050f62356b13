import Base
import Data
import Models
import Networks
import Tensors
import Training

/// The config of optical flow training; its defaults are RAFT-small on FlyingChairs.
public struct OpticalFlowConfig: TaskConfig, StagedConfig, ValidatedConfig {
  public var task = TaskName.opticalFlow
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
  /// The parts of a longer schedule, one after the other; none: the sections above are the whole run.
  public var stages: [FlowStage] = []

  public init() {
    schedule.extraSteps = 100  // as the authors' script plans it
  }

  public static let stagedSections = FlowStage.sections

  /// The stages of the run; a single one without a name if the config has none.
  var schedules: [FlowStage] { stages.isEmpty ? [FlowStage(of: self)] : stages }

  /// The learning rate of the update after `step` others, by the sections of the config itself.
  func rate(at step: Int) -> Double { FlowStage(of: self).rate(at: step) }

  public func problems() -> [ConfigProblem] {
    let whole = FlowStage(of: self)
    var problems = whole.sectionProblems + whole.problems(with: model, section: "")
    guard !stages.isEmpty else { return problems }
    for (index, stage) in stages.enumerated() {
      problems += stage.sectionProblems.map { ConfigProblem("stages.\(index).\($0.key)", $0.value, allowed: $0.allowed) }
      let known = Set(problems.map(\.key))  // what is wrong with the model is told once
      problems += stage.problems(with: model, section: "stages.\(index).").filter { !known.contains($0.key) }
      let isNew = !stages[..<index].contains { $0.name == stage.name }
      problems.require(isNew, "stages.\(index).name", stage.name, "a name that no stage before has")
    }
    guard stages.allSatisfy({ (1...1_000_000_000).contains($0.steps) }) else { return problems }
    let total = stages.reduce(0) { $0 + $1.steps }
    problems.require(plan.steps <= total, "plan.steps", plan.steps, "at most \(total), the steps of all stages")
    return problems
  }
}

// Enums of other targets as config values: they know nothing of configs.
extension Schedule.Kind: ConfigChoice {}
