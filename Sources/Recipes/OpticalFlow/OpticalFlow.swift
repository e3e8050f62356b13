import Data
import Foundation
import Models
import Networks
import Tensors
import Training
import Vision

/// Optical flow with RAFT.
public enum OpticalFlow: LearningTask {
  static let modelFile = "model.safetensors"
  static let metricNames = ["epe", "1px", "3px", "5px", "kitti_epe", "kitti_f1"]

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
    let file = try WeightFile.locate(path)
    try model.load(RAFT.official(StateDictionary(at: file), from: file), from: file)
    if let broken = model.parameters().first(where: { !$0.parameter.value.isFinite }) {
      throw Failure(.badData, at: file, "the parameter '\(broken.name)' holds infinities or NaN", remedy: "The training that made it diverged.")
    }
  }

  /// Keeps the parameters that the config names as they are.
  /// - Throws: `.usage` if a name fits none, or nothing is left to learn.
  static func freeze(_ model: RAFT, _ config: OpticalFlowConfig) throws {
    let key = "learning.freeze", patterns = config.learning.freeze
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

  static func metrics(_ errors: EndPointError) -> Metrics {
    ["epe": errors.mean, "1px": errors.fractionBelow1, "3px": errors.fractionBelow3, "5px": errors.fractionBelow5,
     "kitti_epe": errors.meanOfImages, "kitti_f1": 100 * errors.outlierShare]
  }

  public static func evaluate(
    _ config: OpticalFlowConfig, weights: String, visuals: String?, progress: (Int, Int) -> Void
  ) throws -> Metrics {
    guard let data = try config.validation.open("validation") else {
      throw Failure(.usage, at: "validation.format", "'none' leaves nothing to evaluate on", remedy: "Choose flying_chairs or pairs.")
    }
    let estimator = try estimator(config, weights)
    let indices = config.validation.indices(of: data.count)
    var done = 0, still = EndPointError()
    if let visuals { try File.createFolder(visuals) }
    let errors = try estimator.errors(on: data, indices) { index, sample, flow in
      let zero = FlowField(height: flow.height, width: flow.width, vectors: Array(repeating: 0, count: flow.vectors.count))
      still.add(predicted: zero, truth: sample.flow)
      if let visuals {
        let name = data.name(of: index)
        let sheet = FlowSheet(image1: sample.image1, image2: sample.image2, truth: sample.flow, predicted: flow, title: name)
        try sheet.image().write(to: "\(visuals)/\(name).png")
      }
      done += 1
      progress(done, indices.count)
    }
    var metrics = metrics(errors)
    metrics["epe_of_zero_flow"] = still.mean
    metrics["pairs"] = Double(indices.count)
    return metrics
  }

  public static func predict(
    _ config: OpticalFlowConfig, weights: String, source: String, out: String, progress: (Int, Int) -> Void
  ) throws -> [String] {
    let frames = try FrameSequence(folder: source)
    let estimator = try estimator(config, weights)
    try File.createFolder(out)
    var previous = try frames.image(at: 0)
    let names = (0..<frames.count - 1).map(frames.name(of:))
    if let double = Dictionary(grouping: names, by: { $0 }).first(where: { $0.value.count > 1 })?.key {
      throw Failure(.badData, at: source, "several frames are named '\(double)', so would be their results",
                    remedy: "Keep one format of each frame in this folder.")
    }
    for index in 1..<frames.count {
      let next = try frames.image(at: index)
      guard next.height == previous.height, next.width == previous.width else {
        throw Failure(
          .badData, at: frames.files[index],
          "this frame is \(next.width)x\(next.height), the one before \(previous.width)x\(previous.height); all must be of one size")
      }
      let flow = estimator(previous, next), name = names[index - 1]
      try flow.write(to: "\(out)/\(name).flo")
      try FlowWheel.annotatedImage(of: flow).write(to: "\(out)/\(name)_flow.png")
      previous = next
      progress(index, frames.count - 1)
    }
    return ["\(frames.count - 1) flow fields in \(out): NAME.flo (Middlebury format) and NAME_flow.png"]
  }

  private static func estimator(_ config: OpticalFlowConfig, _ weights: String) throws -> FlowEstimator {
    let model = model(config)
    try load(weights, into: model)
    return FlowEstimator(model: model, iterations: config.learning.validationIterations)
  }

  public static func inspect(_ config: OpticalFlowConfig) throws -> ModelSummary {
    let model = model(config)
    let (h, w) = (config.augmentation.cropHeight, config.augmentation.cropWidth)
    let image = Tensor.zeros([1, h, w, 3])
    MemoryPool.resetHighWater()
    let flows = model(image, image, iterations: config.learning.iterations, Pass(.training)).flows
    let loss = RAFT.sequenceLoss(flows, target: .zeros([1, h, w, 2]), valid: .ones([1, h, w, 1]), gamma: config.learning.gamma)
    _ = loss.gradients(keepingGraph: true)
    return ModelSummary(
      title: "RAFT-\(config.model.variant.rawValue) on one pair of \(w)x\(h), \(config.learning.iterations) iterations",
      module: model, loss: loss, entries: model.stateDictionary().entries.map { ($0.name, $0.shape) },
      peakBytes: MemoryPool.statistics.highWater)
  }
}
