import Base
import Tensors
import TestSupport

/// Fixed points in the precision of the case's inputs.
private func centres(_ shape: [Int], from low: Double, to high: Double, seed: UInt64 = 5, as x: [Tensor]) -> Tensor {
  var random = Random(seed: seed, stream: .test)
  return .uniform(shape, from: low, to: high, &random, precision: x[0].precision)
}

let correlationCases: [OpCase] = [
  OpCase("correlation lookup in a pyramid, twice", .correlationLookup, [[6, 5, 4], [6, 2, 2], [6, 1, 1]], twice: false) { x in
    Tensor.correlationLookup(x, centres: centres([6, 2], from: -3, to: 9, as: x), radius: 2, scale: 0.5)
      * Tensor.correlationLookup(x, centres: centres([6, 2], from: -1, to: 5, seed: 6, as: x), radius: 2)
  },
  OpCase("correlation lookup", .correlationLookup, [[6, 5, 4]], twice: false) { x in
    x[0].correlationLookup(centres([6, 2], from: -3, to: 9, as: x), radius: 2, scale: 0.5).squared()
  },
  OpCase("local correlation, two levels, twice", .localCorrelation, [[2, 3, 5, 3], [2, 3, 5, 3], [2, 1, 2, 3]], twice: false) { x in
    let lookup = LocalCorrelation(radius: 1)
    let (queries, targets) = ([x[0], x[0]], [x[1], x[2]])
    return lookup(queries, targets, centres: centres([2, 3, 5, 2], from: -2, to: 6, as: x))
      * lookup(queries, targets, centres: centres([2, 3, 5, 2], from: -1, to: 5, seed: 6, as: x)).exp()
  },
  OpCase("local correlation within reach, wide window", .localCorrelation, [[1, 4, 3, 2], [1, 6, 5, 2], [1, 3, 4, 2]], twice: false) { x in
    let lookup = LocalCorrelation(radius: 8, reach: 2)
    return lookup([x[0], x[0]], [x[1], x[2]], centres: centres([1, 4, 3, 2], from: -2, to: 6, as: x)).squared()
  },
  OpCase("local correlation of one pixel", .localCorrelation, [[1, 1, 1, 5], [1, 2, 3, 5]], twice: false) { x in
    LocalCorrelation(radius: 0)([x[0]], [x[1]], centres: centres([1, 1, 1, 2], from: 0.2, to: 0.9, as: x)).exp()
  },
  OpCase("convex upsampling", .convexUpsampling, [[2, 3, 4, 2], [2, 3, 4, 36]], in: -1...1, -3...3, twice: false) { x in
    x[0].convexUpsampled(by: x[1], factor: 2, scale: 0.25).squared()
  },
  OpCase("convex upsampling of one pixel", .convexUpsampling, [[1, 1, 1, 3], [1, 1, 1, 81]], in: -1...1, -2...2, twice: false) { x in
    x[0].convexUpsampled(by: x[1], factor: 3).exp()
  },
]
