import Base

/// Masks as polygons: the way back from `init(polygons:height:width:)`.
extension RunLengthMask {
  /// Polygons along the edges of the pixels, one for each part whose pixels touch with their sides; `[x0, y0, x1, y1, ...]` as in COCO.
  ///
  /// Rasterised as COCO's tools do, they give the mask back to the pixel. Since COCO takes the union of an object's polygons, a hole
  /// belongs to the polygon around it: a cut leads from the outline to the hole and back along the same line.
  public var polygons: [[Double]] {
    let parts = MaskParts(self)
    return (1..<parts.count + 1).map { part in
      // The loop with the topmost edge runs around the part, all others around holes in it.
      let loops = parts.loops(of: part)
      let outline = loops.dropFirst().reduce(loops[0], Self.joined)
      return outline.flatMap { [Double($0.x), Double($0.y)] }
    }
  }

  /// The closed lines along the edges of the pixels between the mask and all else: around its parts and around their holes, as corners in
  /// pixels. For drawing; `polygons` are for files.
  public var outlines: [[SIMD2<Double>]] {
    let parts = MaskParts(self)
    return (1..<parts.count + 1).flatMap { parts.loops(of: $0) }.map { loop in loop.map { SIMD2<Double>(Double($0.x), Double($0.y)) } }
  }

  /// The outline with a cut to a hole, between the two corners that are nearest to each other.
  private static func joined(_ outline: [SIMD2<Int>], _ hole: [SIMD2<Int>]) -> [SIMD2<Int>] {
    var best = (outer: 0, inner: 0, distance: Int.max)
    for (outer, a) in outline.enumerated() {
      for (inner, b) in hole.enumerated() {
        let away = a &- b
        let distance = away.x * away.x + away.y * away.y
        if distance < best.distance { best = (outer, inner, distance) }
      }
    }
    var joined = Array(outline[...best.outer])
    joined += hole[best.inner...]
    joined += hole[...best.inner]
    return joined + outline[best.outer...]
  }
}

/// The parts of a mask whose pixels hang together by their sides.
private struct MaskParts {
  /// Number of parts.
  private(set) var count = 0
  private let height: Int
  private let width: Int
  /// The part of each pixel, from 1, within a rim of zeros: row-major, `height + 2` rows.
  private var labels: [Int32]
  private var stride: Int { width + 2 }
  /// The rows and columns of each part, with the rim.
  private var boxes: [(rows: ClosedRange<Int>, columns: ClosedRange<Int>)] = []

  init(_ mask: RunLengthMask) {
    height = mask.height
    width = mask.width
    labels = Array(repeating: 0, count: (mask.height + 2) * (mask.width + 2))
    let flags = mask.flags
    for y in 0..<height {
      for x in 0..<width where flags[y * width + x] { labels[(y + 1) * stride + x + 1] = -1 }
    }
    for start in labels.indices where labels[start] == -1 { fill(from: start) }
  }

  /// Gives a new label to all that hangs together with a pixel.
  private mutating func fill(from start: Int) {
    count += 1
    let label = Int32(count)
    labels[start] = label
    var waiting = [start]
    var rows = start / stride...start / stride
    var columns = start % stride...start % stride
    while let place = waiting.popLast() {
      let (y, x) = place.quotientAndRemainder(dividingBy: stride)
      rows = min(rows.lowerBound, y)...max(rows.upperBound, y)
      columns = min(columns.lowerBound, x)...max(columns.upperBound, x)
      for next in [place - 1, place + 1, place - stride, place + stride] where labels[next] == -1 {
        labels[next] = label
        waiting.append(next)
      }
    }
    boxes.append((rows, columns))
  }

  /// The closed lines between the pixels of a part and all others, as corners where they turn; the part lies to the right of the way. First
  /// the one around it, which begins at its topmost, there leftmost corner.
  func loops(of part: Int) -> [[SIMD2<Int>]] {
    let label = Int32(part)
    let (rows, columns) = boxes[part - 1]
    // Every loop passes the upper edge of some pixel; the first of them in reading order begins at a corner.
    var passed = Set<Int>()
    var loops: [[SIMD2<Int>]] = []
    for y in rows {
      for x in columns where labels[y * stride + x] == label && labels[(y - 1) * stride + x] != label {
        guard !passed.contains(y * stride + x) else { continue }
        loops.append(loop(from: SIMD2(x, y), label, &passed))
      }
    }
    return loops
  }

  /// Walks along the edges from the upper left corner of a pixel to the right.
  /// - Parameter passed: gets the pixels whose upper edge it passes.
  private func loop(from start: SIMD2<Int>, _ label: Int32, _ passed: inout Set<Int>) -> [SIMD2<Int>] {
    var corners: [SIMD2<Int>] = []
    var corner = start
    var way = SIMD2(1, 0)
    repeat {
      if way == SIMD2(1, 0) { passed.insert(corner.y * stride + corner.x) }
      corner = corner &+ way
      let next = turn(at: corner, way, label)
      // Pixel (1, 1) within the rim is pixel (0, 0) of the mask.
      if next != way { corners.append(corner &- SIMD2(1, 1)) }
      way = next
    } while corner != start || way != SIMD2(1, 0)
    // The last corner is the start.
    return corners.suffix(1) + corners.dropLast()
  }

  /// The direction in which the edge goes on: where two pixels of the part touch with their corners only, along the one at hand.
  private func turn(at corner: SIMD2<Int>, _ way: SIMD2<Int>, _ label: Int32) -> SIMD2<Int> {
    let right = SIMD2(-way.y, way.x)
    // The pixels ahead on either side of the line.
    func isPart(_ side: SIMD2<Int>) -> Bool {
      // A pixel lies towards +x, +y of its corner; half steps along both directions lead to its middle.
      let sum = way &+ side
      let place = SIMD2(sum.x > 0 ? corner.x : corner.x - 1, sum.y > 0 ? corner.y : corner.y - 1)
      return labels[place.y * stride + place.x] == label
    }
    guard isPart(right) else { return right }
    return isPart(SIMD2(0, 0) &- right) ? SIMD2(0, 0) &- right : way
  }
}
