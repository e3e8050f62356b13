import Base
import Networks
import Tensors

/// A config of any task, be it trained or only run.
public protocol RunnableConfig: Codable, Sendable {
  init()

  /// What it says about the whole process.
  var computation: Computation { get }
}

/// How a process computes. In the config of a task that is not trained it is the section `plan`.
public struct Computation: Codable, Sendable, Equatable, ValidatedConfig {
  /// Worker threads; 0: one for each core. Changes the speed, never the result.
  public var threads = 0
  /// The precision of products. Changes speed and rounding.
  public var matmulPrecision = MatmulPrecision.highest
  /// The scope of bit-for-bit reproducibility, as in `Plan`.
  public var reproducible = Reproducibility.machine

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((0...4096).contains(threads), "threads", threads, "0 (one for each core) to 4096")
    return problems
  }
}

/// The sections that the configs of all tasks share.
///
/// A config file may have a list `stages`; each entry has a `name`, `steps` or `epochs`, and overlays any section of the config.
public protocol TaskConfig: RunnableConfig {
  /// Length of the run, and when to log, evaluate and save.
  var plan: Plan { get set }

  /// The weights to begin with. Those of the config itself are for the first stage; a later one has its own or takes the weights of the
  /// stage before.
  var initialize: Initialization { get set }

  /// Sections that no stage may change, besides `plan`.
  static var fixedSections: Set<String> { get }

  /// Keys of older configs with their names of today, for error messages: `learning.clip_norm` → `optimizer.clip_norm`.
  static var renamedKeys: [String: String] { get }
}

extension TaskConfig {
  public var computation: Computation {
    var computation = Computation()
    (computation.threads, computation.matmulPrecision, computation.reproducible) = (plan.threads, plan.matmulPrecision, plan.reproducible)
    return computation
  }

  public static var fixedSections: Set<String> { [] }
  public static var renamedKeys: [String: String] { [:] }
}

/// The config of a task whose networks learn by one optimiser.
public protocol OptimizedConfig: TaskConfig {
  var optimizer: OptimizerConfig { get }
  var schedule: Schedule { get }
}

/// A part of a run: what to do for how long, as a config of its own.
///
/// The weights go from stage to stage. Everything else begins anew, as if each stage were a run that starts from the weights of the one
/// before: the optimiser, the learning rate's schedule over the steps of the stage, and the order of the data.
public struct Stage<Config: TaskConfig>: Sendable {
  /// In logs and checkpoints; empty for a run in one piece.
  public let name: String
  /// Its number in the run, from 0.
  public let index: Int
  /// Updates before it.
  public var start = 0
  /// Updates in it; 0 as long as `epochs` are not turned into steps.
  public var steps: Int
  /// Passes over the training set in it, if it is that long; else 0.
  public let epochs: Int
  /// The prefix of the stage's keys in the config: `stages.2.`, or nothing for a run in one piece.
  public let section: String
  /// The config with the sections of this stage: what it would be for a run of its own.
  public let config: Config

  init(name: String, index: Int, steps: Int, epochs: Int, section: String, config: Config) {
    self.name = name
    self.index = index
    self.steps = steps
    self.epochs = epochs
    self.section = section
    self.config = config
  }

  /// A run in one piece.
  public init(of config: Config) {
    let epochs = config.plan.epochs
    self.init(name: "", index: 0, steps: epochs > 0 ? 0 : config.plan.steps, epochs: epochs, section: "", config: config)
  }
}
