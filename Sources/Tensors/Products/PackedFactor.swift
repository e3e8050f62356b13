import CKernels

/// The second factor of a product small enough to be packed whole, in memory of the task that uses it.
struct PackedFactor {
  private let panels: Panels
  private let memory: UnsafeMutableRawPointer

  /// Elements of memory that a factor needs.
  static func size(depth: Int, columns: Int, _ precision: Precision) -> Int {
    let panels = Panels(depth: depth, columns: columns, precision: precision)
    return panels.count * panels.size
  }

  /// Packs `scale · factor`.
  init(_ factor: Factor, depth: Int, columns: Int, scale: Double = 1, into memory: UnsafeMutableRawPointer) {
    panels = Panels(depth: depth, columns: columns, precision: factor.tensor.precision)
    self.memory = memory
    for panel in 0..<panels.count {
      panels.pack(panel, of: factor, into: address(panel))
      guard scale != 1 else { continue }
      factor.tensor.kernels.unary(Int32(APUS_AFFINE.rawValue), address(panel), address(panel), panels.size(of: panel), scale, 0)
    }
  }

  private func address(_ panel: Int) -> UnsafeMutableRawPointer { memory + panel * panels.size * panels.precision.byteCount }

  /// `c = a · b`, or `c += a · b`.
  /// - Parameters:
  ///   - aRow, aDepth: elements between the rows of `a`, and between the terms of a sum.
  ///   - cRow: elements between the rows of `c`.
  func multiply(
    _ a: UnsafeRawPointer, rows: Int, aRow: Int, aDepth: Int = 1, into c: UnsafeMutableRawPointer, cRow: Int, adds: Bool = false
  ) {
    let kernels = panels.precision.kernels
    for panel in 0..<panels.count {
      let columns = panels.range(of: panel)
      var how = apus_product(
        rows: rows, columns: columns.count, depth: panels.depth, tap_count: 1, taps: apus_one_tap(), a_row: aRow, a_depth: aDepth,
        c_row: cRow, adds: adds ? 1 : 0)
      kernels.product(&how, a, address(panel), c + columns.lowerBound * panels.precision.byteCount)
    }
  }
}
