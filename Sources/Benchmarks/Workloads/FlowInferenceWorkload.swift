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
    let operations = Self.operations(model, images, iterations: 1) + Double(iterations - 1) * perIteration(images)
    MemoryPool.trim()  // the recorded graphs were only for counting
    return PreparedWorkload(operations: operations) {
      _ = noGradient { model(images[0], images[1], iterations: iterations, upsamplesAll: false, .evaluation) }
    }
  }

  /// Of an iteration whose flow is not upsampled: the difference that one more makes where upsampling has no products.
  private func perIteration(_ images: [Tensor]) -> Double {
    var random = Random(seed: 1, stream: .test)
    var config = RAFT.Config(variant: variant)
    config.upsampling = .bilinear
    let model = RAFT(config, &random)
    return Self.operations(model, images, iterations: 2) - Self.operations(model, images, iterations: 1)
  }

  /// Of the forward pass alone; all flows, because the graph of the last one does not hold how earlier ones were found.
  private static func operations(_ model: RAFT, _ images: [Tensor], iterations: Int) -> Double {
    concatenate(model(images[0], images[1], iterations: iterations, .evaluation).flows, axis: 0)
      .recordedGraph.reduce(0) { $0 + 2 * Double($1.multiplyAdds) }
  }
}
