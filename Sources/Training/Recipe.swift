/// What a task brings to the loop: how to learn from a batch, how to judge the model, and what to save.
///
/// The engine owns time (steps, logs, checkpoints), the recipe owns learning. All randomness must come from `Random` keyed by
/// the step (or epoch and sample), so that a resumed run repeats the uninterrupted one bit for bit.
public protocol Recipe {
  /// The parts of the run; nil if it is one piece.
  var stages: Stages? { get }

  /// The names in `StepReport.metrics`, and in `EvaluationReport.metrics`; all of them, for the header of the table.
  var trainMetrics: [String] { get }
  var evaluationMetrics: [String] { get }

  /// Draws the batch of this step, and does forward, backward and update.
  /// - Parameter step: updates done before: 0 for the first.
  mutating func step(at step: Int) throws -> StepReport

  /// Judges the model on the validation set; nil if the config has none.
  /// - Parameter step: updates done.
  mutating func evaluate(at step: Int) throws -> EvaluationReport?

  /// Everything that the next step depends on: parameters, buffers, optimiser. The names `state.json`, `config.yaml` and
  /// `MANIFEST.json` belong to the engine.
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

  public func nonFiniteParameter() -> String? { nil }
}

/// What one update tells.
public struct StepReport: Sendable, Equatable {
  /// Passes over the training set that are complete; shown only.
  public var epoch: Int
  /// Samples in the batch.
  public var samples: Int
  /// The learning rate of this update.
  public var learningRate: Double
  /// Seconds spent waiting for the batch.
  public var dataSeconds: Double
  /// `loss` first; `grad_norm` is the gradient's norm before clipping. These two must be finite. The log holds their means
  /// over the steps of an interval.
  public var metrics: Metrics

  public init(epoch: Int = 0, samples: Int, learningRate: Double, dataSeconds: Double = 0, metrics: Metrics) {
    (self.epoch, self.samples, self.learningRate) = (epoch, samples, learningRate)
    (self.dataSeconds, self.metrics) = (dataSeconds, metrics)
  }

  /// The first of `loss` and `grad_norm` that is not finite.
  var nonFiniteMetric: Metrics.Element? {
    metrics.first { ["loss", "grad_norm"].contains($0.name) && !$0.value.isFinite }
  }
}

/// What an evaluation tells.
public struct EvaluationReport: Sendable {
  public struct Picture: Sendable {
    public let name: String
    public let png: [UInt8]

    public init(name: String, png: [UInt8]) {
      (self.name, self.png) = (name, png)
    }
  }

  public var metrics: Metrics
  /// The metric that decides which checkpoint is the best.
  public var score: String
  public var lowerIsBetter: Bool
  /// Pictures for `vis/` and TensorBoard.
  public var pictures: [Picture]

  /// - Precondition: `metrics` holds a number named `score`.
  public init(metrics: Metrics, score: String, lowerIsBetter: Bool, pictures: [Picture] = []) {
    guard metrics[score] != nil else { fatalError("evaluation: the score '\(score)' is not among \(metrics.names)") }
    (self.metrics, self.score, self.lowerIsBetter, self.pictures) = (metrics, score, lowerIsBetter, pictures)
  }
}

/// How a run ended.
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
