import Base
import Tensors
import Testing
import Synchronization
import TestSupport

/// Thread counts belong to the process, so each of these tests runs in one of its own.
@Suite("Same bits for any number of threads") struct DeterminismTests {
  private static func withThreads<Result>(_ count: Int, _ body: () -> Result) -> Result {
    ThreadPool.shared.setThreadCount(count)
    return body()
  }

  /// Large enough that every op is cut into many tasks.
  private static func outputs(_ precision: Precision) -> [Tensor] {
    var random = Random(seed: 21, stream: .test)
    func make(_ shape: [Int]) -> Tensor { .uniform(shape, from: -1, to: 1, &random, precision: precision).asLeaf() }
    let x = make([2, 40, 48, 32]), w = make([3, 3, 32, 40]), b = make([40]), v = make([40, 300]), w3 = make([32, 96])
    var y = x.conv2d(with: w, bias: b, Conv2dOptions(stride: 2, padding: 1)).normalized(.instance).relu()
    let tail = NormalizationEpilogue(weight: b, bias: b, activation: .relu, residual: y, outputActivation: .relu)
    y = y.normalized(.batch, tail) * y.normalized(.layer, tail) * y.normalized(.group(5), tail).sigmoid()
    y = Tensor.gruUpdate(
      gates: y, candidate: Tensor.gruReset(gates: y, joined: y).sliced(-1, 0..<20), state: y.sliced(-1, 20..<40))
    y = concatenate([y, y], axis: -1)
    let z = y.reshaped(to: [-1, 40]).matmul(v).softmax()
    let grid = make([2, 30, 31, 2])
    let s = x.gridSampled(grid, GridSampling(padding: .reflection)).maxPooled(window: 2)
    let q = x.reshaped(to: [2, 40 * 48, 32])
    let c = q.sliced(1, 0..<500).matmul(q, otherTransposed: true).reshaped(to: [1000, 40, 48])
    let centres = Tensor.uniform([1000, 2], from: -4, to: 50, &random, precision: precision)
    let l = Tensor.correlationLookup([c, c], centres: centres, radius: 3)
      + Tensor.correlationLookup([c, c], centres: centres * 0.5, radius: 3)
    let a = q.sliced(1, 0..<500).attention(keys: q, values: q, heads: 2) + q.sliced(1, 0..<500).matmul(w3).selfAttention(heads: 8)
    let loss = z.squared().sum() + s.resized(to: Extent(height: 50, width: 20), .bicubic).squared().mean() + l.squared().mean()
      + a.squared().mean()
    let gradients = loss.gradients()
    return [loss.detached(), y.detached(), z.detached()] + [x, w, b, v, w3, grid].compactMap { gradients[$0] }
  }

  private static func compare(_ precision: Precision) {
    let one = withThreads(1) { outputs(precision) }
    require(one.count == 9, "gradients are missing")
    for threads in [2, 3, 4] {
      let many = withThreads(threads) { outputs(precision) }
      for (a, b) in zip(one, many) { require(a.isIdentical(to: b), "\(threads) threads differ, shape \(a.shape)") }
    }
  }

  @Test func everyOpInFloat32() async { await #expect(processExitsWith: .success) { DeterminismTests.compare(.float32) } }
  @Test func everyOpInFloat64() async { await #expect(processExitsWith: .success) { DeterminismTests.compare(.float64) } }

  /// The output of a case in float32 and the gradients of all its inputs.
  private static func results(_ item: OpCase) -> [Tensor] {
    var random = Random(seed: 22, stream: .test)
    let leaves = item.shapes.enumerated().map { i, shape in
      let range = item.ranges[min(i, item.ranges.count - 1)]
      return Tensor.uniform(shape, from: range.lowerBound, to: range.upperBound, &random).asLeaf()
    }
    let output = item.body(leaves)
    let gradients = (output * Tensor.uniform(output.shape, from: -1, to: 1, &random)).sum().gradients()
    return [output.detached()] + leaves.compactMap { gradients[$0] }
  }

  private static func compare(_ items: [OpCase], _ precision: MatmulPrecision = .highest) {
    MatmulPrecision.current = precision
    let one = withThreads(1) { items.map(results) }
    for threads in [2, 4] {
      let many = withThreads(threads) { items.map(results) }
      for (item, (a, b)) in zip(items, zip(one, many)) {
        require(a.count == b.count && zip(a, b).allSatisfy { $0.isIdentical(to: $1) }, "\(item.name): \(threads) threads differ")
      }
    }
  }

  @Test func everyCaseOfTheGradientTable() async { await #expect(processExitsWith: .success) { DeterminismTests.compare(OpCase.all) } }
  @Test func largeInputs() async { await #expect(processExitsWith: .success) { DeterminismTests.compare(largeCases) } }
  /// Products of bfloat16 numbers, where the processor has them.
  @Test func largeInputsInMediumPrecision() async {
    await #expect(processExitsWith: .success) { DeterminismTests.compare(Array(largeCases.prefix(12)), .medium) }
  }

  @Test("chunks cover the range once, nested calls included") func coverage() async {
    await #expect(processExitsWith: .success) {
      for threads in [1, 2, 4, 2] {
        ThreadPool.shared.setThreadCount(threads)
        let counts = Mutex([Int](repeating: 0, count: 1000))
        parallelFor(10) { outer in
          for i in outer { parallelFor(100, grain: 7) { inner in for j in inner { counts.withLock { $0[i * 100 + j] += 1 } } } }
        }
        require(counts.withLock { $0.allSatisfy { $0 == 1 } }, "\(threads) threads")
      }
    }
  }
}
