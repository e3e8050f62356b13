import Base

extension RunLengthMask {
  /// Pixels of either mask.
  /// - Precondition: both are of one size.
  public func union(_ other: RunLengthMask) -> RunLengthMask { combined(with: other) { $0 || $1 } }

  /// Pixels of both masks.
  /// - Precondition: both are of one size.
  public func intersection(_ other: RunLengthMask) -> RunLengthMask { combined(with: other) { $0 && $1 } }

  /// How many pixels belong to both masks.
  /// - Precondition: both are of one size.
  public func intersectionArea(with other: RunLengthMask) -> Int {
    var area = 0
    overlay(other) { length, isHere, isThere in
      if isHere && isThere { area += length }
    }
    return area
  }

  /// Intersection over union of a detection, `self`, with an annotated mask, 0...1; with a crowd region, over the detection's own area.
  /// - Precondition: both are of one size.
  public func iou(with truth: RunLengthMask, isCrowd: Bool = false) -> Double {
    let intersection = intersectionArea(with: truth)
    guard intersection > 0 else { return 0 }
    return Double(intersection) / Double(isCrowd ? area : area + truth.area - intersection)
  }

  private func combined(with other: RunLengthMask, _ operation: (Bool, Bool) -> Bool) -> RunLengthMask {
    var counts: [UInt32] = []
    var run = 0
    var isObject = false
    overlay(other) { length, isHere, isThere in
      if operation(isHere, isThere) != isObject {
        counts.append(UInt32(run))
        run = 0
        isObject.toggle()
      }
      run += length
    }
    counts.append(UInt32(run))
    return RunLengthMask(height: height, width: width, unchecked: counts)
  }

  /// Cuts the image where a run of either mask ends, and calls `body` with each piece that is not empty, in order.
  private func overlay(_ other: RunLengthMask, _ body: (_ length: Int, _ isHere: Bool, _ isThere: Bool) -> Void) {
    require(height == other.height && width == other.width,
            "RunLengthMask: masks of \(height) x \(width) and \(other.height) x \(other.width) pixels")
    counts.withUnsafeBufferPointer { a in
      other.counts.withUnsafeBufferPointer { b in
        var (i, j) = (0, 0)
        var restA = a.first.map(Int.init) ?? 0
        var restB = b.first.map(Int.init) ?? 0
        while true {
          let length = min(restA, restB)
          if length > 0 { body(length, i % 2 == 1, j % 2 == 1) }
          restA -= length
          restB -= length
          while restA == 0 && i + 1 < a.count { i += 1; restA = Int(a[i]) }
          while restB == 0 && j + 1 < b.count { j += 1; restB = Int(b[j]) }
          if restA == 0 || restB == 0 { return }
        }
      }
    }
  }
}
