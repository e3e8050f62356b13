import Base

/// For each output position along one axis, the two input positions that it blends: `(1 - weight) · lower + weight · upper`.
///
/// A resize, a flip and a crop along an axis are three steps on this table, so an image is sampled once however many are asked for.
public struct ResamplingAxis: Sendable, Equatable {
  public private(set) var lower: [Int]
  public private(set) var upper: [Int]
  public private(set) var weight: [Float]

  public var count: Int { lower.count }

  /// Bilinear resizing of `count` positions by `scale`.
  ///
  /// There are `round(count · scale)` outputs (half to even); output `i` lies at `(i + ½) / scale - ½`: pixel centres sit at half
  /// integers, and positions outside are clamped to the border. No smoothing precedes shrinking.
  /// - Precondition: `count` and the number of outputs are positive.
  /// - Source: the documented behaviour of OpenCV's `resize` with `fx`, `fy` and `INTER_LINEAR`.
  public init(resizing count: Int, by scale: Double) {
    self.init(resizing: count, by: scale, keeping: 0..<ResamplingAxis.count(resizing: count, by: scale))
  }

  /// The number of outputs of `init(resizing:by:)`.
  public static func count(resizing count: Int, by scale: Double) -> Int {
    let outputs = (Double(count) * scale).rounded(.toNearestOrEven)
    require(count > 0 && outputs >= 1 && outputs < 1e15,
      "ResamplingAxis: \(count) positions times \(scale) leaves \(outputs), expected at least one")
    return Int(outputs)
  }

  /// A resize, a flip and a crop in one: only what is kept takes memory, however far the resize enlarges.
  /// - Parameters:
  ///   - kept: the part of the resized (and flipped) positions that is kept.
  ///   - isFlipped: whether the resized positions stand in opposite order.
  public init(resizing count: Int, by scale: Double, keeping kept: Range<Int>, isFlipped: Bool = false) {
    let outputs = ResamplingAxis.count(resizing: count, by: scale)
    require(kept.lowerBound >= 0 && kept.upperBound <= outputs, "ResamplingAxis: the crop \(kept) is not inside 0..<\(outputs)")
    lower = []
    upper = []
    weight = []
    for kept in kept {
      let i = isFlipped ? outputs - 1 - kept : kept
      let position = min(max((Double(i) + 0.5) / scale - 0.5, 0), Double(count - 1))
      let first = Int(position)
      lower.append(first)
      upper.append(min(first + 1, count - 1))
      weight.append(Float(position - Double(first)))
    }
  }

  /// The positions in opposite order: a flip.
  public func reversed() -> ResamplingAxis {
    var axis = self
    axis.lower.reverse()
    axis.upper.reverse()
    axis.weight.reverse()
    return axis
  }

  /// A part of the positions: a crop.
  /// - Precondition: `range` lies inside `0..<count`.
  public func cropped(to range: Range<Int>) -> ResamplingAxis {
    require(range.lowerBound >= 0 && range.upperBound <= count, "ResamplingAxis: the crop \(range) is not inside 0..<\(count)")
    var axis = self
    axis.lower = Array(lower[range])
    axis.upper = Array(upper[range])
    axis.weight = Array(weight[range])
    return axis
  }
}
