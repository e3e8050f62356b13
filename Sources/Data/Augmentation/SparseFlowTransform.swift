import Vision

/// The resize, flip and crop of sparse flow: every known vector goes to one pixel, or is lost.
///
/// A vector at `(x, y)` goes to the pixel `(round(x fx), round(y fy))`, half to even, multiplied by `(fx, fy)`. It is kept if
/// `0 < x < width` and `0 < y < height` hold there: row 0 and column 0 of the resized field stay empty. Of several vectors for one
/// pixel the last in reading order stays.
///
/// - Source: the sparse augmentation of the published RAFT code.
package struct SparseFlowTransform: Sendable {
  let scale: SIMD2<Double>
  /// Size of the resized field.
  let height: Int
  let width: Int
  let flipsX: Bool
  let flipsY: Bool
  /// The part of the resized and flipped field that is kept.
  let rows: Range<Int>
  let columns: Range<Int>

  package init(scale: SIMD2<Double>, height: Int, width: Int, flipsX: Bool, flipsY: Bool, rows: Range<Int>, columns: Range<Int>) {
    (self.scale, self.height, self.width) = (scale, height, width)
    (self.flipsX, self.flipsY, self.rows, self.columns) = (flipsX, flipsY, rows, columns)
  }

  package func callAsFunction(_ flow: FlowField) -> FlowField {
    var result = FlowField(height: rows.count, width: columns.count, vectors: Array(repeating: 0, count: 2 * rows.count * columns.count),
                           isValid: Array(repeating: false, count: rows.count * columns.count))
    let sign = SIMD2(flipsX ? -scale.x : scale.x, flipsY ? -scale.y : scale.y)
    let targets = (0..<flow.width).map { target($0, scale.x, width, flipsX, columns) }
    for y in 0..<flow.height {
      guard let row = target(y, scale.y, height, flipsY, rows) else { continue }
      for x in 0..<flow.width where flow.isValid[y * flow.width + x] {
        guard let column = targets[x] else { continue }
        let (u, v) = flow[y, x]
        result[row, column] = (Float(Double(u) * sign.x), Float(Double(v) * sign.y))
        result.isValid[row * columns.count + column] = true
      }
    }
    return result
  }

  /// The position in the crop for a position of the source; nil if it is lost.
  private func target(_ position: Int, _ scale: Double, _ count: Int, _ flips: Bool, _ kept: Range<Int>) -> Int? {
    let resized = Int((Double(position) * scale).rounded(.toNearestOrEven))
    guard resized > 0, resized < count else { return nil }
    let flipped = flips ? count - 1 - resized : resized
    return kept.contains(flipped) ? flipped - kept.lowerBound : nil
  }
}
