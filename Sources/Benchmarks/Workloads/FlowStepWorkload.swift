import Base
import Models
import Networks
import Tensors

/// One training step of RAFT: forward, sequence loss, backward, clipping, AdamW.
struct FlowStepWorkload: Workload {
  static let kind = "raft_step"

  let variant: RAFT.Variant
  let batch: Int
  let height: Int
  let width: Int
  let iterations: Int

  func prepared() throws -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let model = RAFT(RAFT.Config(variant: variant), &random)
    let images = (0..<2).map { _ in Tensor.uniform([batch, height, width, 3], from: 0, to: 255, &random) }
    let flow = Tensor.normal([batch, height, width, 2], deviation: 3, &random)
    let valid = Tensor.ones([batch, height, width, 1])
    let optimizer = OptimizerConfig(.adamw, learningRate: 1e-4, weightDecay: 1e-4, clipNorm: 1)
    return try PreparedWorkload.trainingStep(of: model, optimizer) { [iterations] in
      RAFT.sequenceLoss(
        model(images[0], images[1], iterations: iterations, Pass(.training)).flows, target: flow, valid: valid, gamma: 0.8)
    }
  }
}
