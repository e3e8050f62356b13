import Base
import Tensors
import Training

/// One kind of thing to learn, with everything that the command line can do with it.
public protocol LearningTask {
  associatedtype Config: TaskConfig
  associatedtype TaskRecipe: Recipe

  /// The model and its training, ready for the loop.
  /// - Parameter weights: a weight file to start from; `nil` for random weights.
  static func recipe(_ config: Config, weights: String?) throws -> TaskRecipe

  /// Metrics of a weight file on the validation set.
  /// - Parameter progress: told how many samples of how many are done.
  static func evaluate(_ config: Config, weights: String, visuals: String?, progress: (Int, Int) -> Void) throws -> Metrics

  /// What a metric of `evaluate` says, with its unit; empty if the name is not known.
  static func meaning(of metric: String) -> String

  /// Results and pictures for everything in `source` (a folder, or files), written to the folder `out`; returns the lines of a report.
  static func predict(_ config: Config, weights: String, source: [String], out: String, progress: (Int, Int) -> Void) throws -> [String]

  /// Layers, sizes and costs.
  static func inspect(_ config: Config) throws -> ModelSummary

  /// What a weight file for this config must hold.
  static func weightModel(_ config: Config) -> WeightModel

  /// Outputs, losses, gradients and updated parameters for the tensors of a file, for comparison with other frameworks.
  static func parity(_ config: Config, _ request: ParityRequest) throws
}

/// What `apus parity` asks for.
public struct ParityRequest: Sendable {
  /// Safetensors files: the weights by official names, the inputs, and where results go.
  public let weights, inputs, out: String
  /// Optimiser steps, all on the same inputs; 0: gradients only.
  public let steps: Int
  public let precision: Precision

  public init(weights: String, inputs: String, out: String, steps: Int, precision: Precision) {
    (self.weights, self.inputs, self.out, self.steps, self.precision) = (weights, inputs, out, steps, precision)
  }
}

/// The tasks by the name that stands in a config under `recipe`.
public enum RecipeName: String, ConfigChoice {
  case opticalFlow

  /// The compiler is the registry: a new task is a new case here.
  public var task: any LearningTask.Type {
    switch self {
    case .opticalFlow: OpticalFlow.self
    }
  }

  /// The recipe that a config file names.
  public static func named(in path: String, overrides: [ConfigOverride]) throws -> RecipeName {
    try ConfigLayers.choice("recipe", of: RecipeName.self, in: path, overrides: overrides)
  }
}
