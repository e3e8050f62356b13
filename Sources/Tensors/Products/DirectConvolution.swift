import CKernels

/// The forward pass or the input gradient of a convolution: every destination row is a sum of products of source rows with weights.
///
/// Source rows are read in place, tap by tap; neighbouring taps of a kernel row are one product, since their source pixels lie side by
/// side. A task owns some rows of one image and some panels of columns; its rows get their margins of zeros in its own memory.
struct DirectConvolution {
  let plan: ConvolutionPlan
  let groups: Int
  /// Channels of one group, in and out.
  let depth, columns: Int

  /// - Parameters:
  ///   - x: the source, `[n, h, w, groups · depth]`.
  ///   - weight: by tap, group, source channel (row) and destination channel (column).
  ///   - epilogue: applied to every pixel.
  /// - Returns: the algorithm that was chosen.
  func run(_ x: Tensor, _ weight: StridedMatrix, _ epilogue: Epilogue, into y: Tensor) -> ConvolutionAlgorithm {
    let algorithm = ConvolutionAlgorithm.choose(
      plan, groups: groups, depth: depth, columns: columns, images: x.shape[0], x.precision)
    if case .winograd(let tile) = algorithm {
      let grid = WinogradGrid(tile, plan, sourceWidth: x.shape[2])
      WinogradConvolution(tiles: grid, depth: depth, columns: columns, taps: plan.phases[0].taps.map(\.weight))
        .run(x, weight, epilogue, into: y)
      return algorithm
    }
    for phase in plan.phases {
      if phase.taps.isEmpty {
        fill(phase, epilogue, y)
      } else if case .bf16(let parts) = algorithm {
        BF16PhaseProduct(self, phase, x, weight, epilogue, y, BF16Split(parts: parts)).run()
      } else {
        PhaseProduct(self, phase, x, weight, epilogue, y).run()
      }
    }
    return algorithm
  }

  /// The element of `y` where a row of the phase begins.
  func place(_ phase: ConvolutionPlan.Phase, _ image: Int, _ row: Int) -> Int {
    let y = phase.first.height + row * phase.step.height
    return ((image * plan.destination.height + y) * plan.destination.width + phase.first.width) * groups * columns
  }

  /// Pixels that no tap reaches.
  private func fill(_ phase: ConvolutionPlan.Phase, _ epilogue: Epilogue, _ y: Tensor) {
    let channels = groups * columns, step = phase.step.width * channels
    parallelFor(y.shape[0] * phase.size.height) { range in
      for task in range {
        let first = y.address(place(phase, task / phase.size.height, task % phase.size.height))
        for column in 0..<phase.size.width {
          y.kernels.fill(first + column * step * y.precision.byteCount, channels, 0)
        }
        epilogue.apply(to: first, y.kernels, rows: phase.size.width, columns: 0..<channels, stride: step)
      }
    }
  }
}

/// One phase of a `DirectConvolution` on its operands.
private struct PhaseProduct {
  let product: DirectConvolution
  let phase: ConvolutionPlan.Phase
  let x: Tensor, weight: StridedMatrix, epilogue: Epilogue, y: Tensor
  let runs: [ConvolutionPlan.Run]
  let panels: Panels
  let grid: PhaseGrid

  init(
    _ product: DirectConvolution, _ phase: ConvolutionPlan.Phase, _ x: Tensor, _ weight: StridedMatrix, _ epilogue: Epilogue, _ y: Tensor
  ) {
    (self.product, self.phase, self.x, self.weight, self.epilogue, self.y) = (product, phase, x, weight, epilogue, y)
    runs = phase.runs(merging: product.groups == 1)
    panels = Panels(depth: phase.taps.count * product.depth, columns: product.columns, groups: product.groups, precision: x.precision)
    grid = PhaseGrid(product, phase, x, panels: panels.count)
  }

  func run() {
    let taps = phase.taps.map(\.weight)
    let packed = panels.kept(of: weight, taps: taps) ?? (grid.strips > 1 ? panels.packed(weight, taps: taps) : nil)
    grid.forEachTask { image, rows, block in
      PaddedRows.with(x, image: image, rows: phase.sourceRows(of: rows), left: product.plan.left, right: product.plan.right) { strip in
        if let packed {
          for index in block { multiply(strip, packed.address(index * panels.size), index, image, rows) }
          return
        }
        withScratch(panels.size, x.precision) { panel in
          for index in block {
            panels.pack(index, of: weight, taps: taps, into: panel)
            multiply(strip, panel, index, image, rows)
          }
        }
      }
    }
  }

  private func multiply(_ strip: PaddedRows, _ panel: UnsafeRawPointer, _ index: Int, _ image: Int, _ rows: Range<Int>) {
    let channels = x.shape[3], group = panels.group(of: index), range = panels.range(of: index)
    let columns = group * product.columns + range.lowerBound..<group * product.columns + range.upperBound
    let taps = runs.map { $0.row * strip.pitch + $0.column * channels }
    taps.withUnsafeBufferPointer { taps in
      var options = apus_product(
        rows: phase.size.width, columns: range.count, depth: panels.depth / runs.count, tap_count: runs.count, taps: taps.baseAddress,
        a_row: phase.sourceStep.width * channels, a_depth: 1, c_row: phase.step.width * y.shape[3], adds: 0, next: apus_fetch())
      for row in rows {
        let c = y.address(product.place(phase, image, row) + columns.lowerBound)
        y.kernels.product(&options, strip.address(row * phase.sourceStep.height, 0, group * product.depth), panel, c)
        epilogue.apply(to: c, y.kernels, rows: phase.size.width, columns: columns, stride: options.c_row)
      }
    }
  }
}

/// The partition of one phase into tasks: some rows of one image and some panels of columns each.
struct PhaseGrid {
  private let images, rows, panels: Int
  private let rowBlock, panelBlock: Int
  /// Pieces of the images that meet every panel.
  var strips: Int { images * ((rows + rowBlock - 1) / rowBlock) }
  /// Source rows in one task's memory: some 512 KiB, to stay in the second-level cache.
  private static let stripElements = 1 << 17
  /// Pixels that make reading a panel of weights worth while.
  private static let fewestPixels = 196

  init(_ product: DirectConvolution, _ phase: ConvolutionPlan.Phase, _ x: Tensor, panels: Int) {
    let size = phase.size
    (images, rows, self.panels) = (x.shape[0], size.height, panels)
    let work = images * size.height * size.width * phase.taps.count * product.depth * product.groups * product.columns
    let tasks = TaskCount.wanted(multiplyAdds: work)
    let sourceRow = Swift.max(1, phase.sourceStep.height * x.shape[2] * x.shape[3])
    let highest = Swift.min(rows, Swift.max(1, Self.stripElements / sourceRow))
    let lowest = (Self.fewestPixels + size.width - 1) / size.width
    rowBlock = Swift.min(highest, Swift.max(lowest, (rows * images + tasks - 1) / tasks))
    panelBlock = (panels * images * ((rows + rowBlock - 1) / rowBlock) + tasks - 1) / tasks
  }

  func forEachTask(_ body: @escaping @Sendable (_ image: Int, _ rows: Range<Int>, _ panels: Range<Int>) -> Void) {
    let strips = (rows + rowBlock - 1) / rowBlock, blocks = (panels + panelBlock - 1) / panelBlock
    parallelFor(images * strips * blocks) { range in
      for task in range {
        let first = task / blocks % strips * rowBlock, panel = task % blocks * panelBlock
        body(task / blocks / strips, first..<Swift.min(rows, first + rowBlock), panel..<Swift.min(panels, panel + panelBlock))
      }
    }
  }
}

/// The number of tasks for a piece of work: by its amount alone, so that results do not depend on the number of threads.
enum TaskCount {
  /// Tasks of 2 M multiply-adds at least (some 20 µs), 32 at most.
  static func wanted(multiplyAdds: Int) -> Int { Swift.max(1, Swift.min(32, multiplyAdds >> 21)) }
}
