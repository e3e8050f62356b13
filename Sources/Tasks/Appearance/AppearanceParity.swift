import Base
import Models
import Networks
import Tensors
import Training

extension Appearance: ParityTask {
  /// The tensors of a parity file.
  public struct Inputs {
    let images: Tensor
    let labels: [Int]
  }

  /// Reads `image` `[n, 3, h, w]`, 0 to 255, and `label` `[n]`, identities from 0.
  public static func inputs(_ file: ParityInputs, _ model: AppearanceLearning) throws -> Inputs {
    let config = model.network.config
    let image = try file.tensor("image", shape: [nil, 3, config.height, config.width])
    let labels = try file.tensor("label", shape: [image.shape[0]]).doubles
    let most = model.head.scale == nil ? Int.max : model.head.weight?.shape[0] ?? Int.max
    if let bad = labels.first(where: { !($0 >= 0 && $0 < Double(most) && $0 == $0.rounded()) }) {
      throw Failure(.badData, at: file.path, "label has the value \(bad), expected whole numbers from 0, below \(most)")
    }
    return Inputs(images: image.transposed([0, 2, 3, 1]), labels: labels.map { Int($0) })
  }

  /// Writes `output.features`, `loss.total` and, with the cosine softmax, `loss.scale`.
  public static func phases(_ model: AppearanceLearning, _ config: AppearanceConfig, _ inputs: Inputs) throws -> [ParityPhase] {
    guard !config.loss.comparesCrops || inputs.labels.hasTriplet else {
      throw Failure(.badData, at: "label", "there are not two crops of one identity and one of another")
    }
    let learner = try Learner(AppearanceTraining.learners(config, model)[0], steps: config.plan.steps)
    return [ParityPhase(learner: learner) {
      let features = model.network(inputs.images, Pass(.training, dropout: false))
      let loss = config.loss(features, inputs.labels, model.head)
      return ParityPass(outputs: [("features", features)], losses: [("total", loss.total)] + loss.terms)
    }]
  }
}

extension [Int] {
  /// Whether two are equal and one is another.
  fileprivate var hasTriplet: Bool { Set(self).count > 1 && Set(self).count < count }
}
