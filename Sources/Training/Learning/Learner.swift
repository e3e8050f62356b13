import Base
import Networks
import Tensors
import WeightFiles

/// The plan of a `Learner` by the config: network, optimiser and schedule. One entry of `StageTraining.learners(_:_:)`.
public struct LearnerPlan {
  /// Sets several learners of a task apart, in the log (`lr_<name>`) and in checkpoints; empty for the only or main one.
  public let name: String
  public let module: any Module
  public let optimizer: OptimizerConfig
  public let schedule: Schedule
  /// The path of the optimiser's section in the config, for failures.
  public let key: String

  public init(_ name: String = "", _ module: any Module, _ optimizer: OptimizerConfig, _ schedule: Schedule, key: String = "optimizer") {
    self.name = name
    self.module = module
    self.optimizer = optimizer
    self.schedule = schedule
    self.key = key
  }

  /// The names of its learning rates in the log: `lr`, and one for each group that has a name and a rate of its own.
  public var rateNames: [String] { LearnerPlan.rates(name, optimizer).map(\.name) }

  static func rates(_ name: String, _ optimizer: OptimizerConfig) -> [(name: String, factor: Double)] {
    let base = name.isEmpty ? "lr" : "lr_\(name)"
    let groups = optimizer.groups.filter { !$0.freeze && $0.lrMult != 1 && !$0.logName.isEmpty }
    return [(base, 1)] + groups.map { ("\(base)_\($0.logName)", $0.lrMult) }
  }
}

/// The gradient step: gradients of a loss, clipped, and one update of a network along them.
///
/// ```swift
/// let update = try learner.update(loss, at: step)
/// ```
public struct Learner: Savable {
  /// One update: the learning rate it had, and the gradient's norm before clipping.
  public typealias Update = (learningRate: Double, norm: Double)

  public let name: String
  public let module: any Module
  public let optimizer: any Optimizer
  private let config: OptimizerConfig
  private let schedule: Schedule
  private let steps: Int
  /// In place of the schedule's factor of the peak rate, by the updates of the stage before.
  private let factor: ((Int) -> Double)?

  /// Freezes what the plan freezes, and begins with an optimiser whose running means are zero.
  /// - Parameters:
  ///   - steps: the length of the schedule: updates in the stage.
  ///   - stepsPerEpoch: for schedules in passes over the training set.
  ///   - section: what stands in front of the plan's key in the config.
  ///   - factor: of the peak rate, by the updates of the stage before; nil: that of the schedule.
  /// - Throws: `.usage` if a pattern fits no parameter, or nothing is left to learn.
  public init(
    _ plan: LearnerPlan, steps: Int, stepsPerEpoch: Int = 1, section: String = "", factor: ((Int) -> Double)? = nil
  ) throws {
    name = plan.name
    module = plan.module
    config = plan.optimizer
    schedule = plan.schedule.resolved(stepsPerEpoch: stepsPerEpoch)
    self.steps = steps
    self.factor = factor
    try config.freeze(in: plan.module, key: section + plan.key)
    optimizer = try config.make(for: plan.module.parameters())
  }

  /// The learning rate of an update of parameters without a group.
  /// - Parameter step: updates of the stage before it.
  public func learningRate(at step: Int) -> Double {
    config.learningRate * (factor?(step) ?? schedule.factor(at: step, of: steps))
  }

  /// All learning rates of an update, under their names in the log.
  public func learningRates(at step: Int) -> Metrics {
    var rates = Metrics()
    for (name, factor) in LearnerPlan.rates(name, config) { rates[name] = factor * learningRate(at: step) }
    return rates
  }

  /// The gradients of a loss with respect to what this learner trains.
  public func gradients(of loss: Tensor) -> Gradients { loss.gradients(of: optimizer.parameters.map(\.parameter.value)) }

  /// One update along given gradients.
  /// - Throws: `.diverged` naming the first parameter whose gradient is infinite or NaN; nothing is changed then.
  @discardableResult
  public func apply(_ gradients: Gradients, at step: Int) throws -> Update {
    let rate = learningRate(at: step)
    let clipped = try Profiler.span("clip") { try clip(gradients, of: optimizer.parameters, to: config.clipNorm) }
    Profiler.span("optimizer") { optimizer.step(gradients, learningRate: rate, scale: clipped.scale) }
    return (rate, clipped.norm)
  }

  /// One update along gradients whose NaNs count as 0 and infinities as ±10⁵, as StyleGAN2's training has it.
  /// - Returns: the update, and how many numbers were replaced.
  @discardableResult
  public func applyReplacing(_ gradients: Gradients, at step: Int) throws -> (norm: Double, replaced: Int) {
    let (finite, count) = gradients.replacingNonFinite(infinity: 1e5)
    return (try apply(finite, at: step).norm, count)
  }

  /// One update along the gradients of a loss.
  @discardableResult
  public func update(_ loss: Tensor, at step: Int) throws -> Update { try apply(gradients(of: loss), at: step) }

  public func saved() -> Safetensors { optimizer.saved() }

  public func restore(_ state: Safetensors, from origin: String) throws { try optimizer.restore(state, from: origin) }
}
