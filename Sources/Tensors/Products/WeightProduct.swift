import CKernels

/// The weight gradient of a convolution: for every tap, the product of shifted input rows with output-gradient rows, summed over rows
/// and images.
///
/// A row of the result is an input channel of a tap; the taps of one kernel row are one matrix, since their input channels lie side by
/// side. Image rows are summed in chunks that depend on the sizes alone; the chunks' sums are added in order.
struct WeightProduct {
  let plan: TapPlan
  let groups: Int
  /// Input and output channels of one group.
  let depth, columns: Int
  private let phase: TapPlan.Phase
  private let runs: [TapPlan.Run]
  /// Input in one task's memory at a time.
  private static let stripElements = 1 << 16
  private static let fewestPixels = 512

  init(_ plan: TapPlan, groups: Int, depth: Int, columns: Int) {
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
  func run(_ x: Tensor, _ dy: Tensor, into dw: Tensor) {
    let rows = dy.shape[0] * phase.size.height, source = Extent(height: x.shape[1], width: x.shape[2])
    let path = SplitPath.serving(depth: depth * runs[0].weights.count, columns: columns, x.precision)
    if path == nil, let tiles = WinogradTiles(plan, groups: groups, depth: depth, columns: columns, images: x.shape[0], source: source) {
      return WinogradWeightProduct(tiles: tiles, depth: depth, columns: columns).run(x, dy, into: dw)
    }
    guard rows > 0, phase.size.width > 0 else { return dw.kernels.fill(dw.address(), dw.count, 0) }
    let perGroup = path == nil ? Panels(depth: 0, columns: columns, precision: x.precision).count : SplitPath.panels(columns: columns)
    let panels = groups * perGroup, bands = path == nil ? runs.count : 1
    let tasks = TaskCount.wanted(multiplyAdds: rows * phase.size.width * weightCount)
    let blocks = Swift.min(panels, Swift.max(1, tasks / (2 * bands))), panelBlock = (panels + blocks - 1) / blocks
    let fewest = (Self.fewestPixels + phase.size.width - 1) / phase.size.width
    let chunk = Swift.max(fewest, (rows * bands * blocks + tasks - 1) / tasks), chunks = (rows + chunk - 1) / chunk
    let partial = chunks == 1 ? dw : dw.fresh([chunks, weightCount])
    parallelFor(chunks * bands * blocks) { range in
      for task in range {
        let first = task / (bands * blocks) * chunk, panel = task % blocks * panelBlock
        guard panel < panels else { continue }
        sum(x, dy, rows: first..<Swift.min(rows, first + chunk), run: runs[task / blocks % bands],
            panels: panel..<Swift.min(panels, panel + panelBlock), path, into: partial.address(task / (bands * blocks) * weightCount))
      }
    }
    if chunks > 1 { dw.addUp(partial, chunks) }
  }

  /// The sum over some image rows (counted through all images) for some panels and the taps of one run, or of all runs if split.
  private func sum(
    _ x: Tensor, _ dy: Tensor, rows: Range<Int>, run: TapPlan.Run, panels: Range<Int>, _ path: SplitPath?,
    into dw: UnsafeMutableRawPointer
  ) {
    let sourceRow = phase.sourceStep.height * x.shape[2] * x.shape[3]
    let together = Swift.max(1, Swift.min(Self.stripElements / sourceRow, 2 * Self.fewestPixels / phase.size.width))
    var row = rows.lowerBound
    while row < rows.upperBound {
      let image = row / phase.size.height, first = row % phase.size.height, adds = row > rows.lowerBound
      let count = Swift.min(together, phase.size.height - first, rows.upperBound - row)
      if let path {
        SplitWeightProduct(path: path, plan: plan, groups: groups, depth: depth, columns: columns)
          .add(x, dy, image: image, rows: first..<first + count, panels: panels, adds: adds, into: dw)
      } else {
        let start = first * phase.sourceStep.height + run.row
        let source = start..<start + (count - 1) * phase.sourceStep.height + 1
        SourceStrip.with(x, image: image, rows: source, left: plan.left, right: plan.right) { strip in
          add(strip, dy, row: row, count: count, run, panels, start, adds: adds, into: dw)
        }
      }
      row += count
    }
  }

  private func add(
    _ strip: SourceStrip, _ dy: Tensor, row: Int, count: Int, _ run: TapPlan.Run, _ block: Range<Int>, _ start: Int, adds: Bool,
    into dw: UnsafeMutableRawPointer
  ) {
    let width = phase.size.width, kernels = dy.kernels, bytes = dy.precision.byteCount
    let panels = Panels(depth: count * width, columns: columns, groups: groups, precision: dy.precision)
    let gradient = Factor(tensor: dy, start: row * width * channels, row: channels, column: 1, group: columns)
    let taps = (0..<count).map { $0 * phase.sourceStep.height * strip.pitch }
    withScratch(panels.size, dy.precision) { panel in
      taps.withUnsafeBufferPointer { taps in
        for index in block {
          panels.pack(index, of: gradient, into: panel)
          let group = panels.group(of: index), range = panels.range(of: index)
          var how = apus_product(
            rows: run.weights.count * depth, columns: range.count, depth: width, tap_count: count, taps: taps.baseAddress, a_row: 1,
            a_depth: phase.sourceStep.width * groups * depth, c_row: channels, adds: adds ? 1 : 0)
          let place = run.weights.lowerBound * depth * channels + group * columns + range.lowerBound
          kernels.product(&how, strip.address(start, run.column, group * depth), panel, dw + place * bytes)
        }
      }
    }
  }
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
