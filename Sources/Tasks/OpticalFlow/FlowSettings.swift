import Base
import Vision

/// A training step: how many pairs, and how the network runs on them. Section `train`.
public struct FlowTrainSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Pairs in a batch.
  public var batchSize = 10
  /// Threads that read and augment; 0: the training thread itself. Changes the speed, never the result.
  public var workers = 1
  /// Updates of the flow field.
  public var iterations = 12
  /// Batch norm uses and keeps its running statistics; its weight and bias still learn. The authors freeze it in all stages but the first.
  public var freezeBatchNorm = false
  /// Adds Gaussian noise with a deviation drawn from 0...5 grey levels to both images of a pair.
  public var addNoise = false

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize, most: 1_000_000)
    problems.requireWorkers(workers)
    problems.require((1...1000).contains(iterations), "iterations", iterations, "1 to 1000")
    return problems
  }
}

/// The sequence loss. Section `loss`.
public struct FlowLossSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Weight of an iteration relative to the next one.
  public var gamma = 0.8
  /// The longest flow in pixels that the loss counts.
  public var maxFlow = 400.0

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(gamma > 0 && gamma <= 1, "gamma", gamma, "above 0, at most 1")
    problems.require(maxFlow > 0 && maxFlow <= 1e9, "max_flow", maxFlow, "above 0, at most 1e9")
    return problems
  }
}

/// Inference settings, for validation and prediction. Section `inference`.
public struct FlowInferenceSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Updates of the flow field.
  public var iterations = 24
  /// The side on which rows are added that bring an image to a multiple of 8: half on each, or (`kitti`) all at the bottom.
  public var padding = Padding.Mode.sintel

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((1...1000).contains(iterations), "iterations", iterations, "1 to 1000")
    return problems
  }
}
