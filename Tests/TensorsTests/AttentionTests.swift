import Base
import TestSupport
import Tensors
import Testing

/// Attention in one op against the expression that it replaces.
@Suite("Attention in one op") struct AttentionTests {
  struct Sizes: Sendable, CustomTestStringConvertible {
    let n, heads, t, s, d, e: Int

    var shapes: [[Int]] { [[n, t, heads * d], [n, s, heads * d], [n, s, heads * e]] }
    var testDescription: String { "\(n) images, \(heads) heads, \(t) queries, \(s) keys, depths \(d) and \(e)" }

    /// 0 and -∞: no mask, a mask of queries and keys, one of the keys of each image, one for each head.
    func biases(_ precision: Precision) -> [Tensor?] {
      func bias(_ shape: [Int], _ isForbidden: (Int) -> Bool) -> Tensor {
        Tensor((0..<shape.reduce(1, *)).map { isForbidden($0) ? -.infinity : 0.5 }, shape: shape, precision: precision)
      }
      return [
        nil, bias([t, s]) { $0 % s > $0 / s + 2 }, bias([n, 1, 1, s]) { $0 % s > s / 2 + $0 / s },
        bias([heads, t, s]) { $0 % s > 3 && $0 % 5 == $0 / (s * t) % 5 }, bias([n, 1, t, 1]) { _ in false },
      ]
    }
  }

  /// One block; several blocks in several strips; several heads in a task; few queries of many keys.
  static let sizes = [
    Sizes(n: 2, heads: 3, t: 5, s: 7, d: 4, e: 3), Sizes(n: 1, heads: 2, t: 500, s: 300, d: 20, e: 36),
    Sizes(n: 3, heads: 12, t: 40, s: 33, d: 16, e: 16), Sizes(n: 1, heads: 1, t: 70, s: 1100, d: 64, e: 32),
    Sizes(n: 2, heads: 2, t: 1, s: 1, d: 1, e: 2),
  ]

  private static func composed(_ x: [Tensor], _ heads: Int, _ bias: Tensor?, _ dropout: DropoutMask? = nil) -> Tensor {
    let parts = x.map { $0.splitHeads(heads) }
    return parts[0].attention(keys: parts[1], values: parts[2], bias: bias, dropout: dropout).joinedHeads()
  }

  @Test("queries, keys and values", arguments: sizes, Precision.allCases) func parts(_ sizes: Sizes, _ precision: Precision) {
    for bias in sizes.biases(precision) {
      let problem = FusionTests.compare(
        sizes.shapes, precision, { $0[0].attention(keys: $0[1], values: $0[2], heads: sizes.heads, bias: bias) },
        { Self.composed($0, sizes.heads, bias) })
      #expect(problem == nil, "bias \(bias?.shape ?? [])")
    }
  }

  /// A seventh of the weights dropped: the op computes the factors that the expression reads.
  @Test("dropout", arguments: sizes, Precision.allCases) func dropout(_ sizes: Sizes, _ precision: Precision) {
    var random = Random(seed: 5, stream: .dropout)
    _ = random.nextWord()
    let mask = DropoutMask(1.0 / 7, count: sizes.n * sizes.heads * sizes.t * sizes.s, &random)
    for bias in sizes.biases(precision).prefix(2) {
      let problem = FusionTests.compare(
        sizes.shapes, precision, { $0[0].attention(keys: $0[1], values: $0[2], heads: sizes.heads, bias: bias, dropout: mask) },
        { Self.composed($0, sizes.heads, bias, mask) })
      #expect(problem == nil, "bias \(bias?.shape ?? [])")
    }
  }

  @Test("queries, keys and values in one tensor", arguments: sizes, Precision.allCases)
  func joint(_ sizes: Sizes, _ precision: Precision) {
    let sizes = Sizes(n: sizes.n, heads: sizes.heads, t: sizes.t, s: sizes.t, d: sizes.d, e: sizes.d)
    for bias in sizes.biases(precision) {
      let problem = FusionTests.compare(
        [[sizes.n, sizes.t, 3 * sizes.heads * sizes.d]], precision, { $0[0].selfAttention(heads: sizes.heads, bias: bias) },
        { Self.composed($0[0].split(-1, into: 3), sizes.heads, bias) })
      #expect(problem == nil, "bias \(bias?.shape ?? [])")
    }
  }

  @Test("queries that may look at no key give NaN, the others do not", arguments: Precision.allCases)
  func allMasked(_ precision: Precision) {
    let x = FusionTests.draw([[2, 40, 24], [2, 50, 24], [2, 50, 24]], precision)
    let bias = Tensor((0..<40 * 50).map { $0 / 50 == 7 ? -.infinity : 0 }, shape: [40, 50], precision: precision)
    let y = x[0].attention(keys: x[1], values: x[2], heads: 3, bias: bias)
    for (i, value) in y.doubles.enumerated() { #expect(value.isNaN == (i / 24 % 40 == 7)) }
    #expect(difference(y, Self.composed(x, 3, bias), absolute: 256 * precision.ulpOfOne * 3) == nil)
  }

  @Test("an input alone may be recorded") func someRecorded() {
    let x = FusionTests.draw([[1, 6, 8], [1, 9, 8], [1, 9, 8]], .float64)
    for i in x.indices {
      var a = x, b = x
      a[i] = a[i].asLeaf()
      b[i] = b[i].asLeaf()
      let p = a[0].attention(keys: a[1], values: a[2], heads: 2).squared().sum().gradients()
      let q = Self.composed(b, 2, nil).squared().sum().gradients()
      guard let found = p[a[i]], let expected = q[b[i]] else {
        Issue.record("a gradient is missing")
        return
      }
      #expect(difference(found, expected, absolute: 1e-12, relative: 1e-12) == nil)
    }
  }

  @Test("operations are those of the composed products") func operations() {
    let x = FusionTests.draw([[2, 6, 8], [2, 9, 8], [2, 9, 4]], .float64).map { $0.asLeaf() }
    let fused = x[0].attention(keys: x[1], values: x[2], heads: 2).recordedGraph, composed = Self.composed(x, 2, nil).recordedGraph
    for count in [\RecordedOp.multiplyAdds, \RecordedOp.gradientMultiplyAdds] {
      #expect(fused.reduce(0) { $0 + $1[keyPath: count] } == composed.reduce(0) { $0 + $1[keyPath: count] })
    }
  }
}
