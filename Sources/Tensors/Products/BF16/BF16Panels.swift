import CKernels

/// A factor split into bfloat16 parts and packed into panels of 32 columns, all of them, before the product begins.
struct BF16Panels {
  let path: BF16Split
  /// Pieces of the inner sum, and the length of each.
  let taps, depth: Int
  let blocks: ColumnBlocks
  private let packed: Tensor

  var count: Int { blocks.count }
  func group(of panel: Int) -> Int { blocks.group(of: panel) }
  func range(of panel: Int) -> Range<Int> { blocks.range(of: panel) }

  func address(_ panel: Int) -> UnsafePointer<UInt16> {
    UnsafePointer(packed.address().assumingMemoryBound(to: UInt16.self) + panel * path.panelSize(taps: taps, depth: depth))
  }

  /// Packs the rows of the factor's slabs `slabs`, one after the other, as `taps` pieces of equal length.
  init(_ factor: StridedMatrix, slabs: [Int], rows: Int, taps: Int, columns: Int, groups: Int, _ path: BF16Split) {
    let depth = slabs.count * rows / taps, blocks = path.columnBlocks(columns, groups: groups)
    let key = [path.parts, rows, taps, columns, groups, factor.start, factor.row, factor.column, factor.tap, factor.group] + slabs
    (self.path, self.taps, self.depth, self.blocks) = (path, taps, depth, blocks)
    packed = factor.tensor.storage.derived(.bf16Panels(key)) {
      let size = path.panelSize(taps: taps, depth: depth), y = Tensor(uninitialized: [(blocks.count * size + 1) / 2], .float32)
      parallelFor(blocks.count) { range in
        withScratch(slabs.count * rows * BF16Split.width, .float32) { scratch in
          for panel in range {
            Self.gather(factor, slabs, rows, blocks, panel, into: scratch)
            path.pack(scratch, taps: taps, depth: depth, columns: blocks.range(of: panel).count,
                      into: y.address().assumingMemoryBound(to: UInt16.self) + panel * size)
          }
        }
      }
      return y
    }
  }

  /// The rows of one panel in float32, `[slabs, rows, 32]`.
  private static func gather(
    _ factor: StridedMatrix, _ slabs: [Int], _ rows: Int, _ blocks: ColumnBlocks, _ panel: Int, into y: UnsafeMutableRawPointer
  ) {
    let range = blocks.range(of: panel)
    let start = factor.start + blocks.group(of: panel) * factor.group + range.lowerBound * factor.column
    for (place, slab) in slabs.enumerated() {
      factor.tensor.kernels.copy(2, [rows, range.count], factor.tensor.address(start + slab * factor.tap), [factor.row, factor.column],
        y + place * rows * BF16Split.width * MemoryLayout<Float>.size, [BF16Split.width, 1])
    }
  }
}
