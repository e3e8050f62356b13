import CKernels

/// The weight gradient of a convolution: the adjoint of Winograd's algorithm.
///
/// The transformed gradient is summed over tiles, in chunks that depend on the sizes alone, and transformed back once.
struct WinogradWeightGradient {
  let tiles: WinogradGrid
  let depth, columns: Int
  /// Transformed gradients that are held at a time, in elements.
  private static let partialElements = 1 << 21
  /// Transformed source that all tasks share, in elements, at most.
  private static let sourceElements = 1 << 20

  /// - Parameters: as those of `WeightGradient.run`.
  func run(_ x: Tensor, _ dy: Tensor, into dw: Tensor) {
    let planes = tiles.form.planes, plane = depth * columns, rows = x.shape[0] * tiles.rows
    if planes * WinogradGrid.plane(rows * tiles.columns, depth) <= Self.sourceElements { return sumAtOnce(x, dy, into: dw) }
    let chunks = Swift.max(1, Swift.min(8, rows, Self.partialElements / (planes * plane)))
    let partial = dw.fresh([chunks, planes * plane])
    sumInChunks(x, dy, chunks, into: partial)
    let u = chunks > 1 ? dw.fresh([planes * plane]).addedUp(partial, chunks) : partial
    parallelFor(plane, grain: 1 << 12) { range in
      dw.kernels.winograd_weight_gradient(
        tiles.form.index, u.address(range.lowerBound), plane, range.count, dw.address(range.lowerBound), plane)
    }
  }

  /// All tiles of all images in one sum: each panel of columns is a task, and is transformed back in cache.
  private func sumAtOnce(_ x: Tensor, _ dy: Tensor, into dw: Tensor) {
    let rows = x.shape[0] * tiles.rows
    let plane = WinogradGrid.plane(rows * tiles.columns, depth)
    let bytes = x.precision.byteCount
    let panels = Panels(depth: depth, columns: columns, precision: x.precision)
    let v = x.fresh([tiles.form.planes * plane])
    let strips = tiles.strips(images: x.shape[0], depth: depth)
    parallelFor(strips.count) { range in
      for strip in strips[range] {
        tiles.transform(x, strip, into: v.address(strip.lowerBound * tiles.columns * depth), plane: plane)
      }
    }
    parallelFor(panels.count) { range in
      withScratch(tiles.form.planes * WinogradGrid.plane(depth, panels.width), x.precision) { u in
        for panel in range {
          let width = panels.width(of: panel)
          let first = panels.range(of: panel).lowerBound
          let uPlane = WinogradGrid.plane(depth, width)
          let windows = WinogradGrid.Planes(base: UnsafeRawPointer(v.address()), plane: plane, row: 1, column: depth)
          add(windows, dy, rows: 0..<rows, panel..<panel + 1, adds: false, into: .init(base: u, plane: uPlane, row: width), first: first)
          for d in 0..<depth {
            dw.kernels.winograd_weight_gradient(tiles.form.index, u + d * width * bytes, uPlane, panels.range(of: panel).count,
                                                dw.address(d * columns + first), depth * columns)
          }
        }
      }
    }
  }

  /// Chunks of rows of tiles with sums of their own: each chunk is a task.
  private func sumInChunks(_ x: Tensor, _ dy: Tensor, _ chunks: Int, into partial: Tensor) {
    let rows = x.shape[0] * tiles.rows, together = tiles.block(depth: depth)
    let panels = Panels(depth: 0, columns: columns, precision: x.precision)
    let plane = WinogradGrid.plane(together * tiles.columns, depth), planes = tiles.form.planes
    parallelFor(chunks) { range in
      for chunk in range {
        let u = partial.address(chunk * planes * depth * columns), last = (chunk + 1) * rows / chunks
        var row = chunk * rows / chunks, adds = false
        withScratch(planes * plane, x.precision) { v in
          while row < last {
            let count = Swift.min(together, last - row)
            tiles.transform(x, row..<row + count, into: v, plane: plane)
            let windows = WinogradGrid.Planes(base: UnsafeRawPointer(v), plane: plane, row: 1, column: depth)
            add(windows, dy, rows: row..<row + count, 0..<panels.count, adds: adds,
                into: .init(base: u, plane: depth * columns, row: columns))
            row += count
            adds = true
          }
        }
      }
    }
  }

  /// Adds the products of the transformed source with the transformed output gradient of some rows of tiles, counted through all images.
  /// - Parameters:
  ///   - v: `[planes, tiles, depth]`, read as `[planes, depth, tiles]`.
  ///   - u: `[planes, depth, columns]` from column `first` on.
  private func add(
    _ v: WinogradGrid.Planes<UnsafeRawPointer>, _ dy: Tensor, rows: Range<Int>, _ block: Range<Int>, adds: Bool,
    into u: WinogradGrid.Planes<UnsafeMutableRawPointer>, first: Int = 0
  ) {
    let count = rows.count * tiles.columns
    let bytes = dy.precision.byteCount
    let planes = tiles.form.planes
    let panels = Panels(depth: count, columns: columns, precision: dy.precision)
    withScratch(planes * WinogradGrid.plane(count, panels.width), dy.precision) { z in
      for panel in block {
        let range = panels.range(of: panel), width = panels.width(of: panel), plane = WinogradGrid.plane(count, width)
        for row in rows {
          let from = dy.address(tiles.place(
            image: row / tiles.rows, row: row % tiles.rows, column: range.lowerBound, channels: columns))
          var pixels = tiles.pixels(row % tiles.rows, columns: range.count, channels: columns)
          let to = z + (row - rows.lowerBound) * tiles.columns * width * bytes
          dy.kernels.winograd_gradient(tiles.form.index, from, &pixels, to, plane)
        }
        tiles.multiplyPlanes(
          v, .init(base: UnsafeRawPointer(z), plane: plane, row: width),
          into: .init(base: u.base + (range.lowerBound - first) * bytes, plane: u.plane, row: u.row), rows: depth, columns: range.count,
          depth: count, dy.precision, adds: adds)
      }
    }
  }
}
