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
    let blocks = (k + Self.depthBlock - 1) / Self.depthBlock
    let partial = y.fresh([blocks, batch * m * n])
    for block in 0..<blocks {
      let first = block * Self.depthBlock
      split.run(a, b, depth: first..<Swift.min(k, first + Self.depthBlock), into: partial, at: block * batch * m * n, finish: Finish())
    }
    y.addUp(partial, blocks)
    finish.apply(to: y.address(), y.kernels, rows: batch * m, columns: 0..<n, stride: n)
  }

  private func runDeep(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    let blocks = (k + Self.depthBlock - 1) / Self.depthBlock
    let panels = Panels(depth: Self.depthBlock, columns: n, precision: y.precision)
    let partial = y.fresh([blocks, batch * m * n])
    parallelFor(batch * blocks) { range in
      for task in range {
        let item = task % batch, block = task / batch, first = block * Self.depthBlock
        multiply(a, b, item, rows: 0..<m, panels: 0..<panels.count, depth: first..<Swift.min(k, first + Self.depthBlock), into: partial,
                 at: (block * batch + item) * m * n)
      }
    }
    y.addUp(partial, blocks)
    finish.apply(to: y.address(), y.kernels, rows: batch * m, columns: 0..<n, stride: n)
  }

  private func multiply(
    _ a: Tensor, _ b: Tensor, _ item: Int, rows: Range<Int>, panels block: Range<Int>, depth: Range<Int>, into y: Tensor, at place: Int
  ) {
    let panels = Panels(depth: depth.count, columns: n, precision: y.precision)
    let start = item * m * k + (isATransposed ? depth.lowerBound * m + rows.lowerBound : rows.lowerBound * k + depth.lowerBound)
    let second = Factor(tensor: b, start: item * k * n + depth.lowerBound * (isBTransposed ? 1 : n),
                        row: isBTransposed ? 1 : n, column: isBTransposed ? k : 1)
    let together = panels.size * block.count <= Self.packedElements ? block.count : 1
    let rowBlock = together == 1 ? rows.count : Swift.max(Self.fewestTogether, Self.rowElements / Swift.max(depth.count, 1))
    withScratch(panels.size * together, y.precision) { packed in
      for first in stride(from: block.lowerBound, to: block.upperBound, by: together) {
        for index in 0..<together { panels.pack(first + index, of: second, into: packed + index * panels.size * y.precision.byteCount) }
        for row in stride(from: 0, to: rows.count, by: rowBlock) {
          for index in 0..<together {
            let part = rows.lowerBound + row..<rows.lowerBound + Swift.min(rows.count, row + rowBlock)
            multiply(a.address(start + row * (isATransposed ? 1 : k)), packed + index * panels.size * y.precision.byteCount,
                     part, panels.range(of: first + index), depth: depth.count, into: y, at: place)
          }
        }
      }
    }
  }

  /// One panel's columns of some rows.
  private func multiply(
    _ a: UnsafeRawPointer, _ panel: UnsafeRawPointer, _ rows: Range<Int>, _ columns: Range<Int>, depth: Int, into y: Tensor, at place: Int
  ) {
    let c = y.address(place + rows.lowerBound * n + columns.lowerBound)
    [0].withUnsafeBufferPointer { taps in
      var how = apus_product(
        rows: rows.count, columns: columns.count, depth: depth, tap_count: 1, taps: taps.baseAddress,
        a_row: isATransposed ? 1 : k, a_depth: isATransposed ? m : 1, c_row: n, adds: 0)
      y.kernels.product(&how, a, panel, c)
    }
    if depth == k { finish.apply(to: c, y.kernels, rows: rows.count, columns: columns, stride: n) }
  }
}
