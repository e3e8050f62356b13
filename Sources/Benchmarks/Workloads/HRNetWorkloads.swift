import Base
import Models
import Networks
import Tensors
import Training

/// One training step of HRNet-W32 for pose: forward, heatmap loss, backward, Adam; batch normalisation by the batch; the highest resolution
/// runs again in the backward pass, for memory.
struct PoseStepWorkload: Workload {
  static let kind = "hrnet_step"

  let batch, height, width: Int

  func prepared() throws -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    var config = HRNetPose.Config(.w32)
    config.backbone.recompute = true
    let model = HRNetPose(config, &random)
    let images = Tensor.normal([batch, height, width, 3], &random)
    let target = Tensor.uniform([batch, height / 4, width / 4, 17], from: 0, to: 1, &random)
    let weight = Tensor.ones([batch, 17])
    return try PreparedWorkload.trainingStep(of: model, OptimizerConfig(.adam, learningRate: 1e-3)) {
      heatmapMSE(model(images, Pass(.training)), target, weight: weight)
    }
  }
}

/// One inference of HRNet-W32 for pose without gradients.
struct PoseInferenceWorkload: Workload {
  static let kind = "hrnet_inference"

  let batch, height, width: Int

  func prepared() -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let model = HRNetPose(HRNetPose.Config(.w32), &random)
    let images = Tensor.normal([batch, height, width, 3], &random)
    return .inference { _ = model(images, .evaluation) }
  }
}
