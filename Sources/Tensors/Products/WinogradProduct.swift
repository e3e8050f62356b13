import CKernels

/// The tiles of 2x2 results that a 3x3 convolution of stride 1 is cut into, for Winograd's F(2x2, 3x3): 16 products where the
/// definition has 36.
///
/// - Numerics: transforms add at most four values, so errors stay those of float32 relative to the largest value of a window; they are
///   not relative to each single product, as with the definition. Measured as the root mean square over all outputs, relative to that of
///   the sums of magnitudes: 0.4 to 1.0 times the error of plain float32 sums (OpenBLAS) for random and badly scaled inputs, up to 2.3
///   times where channels cancel each other; tests allow 2.5 times.
/// - Source: Lavin, Gray, "Fast algorithms for convolutional neural networks", CVPR 2016.
struct WinogradTiles {
  /// Results, and tiles in both directions.
  let size: Extent
  let rows, columns: Int
  /// Where the window of the first tile begins.
  let row, column: Int
  /// Columns of zeros beside the source.
  let left, right: Int
  static let planes = 16
  /// Transformed source in one task's memory: 640 KiB, to stay in the second-level cache.
  private static let stripElements = 160 << 10
  /// Tiles that make reading the transformed weights worth while.
  private static let fewestTiles = 40
  /// Tasks that share the work: each transforms its source for itself, so there should be few.
  private static let mostTasks = 8
  /// Channels and pixels below which transforms cost more than they save.
  private static let fewestChannels = 16, fewestPixels = 256

  /// Channels from which six products on tile registers are faster than float32 products of transformed tiles.
  private static let channelsForSixProducts = 64

  /// `nil` where the definition serves better: other kernels, strides and groups, few channels or few pixels, or bfloat16 units.
  init?(_ plan: TapPlan, groups: Int, depth: Int, columns channels: Int, source: Tensor) {
    let (images, _, width, _) = source.shape4
    if let path = SplitPath.current(source.precision) {
      guard path.parts == 3, Swift.min(depth, channels) < Self.channelsForSixProducts else { return nil }
    }
    let phase = plan.phases[0], runs = phase.runs(merging: true)
    let isSquare = runs.count == 3 && phase.taps.count == 9 && runs[2].row == runs[0].row + 2
    guard groups == 1, plan.phases.count == 1, phase.step == 1, phase.sourceStep == 1, isSquare,
      Swift.min(depth, channels) >= Self.fewestChannels, images * phase.size.height * phase.size.width >= Self.fewestPixels
    else { return nil }
    size = phase.size
    (rows, columns) = ((size.height + 1) / 2, (size.width + 1) / 2)
    (row, column) = (runs[0].row, runs[0].column)
    left = Swift.max(0, -column)
    right = Swift.max(0, column + 2 * columns + 2 - width)
  }

  /// Rows of tiles that one task transforms at a time, at most.
  func largestBlock(depth: Int) -> Int { Swift.max(1, Swift.min(rows, Self.stripElements / (Self.planes * columns * depth))) }

  /// Rows of tiles that one of `tasks` tasks transforms at a time.
  func rowBlock(depth: Int, images: Int, tasks: Int) -> Int {
    let lowest = (Self.fewestTiles + columns - 1) / columns
    return Swift.min(largestBlock(depth: depth), Swift.max(lowest, images * rows / tasks))
  }

  func taskCount(images: Int, depth: Int, channels: Int) -> Int {
    Swift.min(Self.mostTasks, TaskCount.wanted(multiplyAdds: 4 * images * size.height * size.width * depth * channels))
  }

  /// Transforms the windows of some rows of tiles of one image: `body` gets `[16, tiles, channels]`.
  func withTransformed(_ x: Tensor, image: Int, rows block: Range<Int>, _ body: (UnsafeRawPointer) -> Void) {
    let channels = x.shape[3], tiles = block.count * columns
    let source = 2 * block.lowerBound + row..<2 * block.upperBound + row + 2
    withScratch(Self.planes * tiles * channels, x.precision) { v in
      SourceStrip.with(x, image: image, rows: source, left: left, right: right) { strip in
        for index in block {
          let place = (index - block.lowerBound) * columns * channels * x.precision.byteCount
          x.kernels.winograd_input(strip.address(2 * index + row, column), strip.pitch, channels, columns, v + place, tiles * channels)
        }
      }
      body(v)
    }
  }

  /// Rows of results in a row of tiles.
  func resultRows(_ index: Int) -> Int { Swift.min(2, size.height - 2 * index) }
}

/// The forward pass or the input gradient of a 3x3 convolution of stride 1 by Winograd's algorithm.
struct WinogradProduct {
  let tiles: WinogradTiles
  let depth, columns: Int
  /// The kernel's taps in the order of the source pixels they read.
  let taps: [Int]

  /// - Parameters: as those of `TapProduct.run`.
  func run(_ x: Tensor, _ weight: Factor, _ finish: Finish, into y: Tensor) {
    let panels = Panels(depth: depth, columns: columns, precision: x.precision), images = x.shape[0]
    let key = [depth, columns, weight.start, weight.row, weight.column, weight.tap] + taps
    let transformed = weight.tensor.storage.derived(key) { transformedWeight(weight, panels) }
    let tasks = tiles.taskCount(images: images, depth: depth, channels: columns)
    let rowBlock = tiles.rowBlock(depth: depth, images: images, tasks: tasks)
    let strips = (tiles.rows + rowBlock - 1) / rowBlock
    let panelBlock = (panels.count * images * strips + tasks - 1) / tasks, blocks = (panels.count + panelBlock - 1) / panelBlock
    parallelFor(images * strips * blocks) { range in
      for task in range {
        let first = task / blocks % strips * rowBlock, panel = task % blocks * panelBlock
        run(x, image: task / blocks / strips, rows: first..<Swift.min(tiles.rows, first + rowBlock), transformed,
            panels, panel..<Swift.min(panels.count, panel + panelBlock), finish, y)
      }
    }
  }

  /// `[panel, 16, depth, columns of the panel]`.
  private func transformedWeight(_ weight: Factor, _ panels: Panels) -> Tensor {
    let u = weight.tensor.fresh([panels.count, WinogradTiles.planes, panels.size])
    let nine = Panels(depth: 9 * depth, columns: columns, precision: panels.precision)
    parallelFor(panels.count) { range in
      withScratch(nine.size, panels.precision) { scratch in
        for panel in range {
          nine.pack(panel, of: weight, taps: taps, into: scratch)
          u.kernels.winograd_weight(scratch, panels.size(of: panel), u.address(panel * WinogradTiles.planes * panels.size))
        }
      }
    }
    return u
  }

  private func run(
    _ x: Tensor, image: Int, rows: Range<Int>, _ u: Tensor, _ panels: Panels, _ block: Range<Int>, _ finish: Finish, _ y: Tensor
  ) {
    let count = rows.count * tiles.columns, bytes = x.precision.byteCount
    tiles.withTransformed(x, image: image, rows: rows) { v in
      withScratch(WinogradTiles.planes * count * panels.width, x.precision) { m in
        for panel in block {
          let range = panels.range(of: panel), width = panels.width(of: panel)
          [0].withUnsafeBufferPointer { tap in
            var how = apus_product(rows: count, columns: range.count, depth: depth, tap_count: 1, taps: tap.baseAddress,
                                   a_row: depth, a_depth: 1, c_row: width, adds: 0)
            for plane in 0..<WinogradTiles.planes {
              let factor = u.address(panel * WinogradTiles.planes * panels.size + plane * panels.size(of: panel))
              x.kernels.product(&how, v + plane * count * depth * bytes, factor, m + plane * count * width * bytes)
            }
          }
          write(m, plane: count * width, image, rows, range, finish, y)
        }
      }
    }
  }

  private func write(
    _ m: UnsafeRawPointer, plane: Int, _ image: Int, _ rows: Range<Int>, _ range: Range<Int>, _ finish: Finish, _ y: Tensor
  ) {
    let (height, width) = (tiles.size.height, tiles.size.width)
    for row in rows {
      let place = m + (row - rows.lowerBound) * plane / rows.count * y.precision.byteCount, count = tiles.resultRows(row)
      let to = y.address(((image * height + 2 * row) * width) * columns + range.lowerBound)
      y.kernels.winograd_output(place, plane, range.count, count, width, to, width * columns, columns)
      finish.apply(to: to, y.kernels, rows: count * width, columns: range, stride: columns)
    }
  }
}

/// The weight gradient of a 3x3 convolution of stride 1: the adjoint of Winograd's algorithm.
///
/// The transformed gradient is summed over tiles, in chunks that depend on the sizes alone, and transformed back once.
struct WinogradWeightProduct {
  let tiles: WinogradTiles
  let depth, columns: Int
  /// Transformed gradients that are held at a time, in elements.
  private static let partialElements = 1 << 21

  /// - Parameters: as those of `WeightProduct.run`.
  func run(_ x: Tensor, _ dy: Tensor, into dw: Tensor) {
    let panels = Panels(depth: 0, columns: columns, precision: x.precision)
    let plane = depth * columns, rows = x.shape[0] * tiles.rows
    let tasks = tiles.taskCount(images: x.shape[0], depth: depth, channels: columns)
    let most = Swift.min(tasks, Swift.max(1, Self.partialElements / (WinogradTiles.planes * plane)))
    let chunk = (rows + most - 1) / most, chunks = (rows + chunk - 1) / chunk
    let panelBlock = (panels.count * chunks + tasks - 1) / tasks, blocks = (panels.count + panelBlock - 1) / panelBlock
    let partial = dw.fresh([chunks, WinogradTiles.planes * plane])
    parallelFor(chunks * blocks) { range in
      for task in range {
        let first = task / blocks * chunk, panel = task % blocks * panelBlock
        sum(x, dy, rows: first..<Swift.min(rows, first + chunk), panel..<Swift.min(panels.count, panel + panelBlock),
            into: partial.address(task / blocks * WinogradTiles.planes * plane))
      }
    }
    transformBack(chunks > 1 ? dw.fresh([WinogradTiles.planes * plane]).addedUp(partial, chunks) : partial, into: dw)
  }

  private func transformBack(_ u: Tensor, into dw: Tensor) {
    let plane = depth * columns
    parallelFor(plane, grain: 1 << 12) { range in
      dw.kernels.winograd_weight_gradient(u.address(range.lowerBound), plane, range.count, dw.address(range.lowerBound), plane)
    }
  }

  /// The sum over some rows of tiles, counted through all images.
  private func sum(_ x: Tensor, _ dy: Tensor, rows: Range<Int>, _ block: Range<Int>, into u: UnsafeMutableRawPointer) {
    let together = tiles.largestBlock(depth: depth)
    var row = rows.lowerBound
    while row < rows.upperBound {
      let image = row / tiles.rows, first = row % tiles.rows
      let count = Swift.min(together, tiles.rows - first, rows.upperBound - row)
      tiles.withTransformed(x, image: image, rows: first..<first + count) { v in
        add(v, dy, image, first..<first + count, block, adds: row > rows.lowerBound, into: u)
      }
      row += count
    }
  }

  private func add(
    _ v: UnsafeRawPointer, _ dy: Tensor, _ image: Int, _ rows: Range<Int>, _ block: Range<Int>, adds: Bool, into u: UnsafeMutableRawPointer
  ) {
    let count = rows.count * tiles.columns, bytes = dy.precision.byteCount
    let panels = Panels(depth: count, columns: columns, precision: dy.precision)
    withScratch(WinogradTiles.planes * panels.size, dy.precision) { z in
      for panel in block {
        let range = panels.range(of: panel), width = panels.width(of: panel)
        transform(dy, image, rows, range, plane: count * width, width: width, into: z)
        [0].withUnsafeBufferPointer { tap in
          var how = apus_product(rows: depth, columns: range.count, depth: count, tap_count: 1, taps: tap.baseAddress,
                                 a_row: 1, a_depth: depth, c_row: columns, adds: adds ? 1 : 0)
          for plane in 0..<WinogradTiles.planes {
            dy.kernels.product(&how, v + plane * count * depth * bytes, z + plane * count * width * bytes,
                               u + (plane * depth * columns + range.lowerBound) * bytes)
          }
        }
      }
    }
  }

  private func transform(
    _ dy: Tensor, _ image: Int, _ rows: Range<Int>, _ range: Range<Int>, plane: Int, width: Int, into z: UnsafeMutableRawPointer
  ) {
    let size = tiles.size
    for row in rows {
      let from = dy.address((image * size.height + 2 * row) * size.width * columns + range.lowerBound)
      dy.kernels.winograd_gradient(from, size.width * columns, columns, range.count, tiles.resultRows(row), size.width,
        z + (row - rows.lowerBound) * tiles.columns * width * dy.precision.byteCount, plane)
    }
  }
}
