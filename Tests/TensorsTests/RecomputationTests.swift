import Base
import Tensors
import Testing

@Suite("Recomputation") struct RecomputationTests {
  /// Three residual blocks whose input and weight are used several times, inside and outside of them.
  private static func gradients(_ run: (@escaping () -> Tensor) -> Tensor) -> [Tensor] {
    var random = Random(seed: 4, stream: .test)
    let x = Tensor.uniform([2, 24, 32, 16], from: -1, to: 1, &random).asLeaf()
    let w = Tensor.uniform([3, 3, 16, 16], from: -0.1, to: 0.1, &random).asLeaf()
    var y = x
    for _ in 0..<3 {
      y = run { [y] in
        var z = y
        for _ in 0..<3 { z = (z.conv2d(with: w, Conv2dOptions(padding: 1)).normalized(.instance).tanh() + z * y).relu() }
        return z + x
      } + y * w.sum()
    }
    let loss = (y * x).sum()
    let gradients = loss.gradients()
    return [loss.detached()] + [x, w].compactMap { gradients[$0] }
  }

  @Test("gradients have the same bits") func sameBits() {
    let plain = Self.gradients { $0() }, again = Self.gradients { body in recomputed { _ in body() } }
    #expect(plain.count == 3 && again.count == 3)
    for (a, b) in zip(plain, again) { #expect(a.isIdentical(to: b), "shape \(a.shape)") }
  }

  /// In a process of its own: other tests use the same pool.
  @Test("activations are not kept") func memory() async {
    await #expect(processExitsWith: .success) {
      ThreadPool.shared.setThreadCount(1)  // how many threads hold working memory at the same time is chance
      func highWater(_ run: (@escaping () -> Tensor) -> Tensor) -> Int {
        let before = MemoryPool.statistics.inUse
        MemoryPool.resetHighWater()
        _ = RecomputationTests.gradients(run)
        return MemoryPool.statistics.highWater - before
      }
      let plain = highWater { $0() }, again = highWater { body in recomputed { _ in body() } }
      require(again < plain * 2 / 3, "\(again) bytes rather than \(plain)")
    }
  }

  @Test("a block whose result is not recorded runs once") func unrecorded() {
    var runs = 0
    let x = Tensor.ones([3])
    let y = recomputed { _ in runs += 1; return x * 2 }
    let z = noGradient { recomputed { _ in runs += 1; return x.asLeaf() * 2 } }
    #expect(!y.isRecorded && !z.isRecorded && runs == 2)
  }

  @Test("the second run is announced") func again() {
    var runs: [Bool] = []
    let x = Tensor.ones([3]).asLeaf()
    let loss = recomputed { again in runs.append(again); return x.exp() }.sum()
    #expect(runs == [false])
    let gradients = loss.gradients()
    #expect(runs == [false, true] && gradients[x]?.isIdentical(to: x.detached().exp()) == true)
  }
}
