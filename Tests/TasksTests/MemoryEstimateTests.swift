import Base
import Tasks
import Testing
import Training

/// What a pass over a large input is said to need, from passes over small ones. In processes of their own, for all tensors of one count.
@Suite struct MemoryEstimateTests {
  /// Whatever grows how: the terms that a made-up pass has are found again.
  @Test(arguments: [(5e6, 0.0, 0.0), (0, 400, 0), (2e7, 300, 0), (2e7, 0, 2e-3), (1e7, 50, 2e-3), (0, 500, 1e-3)])
  func theTermsAreFound(fixed: Double, perPixel: Double, perPixelPair: Double) {
    func bytes(_ shape: InputShape) -> Double {
      let pixels = Double(shape.height * shape.width)
      return fixed + Double(shape.samples) * (perPixel * pixels + perPixelPair * pixels * pixels)
    }
    let large = InputShape(samples: 1, height: 1088, width: 1920)
    for (mode, limit) in [(PassMode.training, Double.infinity), (.inference, .infinity), (.inference, 1e8)] {
      var most = 0.0
      let estimate = MemoryEstimate(side: 128, mode, limit: limit) { shape in
        most = max(most, bytes(shape))
        return Int(bytes(shape))
      }
      #expect(abs(estimate.bytes(large) - bytes(large)) <= 1e-3 * bytes(large), "\(mode)")
      #expect(mode == .training || most <= max(limit, bytes(InputShape(samples: 1, height: 512, width: 512))))
    }
  }

  /// What is largest over small inputs is not taken for what is largest over large ones.
  @Test func phasesThatTakeTurns() {
    func bytes(_ shape: InputShape) -> Double {
      let pixels = Double(shape.height * shape.width)
      return 2e7 + max(370 * pixels, 90 * pixels + 1.7e-3 * pixels * pixels)
    }
    let large = InputShape(samples: 1, height: 1088, width: 1920)
    let estimate = MemoryEstimate(side: 128, .inference) { Int(bytes($0)) }
    #expect(abs(estimate.bytes(large) - bytes(large)) <= 0.05 * bytes(large), "\(estimate.bytes(large)) for \(bytes(large))")
  }

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
      require(large > 0.93 * pooling && large < 1.08 * pooling, "1920x1088: said \(large), pooling takes \(pooling)")
    }
  }
}
