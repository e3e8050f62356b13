import Base
import Models
import Networks
import Tensors

/// One training step of RAFT: forward, sequence loss, backward, clipping, AdamW.
struct FlowStepWorkload: Workload {
  static let kind = "raft_step"

  let variant: RAFT.Variant
  let batch, height, width, iterations: Int

  func prepared() throws -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let model = RAFT(RAFT.Config(variant: variant), &random)
    let optimizer = try AdamW(model.parameters(), .init(weightDecay: 1e-4))
    let images = (0..<2).map { _ in Tensor.uniform([batch, height, width, 3], from: 0, to: 255, &random) }
    let flow = Tensor.normal([batch, height, width, 2], deviation: 3, &random), valid = Tensor.ones([batch, height, width, 1])
    func loss() -> Tensor {
      RAFT.sequenceLoss(
        model(images[0], images[1], iterations: iterations, Pass(.training)).flows, target: flow, valid: valid, gamma: 0.8)
    }
    func step() throws {
      let gradients = loss().gradients()
      let clipped = try clip(gradients, of: optimizer.parameters, to: 1)
      optimizer.step(gradients, learningRate: 1e-4, scale: clipped.scale)
    }
    return PreparedWorkload(operations: loss().recordedOperations, run: step)
  }
}
