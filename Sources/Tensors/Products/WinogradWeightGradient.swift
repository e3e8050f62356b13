import CKernels

/// The weight gradient of a convolution: the adjoint of Winograd's algorithm.
///
/// The transformed gradient is summed over tiles, in an order that depends on the sizes alone, and transformed back once.
struct WinogradWeightGradient {
  let tiles: WinogradGrid
  let depth, columns: Int
  /// Transformed gradients that are held at a time, in elements.
  private static let partialElements = 1 << 21
  /// Transformed source that all tasks share, in elements, at most.
  private static let sourceElements = 1 << 20
  /// Sums side by side that are work for all threads.
  private static let manyChunks = 8

  /// - Parameters: as those of `WeightGradient.run`.
  func run(_ x: Tensor, _ dy: Tensor, into dw: Tensor) {
    let planes = tiles.form.planes, plane = depth * columns, rows = x.shape[0] * tiles.rows
    let chunks = Swift.max(1, Swift.min(Self.manyChunks, rows, Self.partialElements / (planes * plane)))
    let panels = Panels(depth: depth, columns: columns, precision: x.precision)
    // Wide weights have panels for all threads, and their transformed gradients are large.
    let isSmall = planes * WinogradGrid.plane(rows * tiles.columns, depth) <= Self.sourceElements
    if isSmall || chunks < Swift.min(panels.count, Self.manyChunks) { return sumByPanel(x, dy, panels, into: dw) }
    let partial = dw.fresh([chunks, planes * plane])
    sumInChunks(x, dy, chunks, into: partial)
    let u = chunks > 1 ? dw.fresh([planes * plane]).addedUp(partial, chunks) : partial
    parallelFor(plane, grain: 1 << 12) { range in
      dw.kernels.winograd_weight_gradient(
        tiles.form.index, u.address(range.lowerBound), plane, range.count, dw.address(range.lowerBound), plane)
    }
  }

  /// Some rows of tiles after others, all tasks on the same ones: each panel of columns is a task.
  private func sumByPanel(_ x: Tensor, _ dy: Tensor, _ panels: Panels, into dw: Tensor) {
    let all = x.shape[0] * tiles.rows
    let most = Swift.max(1, Self.sourceElements / (tiles.form.planes * tiles.columns * depth))
    let groups = (all + most - 1) / most, longest = (all + groups - 1) / groups
    let plane = WinogradGrid.plane(longest * tiles.columns, depth)
    let v = x.fresh([tiles.form.planes * plane])
    let size = tiles.form.planes * WinogradGrid.plane(depth, panels.width)
    let u = groups > 1 ? dw.fresh([panels.count, size]) : nil
    for group in 0..<groups {
      let rows = (0..<all).part(group, of: groups)
      transform(x, rows, into: v, plane: plane)
      parallelFor(panels.count) { range in
        withScratch(u == nil ? size : 1, x.precision) { scratch in
          for panel in range {
            let sums = u?.address(panel * size) ?? scratch
            let uPlane = WinogradGrid.plane(depth, panels.width(of: panel))
            let windows = WinogradGrid.Planes(base: UnsafeRawPointer(v.address()), plane: plane, row: 1, column: depth)
            add(windows, dy, rows: rows, panel..<panel + 1, adds: group > 0,
                into: .init(base: sums, plane: uPlane, row: panels.width(of: panel)), first: panels.range(of: panel).lowerBound)
            if group == groups - 1 { transformBack(sums, plane: uPlane, panels, panel, into: dw) }
          }
        }
      }
    }
  }

  /// The windows of some rows of tiles, counted through all images, to the start of `v`; in parallel.
  private func transform(_ x: Tensor, _ rows: Range<Int>, into v: Tensor, plane: Int) {
    let together = Swift.min(tiles.block(depth: depth), Swift.max(1, (rows.count + Self.manyChunks - 1) / Self.manyChunks))
    let strips = (rows.count + together - 1) / together
    parallelFor(strips) { range in
      for index in range {
        let part = (0..<rows.count).part(index, of: strips)
        let strip = rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound
        tiles.transform(x, strip, into: v.address(part.lowerBound * tiles.columns * depth), plane: plane)
      }
    }
  }

  /// The taps of one panel of columns from its transformed gradient.
  private func transformBack(_ u: UnsafeMutableRawPointer, plane: Int, _ panels: Panels, _ panel: Int, into dw: Tensor) {
    let range = panels.range(of: panel), row = panels.width(of: panel) * dw.precision.byteCount
    for d in 0..<depth {
      dw.kernels.winograd_weight_gradient(
        tiles.form.index, u + d * row, plane, range.count, dw.address(d * columns + range.lowerBound), depth * columns)
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
