import CKernels

/// The strips of a `WeightGradient` on bfloat16 parts. Pixels are the inner dimension: the input is split and transposed once per strip,
/// and used by all taps, panels and channels of the task.
///
/// With stride 1, input and output gradient lie on the same grid of pixels, margins included, so that a tap is a shift of one long
/// row; with larger strides every kernel row gathers the pixels it reads.
struct BF16WeightGradient {
  let path: BF16Split
  let plan: ConvolutionPlan
  let groups, depth, columns: Int

  private var phase: ConvolutionPlan.Phase { plan.phases[0] }
  private var channels: Int { groups * columns }

  /// Adds some rows of one image to `dw` for all taps and the panels of `block`.
  func add(
    _ x: Tensor, _ dy: Tensor, image: Int, rows: Range<Int>, panels block: Range<Int>, adds: Bool, into dw: UnsafeMutableRawPointer
  ) {
    let source = phase.sourceRows(of: rows)
    path.kernels.tiles_begin()
    PaddedRows.with(x, image: image, rows: source, left: plan.left, right: plan.right) { strip in
      let gradient = dy.address((image * phase.size.height + rows.lowerBound) * phase.size.width * channels)
      if phase.sourceStep == 1 {
        addShifted(strip, gradient, rows, block, adds, dw)
      } else {
        addGathered(strip, gradient, rows, block, adds, dw)
      }
    }
    path.kernels.tiles_end()
  }

  private func addShifted(
    _ strip: PaddedRows, _ gradient: UnsafeRawPointer, _ rows: Range<Int>, _ block: Range<Int>, _ adds: Bool,
    _ dw: UnsafeMutableRawPointer
  ) {
    let inputs = groups * depth, pitch = strip.pitch / inputs, length = rows.count * pitch
    path.withSplitTransposed(strip.base, rows: strip.count / inputs, columns: inputs, stride: inputs, beyond: pitch) { split in
      withPanels(gradient, rows: rows.count, pitch: pitch, block) { panel, index in
        for (place, tap) in phase.taps.enumerated() {
          let first = strip.offset(rows.lowerBound + tap.row, tap.column) / inputs
          let shifted = split.advanced(by: blocks.group(of: index) * depth * split.row + first)
          multiply(shifted, panel, length, index, rowCount: depth, place, adds, dw)
        }
      }
    }
  }

  private func addGathered(
    _ strip: PaddedRows, _ gradient: UnsafeRawPointer, _ rows: Range<Int>, _ block: Range<Int>, _ adds: Bool,
    _ dw: UnsafeMutableRawPointer
  ) {
    let inputs = groups * depth, width = phase.size.width, length = rows.count * width, step = phase.sourceStep
    let runs = phase.runs(merging: groups == 1)
    withScratch(length * inputs * (groups == 1 ? runs[0].weights.count : 1), .float32) { scratch in
      for run in runs {
        let wide = inputs * (groups == 1 ? run.weights.count : 1)
        for row in rows {
          copyRows(strip.address(row * step.height + run.row, run.column), rows: width, columns: wide, stride: step.width * inputs,
                   into: scratch + (row - rows.lowerBound) * width * wide * MemoryLayout<Float>.size, pitch: wide)
        }
        path.withSplitTransposed(scratch, rows: length, columns: wide, stride: wide) { split in
          withPanels(gradient, rows: rows.count, pitch: width, block) { panel, index in
            let channelsOfGroup = split.advanced(by: blocks.group(of: index) * depth * split.row)
            multiply(channelsOfGroup, panel, length, index, rowCount: groups == 1 ? wide : depth, run.weights.lowerBound, adds, dw)
          }
        }
      }
    }
  }

  private var blocks: ColumnBlocks { path.columnBlocks(columns, groups: groups) }

  /// Packs the output gradient of each panel, its rows `pitch` pixels apart with zeros between them.
  private func withPanels(
    _ gradient: UnsafeRawPointer, rows: Int, pitch: Int, _ block: Range<Int>, _ body: (UnsafePointer<UInt16>, _ panel: Int) -> Void
  ) {
    let bytes = MemoryLayout<Float>.size, width = phase.size.width, row = BF16Split.width * bytes
    withScratch(rows * pitch * BF16Split.width, .float32) { scratch in
      path.withPlanes(path.panelSize(taps: 1, depth: rows * pitch)) { panel in
        for index in block {
          let range = blocks.range(of: index)
          for line in 0..<rows {
            let from = gradient + (line * width * channels + blocks.group(of: index) * columns + range.lowerBound) * bytes
            copyRows(from, rows: width, columns: range.count, stride: channels, into: scratch + line * pitch * row, pitch: BF16Split.width)
            (scratch + (line * pitch + width) * row).initializeMemory(as: UInt8.self, repeating: 0, count: (pitch - width) * row)
          }
          path.pack(scratch, taps: 1, depth: rows * pitch, columns: range.count, into: panel)
          body(panel, index)
        }
      }
    }
  }

  private func multiply(
    _ a: BF16Rows, _ panel: UnsafePointer<UInt16>, _ length: Int, _ index: Int, rowCount: Int, _ tap: Int, _ adds: Bool,
    _ dw: UnsafeMutableRawPointer
  ) {
    let range = blocks.range(of: index)
    let place = tap * depth * channels + blocks.group(of: index) * columns + range.lowerBound
    let options = apus_split_product(
      rows: rowCount, columns: range.count, depth: length, taps: 1, tap_offsets: apus_one_tap(),
      a_row: a.row, a_plane: a.plane, c_row: channels, parts: Int32(path.parts), adds: adds ? 1 : 0)
    path.multiply(options, a.base, panel, into: dw + place * MemoryLayout<Float>.size)
  }

  private func copyRows(
    _ x: UnsafeRawPointer, rows: Int, columns: Int, stride: Int, into y: UnsafeMutableRawPointer, pitch: Int
  ) {
    Precision.float32.kernels.copy(2, [rows, columns], x, [stride, 1], y, [pitch, 1])
  }
}
