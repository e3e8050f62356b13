import Base
import Networks
import WeightFiles

/// The training of a task in one stage: its networks, data, optimisers and gradient step. Its recipe is `StagedRecipe<Self>`.
///
/// ```swift
/// struct Classification: StageTraining {
///   static func model(_ config: Config) -> Classifier { ... }                           // random weights from the config's seed
///   static func learners(_ config: Config, _ model: Classifier) -> [LearnerPlan] { [LearnerPlan("", model, config.optimizer, ...)] }
///   mutating func step(at step: Int) throws -> StepReport { ... learners[0].update(loss, at: step) ... }
/// }
/// ```
public protocol StageTraining {
  associatedtype Config: TaskConfig
  /// All networks that are trained; of an adversarial task generator and discriminator in one module.
  associatedtype Model: Module
  /// The data of a stage, opened.
  associatedtype Sets

  /// The metrics of `StepReport`; steps may lack some of them.
  static var trainMetrics: [MetricKind] { get }
  /// The metrics of `evaluate`; the first one with a direction decides which checkpoint is the best.
  static var evaluationMetrics: [MetricKind] { get }
  /// The part that `--weights RUN` takes: that of the weights by default, or of an averaged copy.
  static var weightsPart: String { get }

  /// The networks with random weights from the config's seed.
  static func model(_ config: Config) throws -> Model

  /// The plans of the learners, one for each network or group of networks that has an optimiser of its own. With an `OptimizedConfig` by
  /// default one for all.
  static func learners(_ config: Config, _ model: Model) -> [LearnerPlan]

  /// The names of other files in those of the model, for `initialize`.
  static func canonical(_ state: StateDictionary, from origin: String) throws -> StateDictionary

  /// Checks a file that shall fill the whole model, to say more about one that does not fit than its names and shapes.
  static func requireFit(_ state: StateDictionary, _ model: Model, from origin: String) throws

  /// Opens the data of a stage; done for every stage before the first step, so that a missing folder is told at once.
  static func open(_ stage: Stage<Config>) throws -> Sets

  /// Steps in a pass over the training set, for stages that are given in epochs.
  static func stepsPerEpoch(_ sets: Sets, _ config: Config) -> Int

  /// Begins a stage.
  /// - Parameters:
  ///   - model: with the weights to begin with.
  ///   - learners: one for each entry of `learners(_:_:)`.
  init(_ stage: Stage<Config>, _ sets: Sets, _ model: Model, _ learners: [Learner]) throws

  var model: Model { get }
  var learners: [Learner] { get }
  /// The savable parts of a checkpoint, by name. By default `model`, and `optimizer` or `optimizer_<name>` for each learner.
  var parts: [(name: String, part: any Savable)] { get }

  /// Draws the batches of a step, and then does forward, backward and update.
  /// - Parameter step: updates of this stage before it. All randomness comes from `Random` keyed by it, or from the data's order.
  mutating func step(at step: Int) throws -> StepReport

  /// Judges the model on the validation set; nil if there is none.
  /// - Parameter step: updates of the whole run.
  mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport?
}

extension StageTraining where Config: OptimizedConfig {
  public static func learners(_ config: Config, _ model: Model) -> [LearnerPlan] {
    [LearnerPlan("", model, config.optimizer, config.schedule)]
  }
}

extension StageTraining {
  public static var weightsPart: String { WeightFile.standardPart }

  public static func canonical(_ state: StateDictionary, from origin: String) throws -> StateDictionary { state }

  public static func requireFit(_ state: StateDictionary, _ model: Model, from origin: String) throws {}

  public var parts: [(name: String, part: any Savable)] { standardParts }

  /// The weights and the optimisers.
  public var standardParts: [(name: String, part: any Savable)] {
    [(WeightFile.standardPart, Weights(of: model))]
      + learners.map { ($0.name.isEmpty ? "optimizer" : "optimizer_\($0.name)", $0) }
  }
}
