import Base
import CKernels

/// The factors of dropout: 0 with probability `p`, else `1 / (1 - p)`.
///
/// The factor of element `i` follows from the random source and `i` alone. So it is computed where it is needed, in the forward pass and
/// again in the backward one, by any number of threads, and never kept.
public struct DropoutMask: Sendable {
  let probability: Double
  let count: Int
  private let source: apus_random

  /// Draws the factors of `count` elements: two words of `random` each.
  public init(_ p: Double, count: Int, _ random: inout Random) {
    require(p >= 0 && p < 1, "dropout: probability \(p) is outside 0..<1")
    probability = p
    self.count = count
    source = apus_random(random)
    random.skip(2 * count)
  }

  /// The factors as a tensor.
  func factors(_ shape: [Int], _ precision: Precision) -> Tensor {
    let y = Tensor(uninitialized: shape, precision)
    require(y.count == count, "dropout: factors for \(count) elements, got shape \(shape)")
    parallelFor(count, grain: 1 << 14) { write(first: $0.lowerBound, $0.count, y.kernels, nil, to: y.address($0.lowerBound)) }
    return y
  }

  /// Multiplies elements `first..<first + count` of the array, which begin at `x`; with `nil`, writes the factors.
  func write(first: Int, _ count: Int, _ kernels: apus_kernels, _ x: UnsafeRawPointer?, to y: UnsafeMutableRawPointer) {
    var source = source
    kernels.dropout(&source, first, count, probability, x, y)
  }
}

extension apus_random {
  /// The words that `random` gives next.
  init(_ random: Random) {
    let (key, counter, offset) = random.position
    self.init(key: (key.x, key.y), counter: (counter.x, counter.y, counter.z, counter.w), offset: UInt32(offset))
  }
}

extension Tensor {
  /// Each element set to 0 with probability `p`, the others scaled by `1 / (1 - p)`.
  /// - Source: Srivastava et al. 2014, in the inverted form.
  public func dropout(_ p: Double, _ random: inout Random) -> Tensor {
    require(p >= 0 && p < 1, "dropout: probability \(p) is outside 0..<1")
    return p > 0 ? dropped(by: DropoutMask(p, count: count, &random)) : self
  }

  /// Whole channels of each image set to 0 with probability `p`. - Shape: `[n, ..., c]`.
  public func dropoutChannels(_ p: Double, _ random: inout Random) -> Tensor {
    require(p >= 0 && p < 1, "dropout: probability \(p) is outside 0..<1")
    guard p > 0 else { return self }
    let shape = self.shape.indices.map { $0 == 0 || $0 == rank - 1 ? self.shape[$0] : 1 }
    return self * DropoutMask(p, count: shape.reduce(1, *), &random).factors(shape, precision)
  }

  /// Each element times its factor. - Gradient: `dy`, times the same factors.
  func dropped(by mask: DropoutMask) -> Tensor {
    require(count == mask.count, "dropout: factors for \(mask.count) elements, got shape \(shape)")
    let (x, y) = (self, fresh())
    parallelFor(count, grain: 1 << 14) { range in
      mask.write(first: range.lowerBound, range.count, y.kernels, x.address(range.lowerBound), to: y.address(range.lowerBound))
    }
    return y.recorded(.dropout, from: [x]) { dy in [dy.dropped(by: mask)] }
  }
}
