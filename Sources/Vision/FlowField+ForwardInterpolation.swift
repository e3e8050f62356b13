extension FlowField {
  /// The start for the next pair of a sequence (RAFT's warm start): this field moved along itself, as if everything went on as it did.
  ///
  /// The vector at `(x, y)` moves to `(x + u, y + v)` and is kept if that lies strictly inside, `0 < x + u < width` and
  /// `0 < y + v < height`. Each node of the grid takes the vector that landed nearest to it; of equally near ones the one that came
  /// first in row order. Vectors are in cells of this grid. If none is kept the result is at rest.
  ///
  /// - Source: evaluation of RAFT, which interpolates the scattered vectors to their nearest neighbours.
  public func forwardInterpolated() -> FlowField {
    let landed = LandedVectors(self)
    var result = FlowField(height: height, width: width, vectors: [Float](repeating: 0, count: vectors.count))
    guard !landed.isEmpty else { return result }
    for y in 0..<height {
      for x in 0..<width {
        let source = landed.nearest(y: y, x: x)
        result.vectors[2 * (y * width + x)] = vectors[2 * source]
        result.vectors[2 * (y * width + x) + 1] = vectors[2 * source + 1]
      }
    }
    return result
  }
}

/// The end points of vectors in buckets of one cell, for an exact search of the nearest one.
private struct LandedVectors {
  private let height: Int
  private let width: Int
  /// Sources by the cell of their end point, `starts[cell]..<starts[cell + 1]`, in row order within each cell.
  private let starts: [Int]
  private let sources: [Int]
  /// End points by source.
  private let x: [Double]
  private let y: [Double]
  /// The nearest cell of the row with anything in it, at this cell or before it (-1: none), and at this cell or behind it (width: none).
  private let before: [Int]
  private let behind: [Int]

  var isEmpty: Bool { sources.isEmpty }

  init(_ flow: FlowField) {
    let (height, width) = (flow.height, flow.width), count = height * width
    let x = (0..<count).map { Double($0 % width) + Double(flow.vectors[2 * $0]) }
    let y = (0..<count).map { Double($0 / width) + Double(flow.vectors[2 * $0 + 1]) }
    var cells = [Int](repeating: -1, count: count)
    var starts = [Int](repeating: 0, count: count + 1)
    for i in 0..<count where flow.isValid[i] && x[i] > 0 && x[i] < Double(width) && y[i] > 0 && y[i] < Double(height) {
      cells[i] = Int(y[i]) * width + Int(x[i])
      starts[cells[i] + 1] += 1
    }
    for cell in 0..<count { starts[cell + 1] += starts[cell] }
    var sources = [Int](repeating: 0, count: starts[count])
    var next = starts
    for i in 0..<count where cells[i] >= 0 {
      sources[next[cells[i]]] = i
      next[cells[i]] += 1
    }
    var before = [Int](repeating: -1, count: count)
    var behind = [Int](repeating: width, count: count)
    for row in stride(from: 0, to: count, by: max(width, 1)) {
      func isFilled(_ column: Int) -> Bool { starts[row + column] < starts[row + column + 1] }
      for column in 0..<width { before[row + column] = isFilled(column) ? column : column > 0 ? before[row + column - 1] : -1 }
      for column in (0..<width).reversed() {
        behind[row + column] = isFilled(column) ? column : column + 1 < width ? behind[row + column + 1] : width
      }
    }
    self.height = height
    self.width = width
    self.x = x
    self.y = y
    self.starts = starts
    self.sources = sources
    self.before = before
    self.behind = behind
  }

  /// The best candidate so far.
  private struct Best {
    var distance = Double.infinity  // squared
    var source = Int.max
  }

  /// The source whose end point is nearest to a node; of equally near ones the lowest.
  ///
  /// Rows of cells are visited outwards until their distance alone exceeds the best one. Cells lie at and beyond the node on one side
  /// (`c ≥ 0`: no nearer than `c`) and end one short of it on the other (`c < 0`: no nearer than `-c - 1`).
  func nearest(y: Int, x: Int) -> Int {
    var best = Best()
    search(row: y, gap: 0, y: y, x: x, &best)
    for offset in stride(from: 1, to: height, by: 1) where Double((offset - 1) * (offset - 1)) <= best.distance {
      if y + offset < height { search(row: y + offset, gap: offset, y: y, x: x, &best) }
      if y - offset >= 0 { search(row: y - offset, gap: offset - 1, y: y, x: x, &best) }
    }
    return best.source
  }

  /// Visits the cells of one row, all of them at least `gap` away, outwards from column `x`.
  private func search(row: Int, gap: Int, y: Int, x: Int, _ best: inout Best) {
    guard Double(gap * gap) <= best.distance else { return }
    var column = behind[row * width + x]
    while column < width, Double(gap * gap + (column - x) * (column - x)) <= best.distance {
      visit(row * width + column, y: y, x: x, &best)
      column = column + 1 < width ? behind[row * width + column + 1] : width
    }
    column = x > 0 ? before[row * width + x - 1] : -1
    while column >= 0, Double(gap * gap + (x - column - 1) * (x - column - 1)) <= best.distance {
      visit(row * width + column, y: y, x: x, &best)
      column = column > 0 ? before[row * width + column - 1] : -1
    }
  }

  private func visit(_ cell: Int, y: Int, x: Int, _ best: inout Best) {
    for source in sources[starts[cell]..<starts[cell + 1]] {
      let dx = self.x[source] - Double(x)
      let dy = self.y[source] - Double(y)
      let distance = dx * dx + dy * dy
      if distance < best.distance || (distance == best.distance && source < best.source) {
        best = Best(distance: distance, source: source)
      }
    }
  }
}
