import CKernels

/// The first factor of a product, where it lies in memory: term `t` of row `r` is `r · row + t · term` elements behind `base`.
struct StridedRows {
  let base: UnsafeRawPointer
  let row, term: Int

  init(_ base: UnsafeRawPointer, row: Int, term: Int = 1) {
    (self.base, self.row, self.term) = (base, row, term)
  }
}

/// The second factor of a product, or some of its columns and rows, packed whole into the caller's memory.
///
/// Safety: unchecked, because it points to memory: written by `init` alone, in disjoint panels, and only read afterwards.
struct PackedMatrix: @unchecked Sendable {
  private let panels: Panels
  private let memory: UnsafeMutableRawPointer

  /// Panels of columns.
  var panelCount: Int { panels.count }

  /// Elements of memory that a factor needs.
  static func size(depth: Int, columns: Int, _ precision: Precision) -> Int {
    let panels = Panels(depth: depth, columns: columns, precision: precision)
    return panels.count * panels.size
  }

  /// Panels that are packed already.
  init(_ panels: Panels, in memory: UnsafeMutableRawPointer) { (self.panels, self.memory) = (panels, memory) }

  /// Packs `scale · factor`, on all threads unless called from a task.
  init(_ factor: StridedMatrix, depth: Int, columns: Int, scale: Double = 1, into memory: UnsafeMutableRawPointer) {
    let panels = Panels(depth: depth, columns: columns, precision: factor.tensor.precision)
    (self.panels, self.memory) = (panels, memory)
    parallelFor(panels.count, grain: Swift.max(1, (1 << 14) / panels.size)) { [self] range in
      for panel in range {
        panels.pack(panel, of: factor, into: address(panel))
        guard scale != 1 else { continue }
        factor.tensor.kernels.unary(Int32(APUS_AFFINE.rawValue), address(panel), address(panel), panels.size(of: panel), scale, 0)
      }
    }
  }

  private func address(_ panel: Int, row: Int = 0) -> UnsafeMutableRawPointer {
    memory + (panel * panels.size + row * panels.width(of: panel)) * panels.precision.byteCount
  }

  /// The panels of some columns, which begin with a panel.
  func panels(of columns: Range<Int>) -> Range<Int> {
    columns.lowerBound / panels.width..<(columns.upperBound + panels.width - 1) / panels.width
  }

  /// `c = a · b`, or `c += a · b`, for some panels and rows of `b`, all by default.
  /// - Parameters:
  ///   - a: from the first of these rows of `b` on; `c`: from the first column of these panels on.
  ///   - cRow: elements between the rows of `c`.
  ///   - next: what is read after this.
  func multiply(
    _ a: StridedRows, rows: Int, panels block: Range<Int>? = nil, terms: Range<Int>? = nil, into c: UnsafeMutableRawPointer, cRow: Int,
    adds: Bool = false, next: apus_fetch = apus_fetch()
  ) {
    let kernels = panels.precision.kernels
    let bytes = panels.precision.byteCount
    let block = block ?? 0..<panels.count
    let terms = terms ?? 0..<panels.depth
    let first = block.lowerBound * panels.width
    for (index, panel) in block.enumerated() {
      let columns = panels.range(of: panel)
      var options = apus_product(
        rows: rows, columns: columns.count, depth: terms.count, tap_count: 1, taps: apus_one_tap(), a_row: a.row, a_depth: a.term,
        c_row: cRow, adds: adds ? 1 : 0, next: next.part(index, of: block.count))
      kernels.product(&options, a.base, address(panel, row: terms.lowerBound), c + (columns.lowerBound - first) * bytes)
    }
  }
}

extension apus_fetch {
  /// Part `index` of `parts` nearly equal ones.
  fileprivate func part(_ index: Int, of parts: Int) -> apus_fetch {
    guard rows > 0 else { return self }
    let range = (0..<rows).part(index, of: parts)
    return apus_fetch(from: from + range.lowerBound * pitch, rows: range.count, bytes: bytes, pitch: pitch)
  }
}
