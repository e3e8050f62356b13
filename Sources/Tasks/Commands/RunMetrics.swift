import Training

/// The metrics in the log of a task's runs.
public struct RunMetrics: Sendable, Equatable {
  public var training: [MetricKind]
  public var evaluation: [MetricKind]

  public init(training: [MetricKind], evaluation: [MetricKind]) { (self.training, self.evaluation) = (training, evaluation) }

  /// The metric that decides which checkpoint is the best.
  public var score: MetricKind? { evaluation.first { $0.better != nil } }
}

extension LearningTask {
  fileprivate static var loggedMetrics: RunMetrics {
    RunMetrics(training: TaskTraining.trainMetrics, evaluation: TaskTraining.evaluationMetrics)
  }
}

extension ConfiguredTask {
  /// The metrics in the log of this task's runs; of one that is not trained those of its evaluation.
  public static var runMetrics: RunMetrics {
    (Self.self as? any LearningTask.Type)?.loggedMetrics ?? RunMetrics(training: [], evaluation: metricLists.evaluated)
  }

  /// A config with every value and its origin. What it leaves to its data stays open, so that no data are needed.
  /// - Throws: `.usage` listing every problem with its place.
  public static func tracedConfig(_ request: ConfigRequest) throws -> ResolvedConfig {
    try ConfigLoader(defaults: Config()).load(file: request.path, overrides: request.overrides).untyped
  }

  /// The values of a config that says nothing.
  public static func defaultConfig() throws -> ResolvedConfig { try ResolvedConfig(defaults: Config()) }
}
