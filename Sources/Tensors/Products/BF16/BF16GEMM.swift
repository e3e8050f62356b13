import CKernels

/// A `GEMM` on bfloat16 parts: the rows of a task are split once, the second factor is packed once for all tasks.
struct BF16GEMM {
  let product: GEMM
  let path: BF16Split
  /// Split rows in one task's memory: some 512 KiB, to stay in the second-level cache.
  private static let rowElements = 1 << 18
  private static let fewestRows = 32

  func run(_ a: Tensor, _ b: Tensor, depth: Range<Int>, into y: Tensor, at place: Int, epilogue: Epilogue) {
    let (batch, m, n, k) = (product.batch, product.m, product.n, product.k)
    let factor = StridedMatrix(tensor: b, start: depth.lowerBound * (product.isBTransposed ? 1 : n), row: product.isBTransposed ? 1 : n,
                        column: product.isBTransposed ? k : 1, group: k * n)
    let panels = BF16Panels(factor, slabs: [0], rows: depth.count, taps: 1, columns: n, groups: batch, path)
    let tasks = (TaskCount.wanted(multiplyAdds: batch * m * n * depth.count) + batch - 1) / batch
    let even = (m + tasks - 1) / tasks
    let rowBlock = Swift.max(Self.fewestRows, Swift.min(even, Self.rowElements / (depth.count * path.parts)))
    let strips = (m + rowBlock - 1) / rowBlock
    parallelFor(batch * strips) { range in
      path.kernels.tiles_begin()
      for task in range {
        let item = task / strips, first = task % strips * rowBlock
        multiply(a, panels, item, first..<Swift.min(m, first + rowBlock), depth, into: y, at: place, epilogue)
      }
      path.kernels.tiles_end()
    }
  }

  private func multiply(
    _ a: Tensor, _ panels: BF16Panels, _ item: Int, _ rows: Range<Int>, _ depth: Range<Int>, into y: Tensor, at place: Int,
    _ epilogue: Epilogue
  ) {
    let (m, k) = (product.m, product.k)
    guard product.isATransposed else {
      let first = a.address(item * m * k + rows.lowerBound * k + depth.lowerBound)
      return path.withSplitRows(first, rows: rows.count, columns: depth.count, stride: k) { split in
        multiply(split, panels, item, rows, into: y, at: place, epilogue)
      }
    }
    let first = a.address(item * m * k + depth.lowerBound * m + rows.lowerBound)
    path.withSplitTransposed(first, rows: depth.count, columns: rows.count, stride: m) { split in
      multiply(split, panels, item, rows, into: y, at: place, epilogue)
    }
  }

  private func multiply(
    _ a: BF16Rows, _ panels: BF16Panels, _ item: Int, _ rows: Range<Int>, into y: Tensor, at place: Int, _ epilogue: Epilogue
  ) {
    let perItem = panels.blocks.perGroup
    for panel in item * perItem..<(item + 1) * perItem {
      let range = panels.range(of: panel)
      let options = apus_split_product(
        rows: rows.count, columns: range.count, depth: panels.depth, taps: 1, tap_offsets: apus_one_tap(),
        a_row: a.row, a_plane: a.plane, c_row: product.n, parts: Int32(path.parts), adds: 0)
      let c = y.address(place + (item * product.m + rows.lowerBound) * product.n + range.lowerBound)
      path.multiply(options, a.base, panels.address(panel), into: c)
      epilogue.apply(to: c, y.kernels, rows: rows.count, columns: range, stride: product.n)
    }
  }
}
