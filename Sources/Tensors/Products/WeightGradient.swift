import CKernels

/// The weight gradient of a convolution: for every tap, the product of shifted input rows with output-gradient rows, summed over rows
/// and images.
///
/// A row of the result is an input channel of a tap; the taps of one kernel row are one matrix, since their input channels lie side by
/// side. Image rows are summed in chunks that depend on the sizes alone; the chunks' sums are added in order.
struct WeightGradient {
  let plan: ConvolutionPlan
  let groups: Int
  /// Input and output channels of one group.
  let depth, columns: Int
  private let phase: ConvolutionPlan.Phase
  let runs: [ConvolutionPlan.Run]
  /// Input in one task's memory at a time.
  private static let stripElements = 1 << 16

  init(_ plan: ConvolutionPlan, groups: Int, depth: Int, columns: Int) {
    (self.plan, self.groups, self.depth, self.columns) = (plan, groups, depth, columns)
    phase = plan.phases[0]
    runs = phase.runs(merging: groups == 1)
  }

  private var channels: Int { groups * columns }
  private var weightCount: Int { phase.taps.count * depth * channels }

  /// - Parameters:
  ///   - x: the input, `[n, h, w, groups · depth]`.
  ///   - dy: the output gradient, `[n, oh, ow, groups · columns]`.
  ///   - dw: `[taps, depth, groups · columns]`.
  /// - Returns: the algorithm that was chosen.
  func run(_ x: Tensor, _ dy: Tensor, into dw: Tensor) -> ConvolutionAlgorithm {
    let algorithm = ConvolutionAlgorithm.choose(
      plan, groups: groups, depth: depth, columns: columns, images: x.shape[0], x.precision)
    switch algorithm {
    case .winograd(let tile):
      let grid = WinogradGrid(tile, plan, sourceWidth: x.shape[2])
      WinogradWeightGradient(tiles: grid, depth: depth, columns: columns).run(x, dy, into: dw)
    case .bf16(let parts): sumChunks(x, dy, BF16Split(parts: parts), into: dw)
    case .direct, .pointwise: sumChunks(x, dy, nil, into: dw)
    }
    return algorithm
  }

  private func sumChunks(_ x: Tensor, _ dy: Tensor, _ path: BF16Split?, into dw: Tensor) {
    let rows = dy.shape[0] * phase.size.height
    guard rows > 0, phase.size.width > 0 else { return dw.kernels.fill(dw.address(), dw.count, 0) }
    let panels = path?.columnBlocks(columns, groups: groups).count
      ?? Panels(depth: 0, columns: columns, groups: groups, precision: x.precision).count
    let grid = WeightGrid(self, path, pixels: rows * phase.size.width, weightCount: weightCount, panels: panels)
    let chunk = (rows + grid.chunks - 1) / grid.chunks, chunks = (rows + chunk - 1) / chunk
    let partial = chunks == 1 ? dw : dw.fresh([chunks, weightCount])
    parallelFor(chunks * grid.bands * grid.blocks) { range in
      for task in range {
        let first = task / (grid.bands * grid.blocks) * chunk
        sum(x, dy, rows: first..<Swift.min(rows, first + chunk), grid.block(of: task), path,
            into: partial.address(task / (grid.bands * grid.blocks) * weightCount))
      }
    }
    if chunks > 1 { dw.addUp(partial, chunks) }
  }

  /// The sum over some image rows (counted through all images) for a block of the result.
  private func sum(
    _ x: Tensor, _ dy: Tensor, rows: Range<Int>, _ block: WeightGrid.Block, _ path: BF16Split?, into dw: UnsafeMutableRawPointer
  ) {
    let sourceRow = phase.sourceStep.height * x.shape[2] * x.shape[3]
    let together = Swift.max(1, Swift.min(Self.stripElements / sourceRow, 2 * WeightGrid.fewestPixels / phase.size.width))
    var row = rows.lowerBound
    while row < rows.upperBound, !block.panels.isEmpty, !block.runs.isEmpty {
      let image = row / phase.size.height
      let first = row % phase.size.height
      let adds = row > rows.lowerBound
      let count = Swift.min(together, phase.size.height - first, rows.upperBound - row)
      if let path {
        BF16WeightGradient(path: path, plan: plan, groups: groups, depth: depth, columns: columns)
          .add(x, dy, image: image, rows: first..<first + count, panels: block.panels, adds: adds, into: dw)
      } else {
        let start = first * phase.sourceStep.height, end = start + (count - 1) * phase.sourceStep.height + 1
        let source = start + runs[block.runs.lowerBound].row..<end + runs[block.runs.upperBound - 1].row
        PaddedRows.with(x, image: image, rows: source, left: plan.left, right: plan.right) { strip in
          add(strip, dy, row: row, count: count, block, start, adds: adds, into: dw)
        }
      }
      row += count
    }
  }

  private func add(
    _ strip: PaddedRows, _ dy: Tensor, row: Int, count: Int, _ block: WeightGrid.Block, _ start: Int, adds: Bool,
    into dw: UnsafeMutableRawPointer
  ) {
    let width = phase.size.width, kernels = dy.kernels, bytes = dy.precision.byteCount
    let panels = Panels(depth: count * width, columns: columns, groups: groups, precision: dy.precision)
    let gradient = StridedMatrix(tensor: dy, start: row * width * channels, row: channels, column: 1, group: columns)
    let taps = (0..<count).map { $0 * phase.sourceStep.height * strip.pitch }
    withScratch(panels.size, dy.precision) { panel in
      taps.withUnsafeBufferPointer { taps in
        for index in block.panels {
          panels.pack(index, of: gradient, into: panel)
          let group = panels.group(of: index), range = panels.range(of: index)
          for run in runs[block.runs] {
            var options = apus_product(
              rows: run.weights.count * depth, columns: range.count, depth: width, tap_count: count, taps: taps.baseAddress, a_row: 1,
              a_depth: phase.sourceStep.width * groups * depth, c_row: channels, adds: adds ? 1 : 0, next: apus_fetch())
            let place = run.weights.lowerBound * depth * channels + group * columns + range.lowerBound
            kernels.product(&options, strip.address(start + run.row, run.column, group * depth), panel, dw + place * bytes)
          }
        }
      }
    }
  }
}

/// The partition of a weight gradient into tasks: chunks of image rows, each with sums of its own, blocks of panels and bands of
/// kernel rows.
private struct WeightGrid {
  let chunks, blocks, bands: Int
  private let panelCount, runCount: Int
  /// Sums of chunks that are held at a time, in elements.
  private static let partialElements = 1 << 21
  private static let mostChunks = 16
  /// Pixels that make a chunk, or a packed strip of the output gradient, worth while.
  static let fewestPixels = 512

  init(_ product: WeightGradient, _ path: BF16Split?, pixels: Int, weightCount: Int, panels: Int) {
    let tasks = TaskCount.wanted(multiplyAdds: pixels * weightCount)
    (panelCount, runCount) = (panels, product.runs.count)
    chunks = Swift.max(1, Swift.min(tasks, Self.mostChunks, Self.partialElements / weightCount, pixels / Self.fewestPixels))
    blocks = Swift.min(panels, (tasks + chunks - 1) / chunks)
    bands = path == nil ? Swift.min(product.runs.count, (tasks + chunks * blocks - 1) / (chunks * blocks)) : 1
  }

  /// The part of the result that a task computes: the taps of some runs, for the columns of some panels.
  struct Block {
    let runs, panels: Range<Int>
  }

  func block(of task: Int) -> Block {
    Block(runs: (0..<runCount).part(task / blocks % bands, of: bands), panels: (0..<panelCount).part(task % blocks, of: blocks))
  }
}

extension Range<Int> {
  /// Part `index` of `parts` nearly equal ones.
  func part(_ index: Int, of parts: Int) -> Range<Int> { lowerBound + index * count / parts..<lowerBound + (index + 1) * count / parts }
}

extension Tensor {
  /// Plain `addUp`, for a result of its own.
  func addedUp(_ parts: Tensor, _ count: Int) -> Tensor {
    addUp(parts, count)
    return self
  }

  /// Sets this to the sum of the `count` tensors of its size that lie one after the other in `parts`, added in order.
  func addUp(_ parts: Tensor, _ count: Int) {
    let y = self
    parallelFor(self.count, grain: 1 << 12) { range in
      y.address(range.lowerBound).copyMemory(from: parts.address(range.lowerBound), byteCount: range.count * y.precision.byteCount)
      for part in 1..<count {
        y.kernels.accumulate(parts.address(part * y.count + range.lowerBound), y.address(range.lowerBound), range.count)
      }
    }
  }
}
