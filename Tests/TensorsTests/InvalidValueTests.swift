import Base
import Tensors
import Testing
import TestSupport

@Suite("Infinities and NaNs in products") struct InvalidValueTests {
  /// Every output that the definition makes infinite or NaN is so: an overflow must never vanish.
  private static func check(_ name: String, _ product: GatheredProduct) {
    var expected = 0
    for row in 0..<product.m { for column in 0..<product.n where product.mustBeNonFinite(row, column) {
      expected += 1
      require(!product.found[row * product.n + column].isFinite, "\(name): output \(row), \(column) is finite")
    } }
    require(expected > 0, "\(name): nothing to see")
  }

  /// Uniform values, with one bad one.
  private static func values(_ shape: [Int], bad: Float?, seed: UInt64) -> Tensor {
    var random = Random(seed: seed, stream: .test)
    var values = Tensor.uniform(shape, from: -1, to: 1, &random).floats
    if let bad { values[values.count * 3 / 7] = bad }
    return Tensor(values, shape: shape)
  }

  /// Products small and deep, convolutions direct, by Winograd's algorithm and strided; all of them split where the path is.
  private static func checkAll() {
    for bad: Float in [.nan, .infinity, -.infinity] {
      for isFirst in [true, false] {
        func first(_ shape: [Int]) -> Tensor { values(shape, bad: isFirst ? bad : nil, seed: 41) }
        func second(_ shape: [Int]) -> Tensor { values(shape, bad: isFirst ? nil : bad, seed: 42) }
        for (m, n, k) in [(5, 7, 9), (20, 40, 70), (3, 17, 9000)] {
          for layout in GatheredProduct.Layout.allCases {
            check("matmul \(layout) \(k)", GatheredProduct(matmul: first([m, k]).floats, second([k, n]).floats, m: m, n: n, k: k, layout))
          }
        }
        let shapes = [
          ([1, 16, 17, 20], [3, 3, 20, 17], Conv2dOptions(padding: 1)), ([1, 9, 8, 4], [3, 3, 4, 6], Conv2dOptions(padding: 1)),
          ([1, 11, 9, 18], [3, 3, 18, 33], Conv2dOptions(stride: 2, padding: 1)),
          ([1, 5, 9, 16], [1, 5, 16, 16], Conv2dOptions(padding: Extent(height: 0, width: 2))),
          ([1, 16, 17, 20], [5, 1, 20, 17], Conv2dOptions(padding: Extent(height: 2, width: 0))),
        ]
        for (xs, ws, options) in shapes {
          let size = Extent(height: xs[1], width: xs[2]), kernel = Extent(height: ws[0], width: ws[1])
          let out = options.outputSize(of: size, kernel: kernel), ys = [xs[0], out.height, out.width, ws[3]]
          check("convolution \(ws)", GatheredProduct(forward: first(xs), second(ws), options))
          check("input gradient \(ws)", GatheredProduct(inputGradient: first(ys), second(ws), inputSize: size, options))
          check("weight gradient \(ws)", GatheredProduct(weightGradient: first(xs), second(ys), kernel: kernel, options))
        }
      }
    }
  }

  // The precision belongs to the process.
  @Test func highest() async { await #expect(processExitsWith: .success) { InvalidValueTests.checkAll() } }
  @Test func medium() async {
    await #expect(processExitsWith: .success) {
      MatmulPrecision.current = .medium
      InvalidValueTests.checkAll()
    }
  }
}
