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
    let outputs = (Double(count) * scale).rounded(.toNearestOrEven)
    guard count > 0, outputs >= 1, outputs < 1e9 else {
      fatalError("ResamplingAxis: \(count) positions times \(scale) leaves \(outputs), expected at least one")
    }
    lower = []
    upper = []
    weight = []
    for i in 0..<Int(outputs) {
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
    guard range.lowerBound >= 0, range.upperBound <= count else {
      fatalError("ResamplingAxis: the crop \(range) is not inside 0..<\(count)")
    }
    var axis = self
    axis.lower = Array(lower[range])
    axis.upper = Array(upper[range])
    axis.weight = Array(weight[range])
    return axis
  }
}
