import Base
import Models
import Networks
import Tensors

/// One inference of RAFT: evaluation mode, no gradients, only the last iteration's flow at full resolution.
struct FlowInferenceWorkload: Workload {
  static let kind = "raft_inference"

  let variant: RAFT.Variant
  let batch: Int
  let height: Int
  let width: Int
  let iterations: Int

  func prepared() -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let model = RAFT(RAFT.Config(variant: variant), &random)
    let images = (0..<2).map { _ in Tensor.uniform([batch, height, width, 3], from: 0, to: 255, &random) }
    return .inference { _ = model(images[0], images[1], iterations: iterations, upsamplesAll: false, .evaluation) }
  }
}
