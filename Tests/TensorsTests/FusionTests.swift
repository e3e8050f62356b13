import Base
import Tensors
import Testing
import TestSupport

/// Every fused op against the expression that it replaces: value and gradients.
@Suite("Fused ops equal their expressions") struct FusionTests {
  static func draw(_ shapes: [[Int]], _ precision: Precision) -> [Tensor] {
    var random = Random(seed: 31, stream: .test)
    return shapes.map { Tensor.uniform($0, from: -2, to: 3, &random, precision: .float64).converted(to: precision) }
  }

  /// Compares both results and the gradients of all inputs; nil if they agree within some roundings of the largest value.
  static func compare(
    _ shapes: [[Int]], _ precision: Precision, _ fused: ([Tensor]) -> Tensor, _ plain: ([Tensor]) -> Tensor
  ) -> String? {
    let inputs = draw(shapes, precision)
    let (a, b) = (inputs.map { $0.asLeaf() }, inputs.map { $0.asLeaf() })
    let (x, y) = (fused(a), plain(b))
    var random = Random(seed: 32, stream: .test)
    let seed = Tensor.uniform(x.shape, from: -1, to: 1, &random, precision: .float64).converted(to: precision)
    let (p, q) = (x.gradients(seed: seed), y.gradients(seed: seed))
    let pairs: [(Tensor?, Tensor?)] = [(x.detached(), y.detached())] + zip(a, b).map { (p[$0], q[$1]) }
    for case (let found, let expected) in pairs {
      guard let found, let expected else { return "a gradient is missing" }
      let largest = expected.abs().max().item
      if let problem = difference(found, expected, absolute: 256 * precision.ulpOfOne * Swift.max(largest, 1)) { return problem }
    }
    return nil
  }

  @Test("convex upsampling", arguments: Precision.allCases) func convexUpsampling(_ precision: Precision) {
    for (shape, factor) in [([2, 5, 3, 2], 8), ([1, 1, 7, 1], 3), ([1, 4, 4, 3], 1)] {
      let (n, h, w, c) = (shape[0], shape[1], shape[2], shape[3]), f = factor
      let problem = Self.compare([shape, [n, h, w, 9 * f * f]], precision, { $0[0].convexUpsampled(by: $0[1], factor: f, scale: 0.25) }, { x in
        let weights = (x[1] * 0.25).reshaped(to: [n, h, w, 9, f * f, 1]).softmax(3)
        let padded = x[0].padded(1, before: 1, after: 1).padded(2, before: 1, after: 1)
        let around = (0..<9).map { k in padded.sliced(1, k / 3..<k / 3 + h).sliced(2, k % 3..<k % 3 + w).reshaped(to: [n, h, w, 1, 1, c]) }
        let fine = (weights * concatenate(around, axis: 3)).sum([3])  // [n, h, w, f², c]
        return fine.reshaped(to: [n, h, w, f, f, c]).transposed([0, 1, 3, 2, 4, 5]).reshaped(to: [n, f * h, f * w, c])
      })
      #expect(problem == nil, "\(shape), factor \(factor)")
    }
  }

  /// The lookup without a volume against the lookup in one: odd sizes, pools that drop a row or column, windows of several tiles, centres outside.
  @Test("local correlation", arguments: Precision.allCases) func localCorrelation(_ precision: Precision) {
    for (n, h, w, d, radius) in [(2, 7, 5, 19, 2), (1, 9, 13, 32, 4), (1, 5, 6, 3, 9), (2, 4, 3, 40, 0)] {
      var random = Random(seed: 33, stream: .test)
      let centres = Tensor.uniform([n, h, w, 2], from: -6, to: 14, &random, precision: precision)
      let levels = min(h, w) >= 5 ? 3 : 2
      func pooled(_ x: Tensor) -> [Tensor] { (1..<levels).reduce(into: [x]) { all, m in all.append(all[m - 1].averagePooled(window: 2)) } }
      let problem = Self.compare([[n, h, w, d], [n, h, w, d]], precision, { x in
        LocalCorrelation(radius: radius)(Array(repeating: x[0], count: levels), pooled(x[1]), centres: centres)
      }, { x in
        let volume = x[0].reshaped(to: [n, h * w, d]).matmul(x[1].reshaped(to: [n, h * w, d]), otherTransposed: true)
        let pyramid = pooled(volume.reshaped(to: [n * h * w, h, w, 1])).map { $0.reshaped(to: Array($0.shape.dropLast())) }
        return Tensor.correlationLookup(pyramid, centres: centres.reshaped(to: [-1, 2]), radius: radius).reshaped(to: [n, h, w, -1])
      })
      #expect(problem == nil, "\(n)x\(h)x\(w), \(d) channels, radius \(radius)")
    }
  }

  private static func moments(_ x: Tensor, _ axes: NormalizationAxes) -> Tensor {
    let shape = x.shape
    let (view, along): ([Int], [Int]) = switch axes {
    case .batch: ([1, x.count / shape[3], shape[3], 1], [1, 3])
    case .instance: ([shape[0], shape[1] * shape[2], shape[3], 1], [1, 3])
    case .layer: ([x.count / shape[3], 1, 1, shape[3]], [1, 3])
    case .group(let groups): ([shape[0], shape[1] * shape[2], groups, shape[3] / groups], [1, 3])
    }
    let v = x.reshaped(to: view), centred = v - v.mean(along, keepingAxes: true)
    return (centred / (centred.squared().mean(along, keepingAxes: true) + 1e-5).sqrt()).reshaped(to: shape)
  }

  static let normalizations: [(NormalizationAxes, [Int])] = [
    (.batch, [2, 40, 50, 8]), (.batch, [1, 12, 11, 300]), (.instance, [2, 40, 50, 20]), (.instance, [3, 4, 5, 130]),
    (.layer, [2, 20, 9, 33]), (.layer, [2, 3, 3, 600]), (.group(4), [2, 40, 33, 32]), (.group(2), [2, 3, 3, 600]),
  ]

  @Test("normalisation with its tail", arguments: normalizations, Precision.allCases)
  func normalization(_ item: (NormalizationAxes, [Int]), _ precision: Precision) {
    let (axes, shape) = item, vector = [shape[3]]
    for inner in Rectifier.allCases {
      for outer in Rectifier.allCases {
        let problem = Self.compare([shape, vector, vector, shape], precision, { x in
          x[0].normalized(axes, NormalizationEpilogue(weight: x[1], bias: x[2], activation: inner, residual: x[3], outputActivation: outer))
        }, { x in
          let z = Self.moments(x[0], axes) * x[1] + x[2]
          let sum = (inner == .relu ? z.relu() : z) + x[3]
          return outer == .relu ? sum.relu() : sum
        })
        #expect(problem == nil, "\(axes) \(shape) \(precision), \(inner), \(outer)")
      }
      let problem = Self.compare([shape], precision, { $0[0].normalized(axes, NormalizationEpilogue(activation: inner)) }, { x in
        let z = Self.moments(x[0], axes)
        return inner == .relu ? z.relu() : z
      })
      #expect(problem == nil, "\(axes) \(shape) \(precision), \(inner), no weight")
    }
  }

  /// A mean of 1000 deviations: a formula by sums of squares would lose all digits of the variance.
  @Test("a far mean loses no variance") func farMean() {
    var random = Random(seed: 33, stream: .test)
    let x = Tensor.normal([4, 50, 50, 6], &random), (_, mean, variance) = (x + 1000).normalizedWithMoments(.batch)
    #expect(mean.doubles.allSatisfy { abs($0 - 1000) < 0.05 } && variance.doubles.allSatisfy { abs($0 - 1) < 0.05 })
  }

  @Test("normalisation by given moments", arguments: Precision.allCases) func givenMoments(_ precision: Precision) {
    let mean = Tensor((0..<20).map { Double($0) / 10 - 1 }, shape: [20], precision: precision)
    let variance = Tensor((0..<20).map { Double($0) / 10 + 0.5 }, shape: [20], precision: precision)
    let problem = Self.compare([[2, 30, 31, 20], [20], [20], [2, 30, 31, 20]], precision, { x in
      let tail = NormalizationEpilogue(weight: x[1], bias: x[2], activation: .relu, residual: x[3], outputActivation: .relu)
      return x[0].normalized(mean: mean, variance: variance, tail)
    }, { x in
      (((x[0] - mean) / (variance + 1e-5).sqrt() * x[1] + x[2]).relu() + x[3]).relu()
    })
    #expect(problem == nil)
  }

  @Test("gated recurrent unit", arguments: [4, 96, 300], Precision.allCases) func recurrence(_ hidden: Int, _ precision: Precision) {
    let shapes = [[2, 40, 2 * hidden], [2, 40, hidden], [2, 40, 10], [hidden + 10, hidden]]
    let problem = Self.compare(shapes, precision, { x in
      let joined = concatenate([x[1], x[2]], axis: -1)
      return Tensor.gruUpdate(
        gates: x[0], candidate: Tensor.gruReset(gates: x[0], joined: joined).matmul(x[3] * 0.1), state: x[1])
    }, { x in
      let z = x[0].sliced(-1, 0..<hidden).sigmoid(), r = x[0].sliced(-1, hidden..<2 * hidden).sigmoid()
      let q = concatenate([r * x[1], x[2]], axis: -1).matmul(x[3] * 0.1).tanh()
      return (1 - z) * x[1] + z * q
    })
    #expect(problem == nil)
  }

  @Test("gelu, silu, elu and the masked loss", arguments: Precision.allCases) func elementwise(_ precision: Precision) {
    let gelu = Self.compare([[3, 5001]], precision, { $0[0].gelu() }) { x in
      x[0] * (x[0] * 0.5.squareRoot()).erf().scaled(by: 0.5, plus: 0.5)
    }
    let silu = Self.compare([[3, 5001]], precision, { $0[0].silu() }, { $0[0] * $0[0].sigmoid() })
    let elu = Self.compare([[3, 5001]], precision, { $0[0].elu() }, { $0[0].relu() + $0[0].clamped(to: -9, 0).exp() - 1 })
    #expect(gelu == nil && silu == nil && elu == nil)
    for channels in [1, 2, 5] {
      let target = Self.draw([[99, 301, channels]], precision)[0] * -1, mask = Self.draw([[99, 301, 1]], precision)[0].relu()
      let loss = Self.compare([[99, 301, channels]], precision, { $0[0].maskedL1(target, mask: mask) * 1e-4 }) { x in
        (mask * (x[0] - target).abs()).sum() * 1e-4
      }
      #expect(loss == nil, "\(channels) channels")
    }
  }

  /// The recorded walk takes the other rule, made of recorded ops.
  @Test("gradients made in place equal recorded ones") func contributions() {
    let inputs = Self.draw([[2, 9, 8, 20], [2, 9, 8, 3]], .float64).map { $0.asLeaf() }
    func loss() -> Tensor {
      let joined = concatenate(inputs, axis: -1), pooled = joined.maxPooled(window: 3, stride: 2, padding: 1)
      let parts = joined.sliced(3, 0..<20) * joined.sliced(3, 3..<23) * joined.sliced(3, 1..<21)
      return (pooled * joined.maxPooled(window: 3, stride: 2, padding: 1)).sum() + parts.sum()
        + joined.sliced(1, 2..<5).squared().sum()
    }
    let (plain, recorded) = (loss().gradients(), loss().gradients(recording: true))
    for input in inputs {
      guard let a = plain[input], let b = recorded[input] else {
        Issue.record("a gradient is missing")
        return
      }
      #expect(difference(a, b.detached(), absolute: 1e-12, relative: 1e-12) == nil)
    }
  }

  @Test("softmax with scale and bias", arguments: [[40, 50], [3, 1, 1, 50], [2, 40, 50], [1]], Precision.allCases)
  func scaledSoftmax(_ bias: [Int], _ precision: Precision) {
    let shape = bias.count == 3 ? [3, 2, 40, 50] : bias.count == 4 ? [3, 2, 40, 50] : [6, 40, 50]
    let problem = Self.compare([shape, bias], precision, { $0[0].softmax(scale: 0.7, bias: $0[1]) }, { ($0[0] * 0.7 + $0[1]).softmax() })
    #expect(problem == nil)
  }

  @Test("lookup in a pyramid", arguments: Precision.allCases) func lookup(_ precision: Precision) {
    let centres = Self.draw([[150, 2]], precision)[0] * 3 + 2
    let problem = Self.compare([[150, 12, 14], [150, 6, 7]], precision, { x in
      Tensor.correlationLookup(x, centres: centres, radius: 3) + Tensor.correlationLookup(x, centres: centres * 0.7, radius: 3)
    }, { x in
      func windows(_ centres: Tensor) -> Tensor {
        concatenate([x[0].correlationLookup(centres, radius: 3, scale: 1), x[1].correlationLookup(centres, radius: 3, scale: 0.5)], axis: 1)
      }
      return windows(centres) + windows(centres * 0.7)
    })
    #expect(problem == nil)
  }
}
