import Base
import Tasks
import Testing
import Training

/// What a pass over a large input is said to need, from passes over small ones. In processes of their own, for all tensors of one count.
@Suite struct MemoryEstimateTests {
  /// Inference with the full volume keeps most while the volume is pooled: over small inputs that moment does not stand out.
  @Test func inferenceWithTheVolume() async {
    await #expect(processExitsWith: .success) {
      let config = OpticalFlowConfig()
      let model = OpticalFlow.model(config)
      let estimate = MemoryEstimate(side: model.minimumSize, .inference) { OpticalFlow.peak(model, config, $0, .inference) }
      let shape = InputShape(samples: 1, height: 384, width: 640)
      let found = Double(OpticalFlow.peak(model, config, shape, .inference))
      let said = estimate.bytes(shape)
      require(abs(said - found) < 0.05 * found, "\(shape): said \(said), found \(found)")
      // All pairs of cells, half of them after pooling one axis, and a quarter after the other.
      let cells = Double(1088 / 8 * 1920 / 8)
      let pooling = 1.75 * 4 * cells * cells
      let large = estimate.bytes(InputShape(samples: 1, height: 1088, width: 1920))
      require(large > pooling && large < 1.08 * pooling, "1920x1088: said \(large), pooling takes \(pooling)")
    }
  }
}
