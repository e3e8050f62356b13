import Base
import Networks
import WeightFiles

/// The loop's view of a task: it does one step, evaluates, and names what checkpoints hold. Tasks write a `StageTraining`, and
/// `StagedRecipe` makes the recipe of it.
///
/// The loop owns time (steps, stages, logs, checkpoints), the recipe owns learning. All randomness must come from `Random` keyed by the
/// step (or epoch and sample), so that a resumed run repeats the uninterrupted one bit for bit.
public protocol Recipe {
  /// The parts of the run; nil if it is one piece.
  var stages: Stages? { get }

  /// Updates in all stages together, where only the recipe knows them (a plan in epochs); nil: as the plan says.
  var steps: Int? { get }

  /// The names of the learning rates in `StepReport`, of all stages; `lr` comes first.
  var rateNames: [String] { get }

  /// The metrics in `StepReport` and in `EvaluationReport`; all of them, for the header of the table. Steps may lack some. The first
  /// metric of evaluations with a direction decides which checkpoint is the best.
  var trainMetrics: [MetricKind] { get }
  var evaluationMetrics: [MetricKind] { get }

  /// Begins a stage; called before its first step, and before `restore`.
  /// - Parameter isResuming: `restore` follows; weights to begin with are not needed.
  /// - Returns: lines for the user, such as what was taken over from a weight file.
  mutating func enter(stage index: Int, isResuming: Bool) throws -> [String]

  /// Draws the batch of this step, and then does forward, backward and update. What throws before the update changes nothing.
  /// - Parameter step: updates done before: 0 for the first.
  mutating func step(at step: Int) throws -> StepReport

  /// Judges the model on the validation set; nil if the config has none.
  /// - Parameters:
  ///   - step: updates done.
  ///   - monitor: told the progress; may ask to stop.
  /// - Throws: `EvaluationCancelled` if asked to stop.
  mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport?

  /// Everything that the next step depends on, by name: weights, optimisers, averages. Each is a file of the checkpoint.
  var parts: [(name: String, part: any Savable)] { get }

  /// The files of a checkpoint; by default one for each part. The names `state.json`, `config.yaml` and `MANIFEST.json` are taken.
  func checkpointFiles() throws -> [CheckpointFile]

  /// Takes over the files of a checkpoint, by name.
  /// - Parameter step: updates done when it was written.
  /// - Throws: `Failure(.badData)` if they do not fit this config.
  mutating func restore(_ files: [String: [UInt8]], at step: Int) throws

  /// The name of a parameter that holds a NaN or an infinity; asked after the loss diverged.
  func nonFiniteParameter() -> String?
}

extension Recipe {
  public var stages: Stages? { nil }
  public var steps: Int? { nil }
  public var rateNames: [String] { ["lr"] }
  public var parts: [(name: String, part: any Savable)] { [] }

  public mutating func enter(stage index: Int, isResuming: Bool) throws -> [String] { [] }

  public func checkpointFiles() throws -> [CheckpointFile] {
    parts.map { CheckpointFile(name: WeightFile.name(of: $0.name), bytes: $0.part.saved().bytes) }
  }

  public mutating func restore(_ files: [String: [UInt8]], at step: Int) throws {
    for (name, part) in parts {
      let file = WeightFile.name(of: name)
      guard let bytes = files[file] else { throw Failure(.badData, at: file, "the checkpoint lacks this file") }
      try part.restore(Safetensors(bytes: bytes, name: file), from: file)
    }
  }

  public func nonFiniteParameter() -> String? { parts.lazy.compactMap(\.part.nonFiniteName).first }
}

/// The record of one update.
public struct StepReport: Sendable, Equatable {
  /// Passes over the training set that are complete; shown only.
  public var epoch: Int
  /// Samples in the batch.
  public var samples: Int
  /// The learning rates of this update, by the recipe's `rateNames`.
  public var learningRates: Metrics
  /// Seconds spent waiting for the batch.
  public var dataSeconds: Double
  /// The numbers of this step; those that its kind lacks (a penalty that is taken every 16th step) are left out. The log holds the mean of
  /// each over the steps of an interval that had it.
  public var metrics: Metrics

  public init(epoch: Int = 0, samples: Int, learningRates: Metrics, dataSeconds: Double = 0, metrics: Metrics) {
    self.epoch = epoch
    self.samples = samples
    self.learningRates = learningRates
    self.dataSeconds = dataSeconds
    self.metrics = metrics
  }
}

/// The result of an evaluation.
public struct EvaluationReport: Sendable {
  public struct Picture: Sendable {
    public let name: String
    public let png: [UInt8]

    public init(name: String, png: [UInt8]) {
      self.name = name
      self.png = png
    }
  }

  public var metrics: Metrics
  /// Pictures for `vis/` and TensorBoard.
  public var pictures: [Picture]
  /// Warnings for the user, such as samples that could not be judged.
  public var warnings: [String]
  /// What the numbers depend on besides the weights, in lines, such as where boxes are from.
  public var notes: [String]
  /// Further metrics, of single classes for instance, whose names depend on the config: for programs.
  public var details: Metrics
  /// The same as a table, behind that of the metrics.
  public var table: String

  public init(
    metrics: Metrics, pictures: [Picture] = [], warnings: [String] = [], notes: [String] = [], details: Metrics = [:], table: String = ""
  ) {
    self.details = details
    self.table = table
    self.metrics = metrics
    self.pictures = pictures
    self.warnings = warnings
    self.notes = notes
  }
}

/// The way a run ended.
public enum RunOutcome: Sendable, Equatable {
  case completed
  /// Saved and stopped for a signal.
  case stopped(signal: Int32)
  /// Saved and stopped because `max_hours` are over.
  case outOfTime

  public var exitCode: Int32 {
    switch self {
    case .completed: 0
    case .stopped(let signal): StopSignal.exitCode(for: signal)
    case .outOfTime: 75
    }
  }
}
