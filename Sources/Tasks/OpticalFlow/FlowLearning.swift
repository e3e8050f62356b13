import Base
import Networks
import Training
import Vision

/// How the network learns from a batch and is asked afterwards.
public struct FlowLearning: Codable, Sendable, Equatable, ValidatedConfig {
  /// Pairs in a batch.
  public var batchSize = 10
  /// Threads that read and augment; 0: the training thread itself. Changes the speed, never the result.
  public var workers = 1
  /// Updates of the flow field in training, and in validation and prediction.
  public var iterations = 12
  public var validationIterations = 24
  /// Where rows are added that bring an image to a multiple of 8 in validation and prediction: split, or (`kitti`) all at the bottom.
  public var padding = Padding.Mode.sintel
  /// Weight of an iteration relative to the next one.
  public var gamma = 0.8
  /// Longer vectors are left out of the loss, pixels.
  public var maxFlow = 400.0
  /// The largest learning rate; the schedule says when it is in force.
  public var learningRate = 4e-4
  /// Batch norm uses and keeps its running statistics in training, too; its weight and bias still learn. The authors freeze it in all
  /// stages after the first.
  public var freezeBatchNorm = false
  /// Names of parameters that stay as they are; `*` stands for any text.
  public var freeze: [String] = []
  /// Learning rate and weight decay by the names of parameters; the first group that fits counts.
  public var groups: [ParameterGroup] = []
  /// Gradients are scaled to this global L2 norm if theirs is larger; 0: never.
  public var clipNorm = 1.0
  /// Adds Gaussian noise with a deviation drawn from 0...5 grey levels to both images of a pair.
  public var addNoise = false

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(batchSize >= 1, "batch_size", batchSize, "1 or more")
    problems.require((0...64).contains(workers), "workers", workers, "0 to 64")
    problems.require(iterations >= 1, "iterations", iterations, "1 or more")
    problems.require(validationIterations >= 1, "validation_iterations", validationIterations, "1 or more")
    problems.require(gamma > 0 && gamma <= 1, "gamma", gamma, "above 0, at most 1")
    problems.require(maxFlow > 0, "max_flow", maxFlow, "above 0")
    problems.require(learningRate > 0 && learningRate.isFinite, "learning_rate", learningRate, "above 0")
    problems.require(clipNorm >= 0, "clip_norm", clipNorm, "0 (never) or more")
    return problems
  }
}
