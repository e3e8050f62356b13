import Base
import Networks
import Tensors
import Training

/// A task: a config, and what the commands do with it. It either learns (`LearningTask`), or puts together what other tasks learnt
/// (`AssembledTask`).
///
/// The bodies of the commands stand in `Commands`, once for all tasks. The word *task* is the protocol's alone: `Task` itself is Swift's
/// unit of concurrency.
public protocol ConfiguredTask {
  associatedtype Config: RunnableConfig

  /// The task's paragraphs in the command line's help.
  static var help: TaskHelp { get }

  /// What a config leaves to its data, such as the number of classes, as values to be laid over it; called with every other value in force.
  static func derived(_ config: Config) throws -> [ConfigOverride]
}

extension ConfiguredTask {
  public static func derived(_ config: Config) throws -> [ConfigOverride] { [] }
}

/// A task made of networks that other tasks train: it is run and judged, and has nothing of its own to learn.
public protocol AssembledTask: ConfiguredTask {
  /// What to do instead of training, predicting and inspecting, in a sentence.
  static var advice: String { get }

  /// All metrics of `evaluate`.
  static var metrics: [MetricKind] { get }

  /// Further metrics that come from the numbers of single samples, which `evaluate` gives where these are asked for.
  static var sampleMetrics: [MetricKind] { get }

  /// Runs it on the validation set, and judges what comes of it.
  /// - Parameters:
  ///   - results: a folder for the results of every sample; nil: none.
  ///   - monitor: told the progress; may ask to stop.
  static func evaluate(_ config: Config, results: String?, _ monitor: EvaluationMonitor) throws -> EvaluationReport
}

/// A task with a network, and how to train it. One that can do more than train conforms to `EvaluationTask`, `PredictionTask` and
/// `ParityTask` as well.
public protocol LearningTask: ConfiguredTask where Config: TaskConfig {
  associatedtype Model: PublishedModel
  associatedtype TaskTraining: StageTraining where TaskTraining.Config == Config

  /// The network with random weights from the config's seed.
  static func model(_ config: Config) -> Model

  /// The network's name in messages, such as `ResNet-50`.
  static func modelTitle(_ config: Config) -> String

  /// The size of a training batch.
  static func inputShape(_ config: Config) -> InputShape

  /// The sizes that the network takes, for measuring its memory: heights and widths that are a multiple of `step` and at least `least`.
  static func inputSizes(_ model: Model) -> (least: Int, step: Int)

  /// One pass over an input of zeros, for costs and memory.
  /// - Returns: the loss in training, else anything that depends on all of the pass.
  static func pass(_ model: Model, _ config: Config, _ shape: InputShape, _ mode: PassMode) -> Tensor

  /// Advice for inputs that need more memory than there is, in words, such as a setting that needs less; the batch's own settings are
  /// named already.
  static func memoryRemedy(_ config: Config, _ mode: PassMode) -> String
}

extension LearningTask {
  public static func memoryRemedy(_ config: Config, _ mode: PassMode) -> String { "" }
}

/// Images in a batch and their size in pixels.
public struct InputShape: Sendable, Equatable, CustomStringConvertible {
  public var samples: Int
  public var height: Int
  public var width: Int

  public init(samples: Int, height: Int, width: Int) {
    self.samples = samples
    self.height = height
    self.width = width
  }

  public var description: String { "\(samples) of \(width)x\(height)" }
}

/// The purpose of a forward pass.
public enum PassMode: Sendable { case training, inference }

/// A task with a validation set.
public protocol EvaluationTask: LearningTask {
  /// All metrics of `evaluate`.
  static var metrics: [MetricKind] { get }

  /// Further metrics that come from the numbers of single samples, which `evaluate` gives where these are asked for.
  static var sampleMetrics: [MetricKind] { get }

  /// Judges a network on the validation set.
  /// - Parameters:
  ///   - visuals: a folder for pictures of every sample; `nil`: none.
  ///   - monitor: told the progress; may ask to stop.
  static func evaluate(_ config: Config, _ model: Model, visuals: String?, _ monitor: EvaluationMonitor) throws -> EvaluationReport
}

extension EvaluationTask {
  public static var sampleMetrics: [MetricKind] { [] }
}

/// A task with a format for the results of a whole evaluation, such as a benchmark takes.
public protocol ResultsTask: EvaluationTask {
  /// As `evaluate`, and writes what the network says about every sample.
  /// - Parameter results: the file.
  static func evaluate(
    _ config: Config, _ model: Model, visuals: String?, results: String, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport
}

/// A task whose network makes result files from what a user names.
public protocol PredictionTask: LearningTask {
  associatedtype TaskPredictor: Predictor

  /// The options of `apus predict` that this task has; each sets a key of the config.
  static var predictOptions: [TaskOption] { get }

  /// The predictor for a source.
  /// - Parameters:
  ///   - model: its weights may be read later than this call.
  ///   - source: a folder, or files.
  static func predictor(_ config: Config, _ model: Model, source: [String]) throws -> TaskPredictor
}

extension PredictionTask {
  public static var predictOptions: [TaskOption] { [] }
}

/// An option of a command that one task brings, as a name for a key of its config.
public struct TaskOption: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// `--name VALUE`.
    case value
    /// `--name`, which sets the key to true.
    case flag
    /// `--name` and `--no-name`.
    case switchable
  }

  /// Without the dashes, such as `warm-start`.
  public let name: String
  /// The dotted key that it sets.
  public let key: String
  public let kind: Kind
  public let help: String

  public init(_ name: String, key: String, _ kind: Kind, help: String) {
    self.name = name
    self.key = key
    self.kind = kind
    self.help = help
  }

  /// `--name VALUE` as a config value.
  public func override(_ value: String) -> ConfigOverride { ConfigOverride(key: key, value: value, option: "--\(name) \(value)") }

  /// `--name` or `--no-name` as a config value.
  public func override(_ isOn: Bool) -> ConfigOverride {
    ConfigOverride(key: key, value: "\(isOn)", option: isOn ? "--\(name)" : "--no-\(name)")
  }
}

/// The words of a task in the command line's help: paragraphs and examples, one text for each command.
public struct TaskHelp: Sendable {
  /// The task in a few words, such as `ResNet classification`.
  public var title: String
  /// Examples of `apus --help`, one a line.
  public var examples: [String] = []
  public var train = ""
  public var evaluate = ""
  public var predict = ""
  public var inspect = ""
  public var convert = ""
  public var parity = ""
  /// The tensors that `apus parity` reads, in a sentence.
  public var parityInputs = ""

  public init(title: String) { self.title = title }
}
