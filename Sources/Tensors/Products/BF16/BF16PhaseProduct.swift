import CKernels

/// One phase of a `DirectConvolution` on bfloat16 parts: as `PhaseProduct`, but the source rows of a task are split once, for all its
/// panels.
struct BF16PhaseProduct {
  let product: DirectConvolution
  let phase: ConvolutionPlan.Phase
  let x: Tensor, epilogue: Epilogue, y: Tensor
  private let runs: [ConvolutionPlan.Run]
  private let panels: BF16Panels
  private let grid: PhaseGrid

  init(
    _ product: DirectConvolution, _ phase: ConvolutionPlan.Phase, _ x: Tensor, _ weight: StridedMatrix, _ epilogue: Epilogue, _ y: Tensor,
    _ path: BF16Split
  ) {
    (self.product, self.phase, self.x, self.epilogue, self.y) = (product, phase, x, epilogue, y)
    runs = phase.runs(merging: product.groups == 1)
    panels = BF16Panels(weight, slabs: phase.taps.map(\.weight), rows: product.depth, taps: runs.count, columns: product.columns,
                         groups: product.groups, path)
    grid = PhaseGrid(product, phase, x, panels: panels.count)
  }

  func run() {
    grid.forEachTask { image, rows, block in
      PaddedRows.with(x, image: image, rows: phase.sourceRows(of: rows), left: product.plan.left, right: product.plan.right) { strip in
        panels.path.kernels.tiles_begin()
        panels.path.withSplit(strip.base, count: strip.count) { parts in
          for panel in block { multiply(strip, parts, panel, image, rows) }
        }
        panels.path.kernels.tiles_end()
      }
    }
  }

  /// - Parameter parts: those of the whole strip, as one row.
  private func multiply(_ strip: PaddedRows, _ parts: BF16Rows, _ panel: Int, _ image: Int, _ rows: Range<Int>) {
    let channels = x.shape[3]
    let group = panels.group(of: panel)
    let range = panels.range(of: panel)
    let columns = group * product.columns + range.lowerBound..<group * product.columns + range.upperBound
    let taps = runs.map { $0.row * strip.pitch + $0.column * channels }
    taps.withUnsafeBufferPointer { taps in
      let options = apus_split_product(
        rows: phase.size.width, columns: range.count, depth: panels.depth, taps: panels.taps, tap_offsets: taps.baseAddress,
        a_row: phase.sourceStep.width * channels, a_plane: parts.plane, c_row: phase.step.width * y.shape[3],
        parts: Int32(panels.path.parts), adds: 0)
      for row in rows {
        let c = y.address(product.place(phase, image, row) + columns.lowerBound)
        let a = parts.base + strip.offset(row * phase.sourceStep.height, 0, group * product.depth)
        panels.path.multiply(options, a, panels.address(panel), into: c)
        epilogue.apply(to: c, y.kernels, rows: phase.size.width, columns: columns, stride: options.c_row)
      }
    }
  }
}
