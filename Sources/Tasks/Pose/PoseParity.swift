import Base
import Models
import Networks
import Tensors
import Training

extension Pose: ParityTask {
  /// The bodies of a parity file, channels last.
  public struct Inputs {
    let images: Tensor
    let targets: Tensor
    let weights: Tensor
  }

  /// Reads `image` `[n, 3, h, w]`, `target` `[n, keypoints, h / 4, w / 4]`, and `target_weight` `[n, keypoints]` or `[n, keypoints, 1]`.
  public static func inputs(_ file: ParityInputs, _ model: HRNetPose) throws -> Inputs {
    let step = model.sizeStep
    let images = try file.tensor("image", "[n, 3, h, w], h and w multiples of \(step)") {
      $0.count == 4 && $0[1] == 3 && $0[2] % step == 0 && $0[3] % step == 0
    }
    let (n, keypoints) = (images.shape[0], model.config.keypoints)
    let targets = try file.tensor("target", shape: [n, keypoints, images.shape[2] / 4, images.shape[3] / 4])
    let weights = try file.tensor("target_weight", "[\(n), \(keypoints), 1]") { $0 == [n, keypoints, 1] || $0 == [n, keypoints] }
    return Inputs(
      images: images.transposed([0, 2, 3, 1]), targets: targets.transposed([0, 2, 3, 1]), weights: weights.reshaped(to: [n, keypoints]))
  }

  public static func phases(_ model: HRNetPose, _ config: PoseConfig, _ inputs: Inputs) throws -> [ParityPhase] {
    let learner = try Learner(PoseTraining.learners(config, model)[0], steps: config.plan.steps)
    return [ParityPhase(learner: learner) {
      let heatmaps = model(inputs.images, Pass(.training))
      return ParityPass(
        outputs: [("heatmap", heatmaps.transposed([0, 3, 1, 2]))],
        losses: [("total", config.loss(heatmaps, inputs.targets, weight: inputs.weights))])
    }]
  }
}
