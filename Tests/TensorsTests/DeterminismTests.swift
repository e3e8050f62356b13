import TestSupport
import Tensors
import Testing

/// Thread counts are process-wide, so these tests run one after the other.
@Suite("Same bits for any number of threads", .serialized) struct DeterminismTests {
  private func withThreads<Result>(_ count: Int, _ body: () -> Result) -> Result {
    let before = ThreadPool.shared.threadCount
    ThreadPool.shared.setThreadCount(count)
    defer { ThreadPool.shared.setThreadCount(before) }
    return body()
  }

  /// Large enough that every op is cut into many tasks.
  private func outputs(_ precision: Precision) -> [Tensor] {
    var random = Random(seed: 21, stream: .test)
    func make(_ shape: [Int]) -> Tensor { .uniform(shape, from: -1, to: 1, &random, precision: precision).tracked() }
    let x = make([2, 40, 48, 32]), w = make([3, 3, 32, 40]), b = make([40]), v = make([40, 300])
    var y = x.convolved(with: w, bias: b, Convolution(stride: 2, padding: 1)).normalized(.instance).relu()
    y = y.normalized(.batch) * y.sigmoid()
    let z = y.reshaped(to: [-1, 40]).matmul(v).softmax()
    let grid = make([2, 30, 31, 2])
    let s = x.gridSampled(grid, GridSampling(padding: .reflection)).maxPooled(window: 2)
    let q = x.reshaped(to: [2, 40 * 48, 32])
    let c = q.sliced(1, 0..<500).matmul(q, otherTransposed: true).reshaped(to: [1000, 40, 48])
    let centres = Tensor.uniform([1000, 2], from: -4, to: 50, &random, precision: precision)
    let l = c.correlationLookup(centres, radius: 3, scale: 1)
    let loss = z.squared().sum() + s.resized(to: Extent(height: 50, width: 20), .bicubic).squared().mean() + l.squared().mean()
    let gradients = loss.gradients()
    return [loss.detached(), y.detached(), z.detached()] + [x, w, b, v, grid].compactMap { gradients[$0] }
  }

  @Test(arguments: Precision.allCases) func everyOp(_ precision: Precision) {
    let one = withThreads(1) { outputs(precision) }
    #expect(one.count == 8)
    for threads in [2, 3, 4] {
      let many = withThreads(threads) { outputs(precision) }
      for (a, b) in zip(one, many) { #expect(a.isIdentical(to: b), "\(threads) threads, shape \(a.shape)") }
    }
  }

  @Test("chunks cover the range once, nested calls included") func coverage() {
    for threads in [1, 2, 4] {
      let counts = withThreads(threads) {
        let slots = Tensor.zeros([1000], .float64)
        parallelFor(10) { outer in
          for i in outer {
            parallelFor(100, grain: 7) { inner in
              for j in inner { slots.withBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress!).assumingMemoryBound(to: Double.self)[i * 100 + j] += 1 } }
            }
          }
        }
        return slots.doubles
      }
      #expect(counts.allSatisfy { $0 == 1 })
    }
  }
}
