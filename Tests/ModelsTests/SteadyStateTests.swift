import Base
import Models
import Networks
import Tensors
import Testing

/// The pool belongs to the process, so each of these tests runs in one of its own.
@Suite struct SteadyStateTests {
  /// One training step of RAFT-small after the other, on as many threads as there are cores.
  private struct Training {
    let model: RAFT
    let optimizer: AdamW
    let (image1, image2): (Tensor, Tensor)

    init(recompute: Bool = false) throws {
      var random = Random(seed: 3, stream: .initialization)
      var config = RAFT.Config(variant: .small)
      config.recompute = recompute
      config.dropout = 0.1
      model = RAFT(config, &random)
      optimizer = try AdamW(model.parameters())
      image1 = .uniform([1, 128, 144, 3], from: 0, to: 255, &random)
      image2 = .uniform([1, 128, 144, 3], from: 0, to: 255, &random)
    }

    func step(_ number: Int) throws {
      let pass = Pass(.training, random: Random(seed: 1, stream: .dropout, sample: number))
      let flows = model(image1, image2, iterations: 3, pass).flows
      let loss = RAFT.sequenceLoss(flows, target: .zeros([1, 128, 144, 2]), valid: .ones([1, 128, 144, 1]), gamma: 0.8)
      let gradients = loss.gradients()
      let clipped = try clip(gradients, of: optimizer.parameters, to: 1)
      optimizer.step(gradients, learningRate: 1e-4, scale: clipped.scale)
    }
  }

  @Test func laterStepsTakeNothingFromTheSystem() async {
    await #expect(processExitsWith: .success) {
      for threads in [2, 4] {
        ThreadPool.shared.setThreadCount(threads)
        MemoryPool.trim()  // what was reserved for another number of threads
        let training = try Training()
        for step in 0..<3 { try training.step(step) }
        let before = MemoryPool.statistics
        for step in 3..<15 {
          try training.step(step)
          let now = MemoryPool.statistics
          require(now.systemAllocations == before.systemAllocations,
            "step \(step): \(now.systemAllocations - before.systemAllocations) blocks, \(now.reserved - before.reserved) bytes")
          require(now.inUse == before.inUse, "step \(step): \(now.inUse) bytes in use, \(before.inUse) before")
        }
      }
    }
  }

  @Test func recomputedEncodersTakeLessMemoryForTheSameBits() async {
    await #expect(processExitsWith: .success) {
      var results: [(weights: [Tensor], highWater: Int)] = []
      for recompute in [false, true] {
        let training = try Training(recompute: recompute), before = MemoryPool.statistics.inUse
        for step in 0..<2 {
          MemoryPool.resetHighWater()
          try training.step(step)
        }
        results.append((training.model.parameters().map { $0.parameter.value.detached() }, MemoryPool.statistics.highWater - before))
      }
      for (a, b) in zip(results[0].weights, results[1].weights) { require(a.isIdentical(to: b), "weights differ, shape \(a.shape)") }
      require(results[1].highWater < results[0].highWater * 3 / 4, "\(results.map(\.highWater))")
    }
  }

  /// 1088x1920 with the volume would take 5.3 GiB for it alone.
  @Test func highDefinitionOnTheFlyStaysWithinTwoGibibytes() async {
    await #expect(processExitsWith: .success) {
      var random = Random(seed: 3, stream: .initialization), config = RAFT.Config(variant: .large)
      config.correlation = .onTheFly
      let model = RAFT(config, &random)
      let image = Tensor.uniform([1, 136, 240, 3], from: 0, to: 255, &random).resized(to: Extent(height: 1088, width: 1920), .nearest)
      MemoryPool.resetHighWater()
      let flow = noGradient { model(image, image, iterations: 2, upsamplesAll: false, .evaluation).flows[0] }
      require(flow.isFinite && MemoryPool.statistics.highWater < 2 << 30, "\(MemoryPool.statistics.highWater >> 20) MiB")
    }
  }

  @Test func weightsAfterAStepAreTheSameBitsForAnyNumberOfThreads() async {
    await #expect(processExitsWith: .success) {
      var results: [[Tensor]] = []
      for threads in [1, 2, 4] {
        ThreadPool.shared.setThreadCount(threads)
        let training = try Training()
        try training.step(0)
        results.append(training.model.parameters().map { $0.parameter.value.detached() })
      }
      for other in results[1...] {
        for (a, b) in zip(results[0], other) { require(a.isIdentical(to: b), "weights differ, shape \(a.shape)") }
      }
    }
  }
}
