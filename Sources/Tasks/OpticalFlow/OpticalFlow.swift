import Base
import Data
import Foundation
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// Optical flow with RAFT.
public enum OpticalFlow: LearningTask {
  static let modelFile = "model.safetensors"
  static let metricKinds = [
    MetricKind("epe", unit: "px", "mean error of all known pixels", better: .lower),
    MetricKind("1px", "share of pixels with an error below 1 px", better: .higher),
    MetricKind("3px", "share of pixels with an error below 3 px", better: .higher),
    MetricKind("5px", "share of pixels with an error below 5 px", better: .higher),
    MetricKind("kitti_epe", unit: "px", "mean of the images' mean errors", better: .lower),
    MetricKind("kitti_f1", unit: "%", "pixels with an error above 3 px and above 5 %", better: .lower),
  ]

  public static func recipe(_ config: OpticalFlowConfig, weights: String?) throws -> FlowRecipe {
    try FlowRecipe(config, weights: weights)
  }

  /// The network with random weights from the config's seed.
  static func model(_ config: OpticalFlowConfig) -> RAFT {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return RAFT(config.model, &random)
  }

  public static func weightModel(_ config: OpticalFlowConfig) -> WeightModel {
    WeightModel(title: "RAFT-\(config.model.variant.rawValue)", module: model(config))
  }

  /// Takes over the weights of a file, under the authors' names or torchvision's.
  static func load(_ path: String, into model: RAFT) throws {
    let weights = try WeightFile.open(path) { FileHandle.standardError.write(Foundation.Data("\($0)\n".utf8)) }
    let file = weights.path
    try model.load(RAFT.official(weights.stateDictionary(), from: file), from: file)
    if let broken = model.parameters().first(where: { !$0.parameter.value.isFinite }) {
      throw Failure(.badData, at: file, "the parameter '\(broken.name)' holds infinities or NaN", remedy: "The training that made it diverged.")
    }
  }

  /// Keeps the parameters that fit these names as they are.
  /// - Throws: `.usage` if a name fits none, or nothing is left to learn.
  /// - Parameter key: where in the config the names stand, for failures.
  static func freeze(_ model: some Module, _ patterns: [String], key: String = "learning.freeze") throws {
    do {
      try model.freeze(patterns)
    } catch let failure as Failure {
      throw Failure(failure.kind, at: key, failure.problem, remedy: failure.remedy)
    }
    guard model.parameters().contains(where: { !$0.parameter.isFrozen }) else {
      throw Failure(.usage, at: key, "'\(patterns.joined(separator: "', '"))' leaves nothing to learn: all parameters are frozen",
                    remedy: "Freeze fewer; apus inspect --names lists the names.")
    }
  }

  static func estimator(_ config: OpticalFlowConfig, _ weights: String) throws -> FlowEstimator {
    let model = model(config)
    try load(weights, into: model)
    return FlowEstimator(model, config.learning)
  }

  public static func inspect(_ config: OpticalFlowConfig) throws -> ModelSummary {
    let model = model(config)
    let (h, w) = (config.augmentation.cropHeight, config.augmentation.cropWidth)
    let image = Tensor.zeros([1, h, w, 3])
    MemoryPool.resetHighWater()
    let flows = model(image, image, iterations: config.learning.iterations,
                      Pass(.training, frozenNormalization: config.learning.freezeBatchNorm)).flows
    let loss = RAFT.sequenceLoss(flows, target: .zeros([1, h, w, 2]), valid: .ones([1, h, w, 1]), gamma: config.learning.gamma)
    _ = loss.gradients(keepingGraph: true)
    return ModelSummary(
      title: "RAFT-\(config.model.variant.rawValue) on one pair of \(w)x\(h), \(config.learning.iterations) iterations",
      module: model, loss: loss, entries: model.stateDictionary().unshared.entries.map { ($0.name, $0.shape) },
      peakBytes: MemoryPool.statistics.highWater)
  }
}
