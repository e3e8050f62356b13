import Models
import Networks
import Tensors

/// One inference of RAFT: evaluation mode, no gradients, only the last iteration's flow at full resolution.
struct FlowInferenceWorkload: Workload {
  static let kind = "raft_inference"

  let variant: RAFT.Variant
  let batch, height, width, iterations: Int

  func prepared() -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let model = RAFT(RAFT.Config(variant: variant), &random)
    let images = (0..<2).map { _ in Tensor.uniform([batch, height, width, 3], from: 0, to: 255, &random) }
    func flow(_ iterations: Int) -> Tensor {
      model(images[0], images[1], iterations: iterations, upsamplesAll: false, .evaluation).flows[0]
    }
    let (one, two) = (Self.operations(flow(1)), Self.operations(flow(2)))
    MemoryPool.trim()  // the recorded graphs were only for counting
    return PreparedWorkload(operations: one + Double(iterations - 1) * (two - one)) { _ = withoutRecording { flow(iterations) } }
  }

  /// Of the forward pass alone.
  private static func operations(_ flow: Tensor) -> Double { flow.recordedGraph.reduce(0) { $0 + 2 * Double($1.multiplyAdds) } }
}
