import Base

extension RunLengthMask {
  /// The union of polygons, rasterised as pycocotools does (`frPyObjects`, then `merge`), so that areas and run lengths are equal.
  /// - Parameter polygons: for each the corners, `[x0, y0, x1, y1, ...]` in pixels; the last one is joined to the first.
  /// - Throws: `.badData` if there is no polygon, or one has fewer than three corners, half a corner, or a coordinate that is not finite
  ///   or beyond 10⁸.
  public init(polygons: [[Double]], height: Int, width: Int) throws {
    guard let first = polygons.first else { throw Self.damage("no polygon") }
    var mask = try RunLengthMask(polygon: first, height: height, width: width)
    for polygon in polygons.dropFirst() { mask = try mask.union(RunLengthMask(polygon: polygon, height: height, width: width)) }
    self = mask
  }

  /// The pixels that a box covers, rasterised as the polygon of its corners.
  /// - Throws: `.badData` as `init(polygons:height:width:)`.
  public init(box: BoundingBox, height: Int, width: Int) throws {
    try self.init(polygon: [box.x, box.y, box.x, box.y1, box.x1, box.y1, box.x1, box.y], height: height, width: width)
  }

  /// One polygon. Its outline is drawn on a grid five times as fine; wherever it passes the middle of a pixel column, the object begins or
  /// ends in that column, at the first pixel whose middle is not above the line.
  private init(polygon: [Double], height: Int, width: Int) throws {
    let pixels = try Self.pixelCount(height, width)
    guard polygon.count >= 6, polygon.count % 2 == 0 else {
      throw Self.damage("a polygon of \(polygon.count) numbers, expected x and y of at least three corners")
    }
    guard let corners = Self.fineCorners(polygon) else {
      throw Self.damage("a polygon with a coordinate that is not finite or beyond 1e8")
    }
    var changes: [Int] = []
    for (index, corner) in corners.enumerated() {
      let edge = FineEdge(from: corner, to: corners[(index + 1) % corners.count])
      edge.forEachPassage(columns: width) { column, fineRow in
        // The row of the first pixel whose middle, 5 · row + 2 on the fine grid, is not above; rounded up.
        let row = (fineRow - 2 + 4).dividedDown(by: 5)
        changes.append(column * height + min(max(row, 0), height))
      }
    }
    self.init(height: height, width: width, unchecked: Self.counts(changes: changes.sorted(), pixels: pixels))
  }

  /// The run lengths between places where the object begins or ends; two changes at one place cancel.
  private static func counts(changes: [Int], pixels: Int) -> [UInt32] {
    var counts: [UInt32] = []
    var start = 0
    var index = 0
    while index < changes.count {
      let place = changes[index]
      var next = index
      while next < changes.count, changes[next] == place { next += 1 }
      if (next - index) % 2 == 1 && place < pixels {
        counts.append(UInt32(place - start))
        start = place
      }
      index = next
    }
    counts.append(UInt32(pixels - start))
    return counts
  }

  /// The corners on the fine grid, rounded as C's conversion of `5 · x + 0.5` does; nil if one is not finite or too far away.
  private static func fineCorners(_ polygon: [Double]) -> [SIMD2<Int>]? {
    guard polygon.allSatisfy({ abs($0) <= 1e8 }) else { return nil }
    return stride(from: 0, to: polygon.count, by: 2).map { SIMD2(Int(5 * polygon[$0] + 0.5), Int(5 * polygon[$0 + 1] + 0.5)) }
  }
}

/// One edge of a polygon on the grid five times as fine, drawn with one point for each step along its longer side.
private struct FineEdge {
  /// The end with the smaller coordinate along the longer side.
  private let start: SIMD2<Int>
  /// Steps along the longer side.
  private let steps: Int
  /// What the other coordinate grows by with each step, -1...1.
  private let slope: Double
  private let isFlat: Bool

  init(from a: SIMD2<Int>, to b: SIMD2<Int>) {
    let dx = abs(a.x - b.x)
    let dy = abs(a.y - b.y)
    isFlat = dx >= dy
    let isReversed = isFlat ? a.x > b.x : a.y > b.y
    start = isReversed ? b : a
    let end = isReversed ? a : b
    steps = max(dx, dy)
    let rise = isFlat ? end.y - start.y : end.x - start.x
    slope = steps == 0 ? 0 : Double(rise) / Double(steps)
  }

  /// The coordinate along the shorter side after `step` steps; truncated towards zero, as in C.
  private func across(_ step: Int) -> Int { Int(Double(isFlat ? start.y : start.x) + slope * Double(step) + 0.5) }

  /// Calls `body` for each column of pixels whose middle, between 5 · column + 2 and the next fine column, the edge passes, with the
  /// smaller fine row of the two points there.
  func forEachPassage(columns: Int, _ body: (_ column: Int, _ fineRow: Int) -> Void) {
    let first = isFlat ? start.x : min(across(0), across(steps))
    let last = isFlat ? start.x + steps : max(across(0), across(steps))
    let lowest = max(0, (first - 2 + 4).dividedDown(by: 5))
    let highest = min(columns - 1, (last - 3).dividedDown(by: 5))
    guard lowest <= highest else { return }
    for column in lowest...highest {
      let middle = 5 * column + 2
      if isFlat {
        let step = middle - start.x
        body(column, min(across(step), across(step + 1)))
      } else {
        body(column, start.y + firstStep(beyond: middle) - 1)
      }
    }
  }

  /// The first step of a steep edge that is on the other side of the middle than its start.
  private func firstStep(beyond middle: Int) -> Int {
    var low = 0
    var high = steps
    while high - low > 1 {
      let step = (low + high) / 2
      let isBeyond = slope > 0 ? across(step) > middle : across(step) <= middle
      if isBeyond { high = step } else { low = step }
    }
    return high
  }
}

extension Int {
  /// The quotient rounded towards minus infinity.
  fileprivate func dividedDown(by divisor: Int) -> Int { (self - (self % divisor + divisor) % divisor) / divisor }
}
