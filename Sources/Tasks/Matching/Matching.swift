import Base
import Data
import Models
import Networks
import Tensors
import Training
import Vision

/// A learned affinity of tracks and detections.
public enum Matching: LearningTask {
  public typealias TaskTraining = MatchingTraining

  public static func model(_ config: MatchingConfig) -> MatchNetwork {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return MatchNetwork(config.model, inputs: PairFeatures.count, &random)
  }

  public static func modelTitle(_ config: MatchingConfig) -> String {
    "perceptron of \(config.model.layers) x \(config.model.hidden) units"
  }

  // MARK: Costs

  /// The pairs of a track as a picture of one row.
  public static func inputShape(_ config: MatchingConfig) -> InputShape {
    InputShape(samples: config.train.batchSize, height: 1, width: config.pairs.most)
  }

  public static func inputSizes(_ model: MatchNetwork) -> (least: Int, step: Int) { (1, 1) }

  public static func pass(_ model: MatchNetwork, _ config: MatchingConfig, _ shape: InputShape, _ mode: PassMode) -> Tensor {
    let count = shape.samples * shape.height * shape.width
    let logits = model(.zeros([count, model.inputs]))
    return mode == .training ? binaryCrossEntropy(logits, .zeros([count])) : logits
  }

  // MARK: Words

  public static let help = {
    var help = TaskHelp(title: "affinity of tracks and detections")
    help.train = """
      Affinity of tracks and detections: data.root is a folder of sequences in MOT layout; detections are told by the ground truth, and
      misses, false boxes and jitter are added (noise, pairs).

      Example:
        apus train configs/tracking/affinity-demo.yaml
      """
    help.evaluate = """
      Affinity of tracks and detections: average precision of pairs, and how often the best detection of a track is the right one, beside
      what the overlap with the predicted box alone gives.
      """
    help.parity = """
      Affinity of tracks and detections reads features [n, \(PairFeatures.count)] and target [n] (1 or 0); it writes output.logits [n] and
      loss.total.
      """
    help.parityInputs = "Inputs are features and target."
    return help
  }()
}

extension Matching: ParityTask {
  /// The pairs of a parity file.
  public struct Inputs {
    let features: Tensor
    let targets: Tensor
  }

  /// Reads `features` `[n, inputs]` and `target` `[n]`.
  public static func inputs(_ file: ParityInputs, _ model: MatchNetwork) throws -> Inputs {
    let features = try file.tensor("features", "[n, \(model.inputs)]") { $0.count == 2 && $0[1] == model.inputs }
    return Inputs(features: features, targets: try file.tensor("target", shape: [features.shape[0]]))
  }

  public static func phases(_ model: MatchNetwork, _ config: MatchingConfig, _ inputs: Inputs) throws -> [ParityPhase] {
    let learner = try Learner(MatchingTraining.learners(config, model)[0], steps: config.plan.steps)
    return [ParityPhase(learner: learner) {
      let logits = model(inputs.features)
      return ParityPass(outputs: [("logits", logits)], losses: [("total", binaryCrossEntropy(logits, inputs.targets))])
    }]
  }
}

/// The probability that a detection belongs to a track, by a trained network.
public struct MatchScorer {
  private let network: MatchNetwork

  public init(_ network: MatchNetwork) { self.network = network }

  /// One probability for each pair, 0...1.
  public func probabilities(_ pairs: [PairFeatures]) -> [Double] {
    guard !pairs.isEmpty else { return [] }
    return noGradient { network(Tensor(features: pairs)).sigmoid().floats.map(Double.init) }
  }
}

extension Tensor {
  /// `[n, features]`.
  init(features: [PairFeatures]) {
    self.init(features.flatMap { $0.values.map(Float.init) }, shape: [features.count, PairFeatures.count])
  }
}
