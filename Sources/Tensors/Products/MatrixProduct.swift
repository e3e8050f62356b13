import CKernels

/// A batch of equal products `op(a) · op(b)`, cut into tasks by size alone.
struct MatrixProduct {
  let batch, m, n, k: Int
  var isATransposed = false, isBTransposed = false
  var finish = Finish()

  private static let depthBlock = 1536
  private static let fewestRows = 196
  /// Packed panels that stay in the second-level cache together: then each block of rows, 64 KiB of it, meets all of them at once.
  private static let packedElements = 1 << 16, rowElements = 1 << 14, fewestTogether = 28
  /// Few outputs with a long sum: the sum is cut, so that all threads have work.
  private var isDeep: Bool { k >= 2 * Self.depthBlock && m * n <= 1 << 16 }

  /// - Parameters: `a` `[batch, m, k]` and `b` `[batch, k, n]`, or their transposes.
  func run(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    guard k > 0 else {
      y.kernels.fill(y.address(), y.count, 0)
      return
    }
    if let path = SplitPath.serving(depth: k, columns: n, y.precision) {
      runSplit(path, a, b, into: y)
    } else if isDeep {
      runDeep(a, b, into: y)
    } else {
      runBlocks(a, b, into: y)
    }
  }

  private func runBlocks(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    let panels = Panels(depth: k, columns: n, precision: y.precision)
    let tasks = TaskCount.wanted(multiplyAdds: batch * m * n * k)
    let perItem = (tasks + batch - 1) / batch
    let rowBlock = Swift.min(m, Swift.max(Self.fewestRows, (m + perItem - 1) / perItem))
    let strips = (m + rowBlock - 1) / rowBlock
    let panelBlock = (panels.count * strips + perItem - 1) / perItem, blocks = (panels.count + panelBlock - 1) / panelBlock
    parallelFor(batch * strips * blocks) { range in
      for task in range {
        let (item, row, panel) = (task / (strips * blocks), task / blocks % strips * rowBlock, task % blocks * panelBlock)
        multiply(a, b, item, rows: row..<Swift.min(m, row + rowBlock), panels: panel..<Swift.min(panels.count, panel + panelBlock),
                 depth: 0..<k, into: y, at: item * m * n)
      }
    }
  }

  private func runSplit(_ path: SplitPath, _ a: Tensor, _ b: Tensor, into y: Tensor) {
    let split = SplitMatrixProduct(product: self, path: path)
    guard isDeep else { return split.run(a, b, depth: 0..<k, into: y, at: 0, finish: finish) }
    addUpPieces(into: y) { partial, count in
      for piece in 0..<count { split.run(a, b, depth: depth(of: piece), into: partial, at: piece * batch * m * n, finish: Finish()) }
    }
  }

  private func runDeep(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    let panels = Panels(depth: Self.depthBlock, columns: n, precision: y.precision)
    addUpPieces(into: y) { partial, count in
      parallelFor(batch * count) { range in
        for task in range {
          let item = task % batch, piece = task / batch
          multiply(a, b, item, rows: 0..<m, panels: 0..<panels.count, depth: depth(of: piece), into: partial,
                   at: (piece * batch + item) * m * n)
        }
      }
    }
  }

  private func depth(of piece: Int) -> Range<Int> { piece * Self.depthBlock..<Swift.min(k, (piece + 1) * Self.depthBlock) }

  /// The pieces of the inner sum, which `multiply` puts side by side, added in order.
  private func addUpPieces(into y: Tensor, _ multiply: (_ partial: Tensor, _ count: Int) -> Void) {
    let count = (k + Self.depthBlock - 1) / Self.depthBlock, partial = y.fresh([count, batch * m * n])
    multiply(partial, count)
    y.addUp(partial, count)
    finish.apply(to: y.address(), y.kernels, rows: batch * m, columns: 0..<n, stride: n)
  }

  private func multiply(
    _ a: Tensor, _ b: Tensor, _ item: Int, rows: Range<Int>, panels block: Range<Int>, depth: Range<Int>, into y: Tensor, at place: Int
  ) {
    let panels = Panels(depth: depth.count, columns: n, precision: y.precision)
    let (aRow, aDepth) = isATransposed ? (1, m) : (k, 1), (bRow, bColumn) = isBTransposed ? (1, k) : (n, 1)
    let start = item * m * k + rows.lowerBound * aRow + depth.lowerBound * aDepth
    let together = panels.size * block.count <= Self.packedElements ? block.count : 1
    let rowBlock = together == 1 ? rows.count : Swift.max(Self.fewestTogether, Self.rowElements / Swift.max(depth.count, 1))
    withScratch(panels.size * together, y.precision) { memory in
      for first in stride(from: block.lowerBound, to: block.upperBound, by: together) {
        let columns = panels.range(of: first).lowerBound..<panels.range(of: first + together - 1).upperBound
        let second = Factor(tensor: b, start: item * k * n + depth.lowerBound * bRow + columns.lowerBound * bColumn,
                            row: bRow, column: bColumn)
        let packed = PackedFactor(second, depth: depth.count, columns: columns.count, into: memory)
        for row in stride(from: 0, to: rows.count, by: rowBlock) {
          let count = Swift.min(rowBlock, rows.count - row), c = y.address(place + (rows.lowerBound + row) * n + columns.lowerBound)
          packed.multiply(a.address(start + row * aRow), rows: count, aRow: aRow, aDepth: aDepth, into: c, cRow: n)
          if depth.count == k { finish.apply(to: c, y.kernels, rows: count, columns: columns, stride: n) }
        }
      }
    }
  }
}
