import CKernels

/// A factor split into bfloat16 parts and packed into panels of 32 columns, all of them, before the product begins.
struct SplitPanels {
  let path: SplitPath
  /// Pieces of the inner sum, and the length of each.
  let taps, depth: Int
  /// Columns of one group.
  let columns: Int
  let groups: Int
  private let storage: Tensor
  private let size: Int

  var perGroup: Int { SplitPath.panels(columns: columns) }
  var count: Int { groups * perGroup }

  func group(of panel: Int) -> Int { panel / perGroup }

  /// The columns of a panel, counted within its group.
  func range(of panel: Int) -> Range<Int> {
    let first = panel % perGroup * SplitPath.width
    return first..<Swift.min(columns, first + SplitPath.width)
  }

  func address(_ panel: Int) -> UnsafePointer<UInt16> {
    UnsafePointer(storage.address().assumingMemoryBound(to: UInt16.self) + panel * size)
  }

  /// Packs the rows of the factor's slabs `slabs`, one after the other, as `taps` pieces of equal length.
  init(_ factor: Factor, slabs: [Int], rows: Int, taps: Int, columns: Int, groups: Int, _ path: SplitPath) {
    (self.path, self.taps, self.columns, self.groups) = (path, taps, columns, groups)
    depth = slabs.count * rows / taps
    size = path.panelSize(taps: taps, depth: depth)
    let elements = (groups * SplitPath.panels(columns: columns) * size + 1) / 2
    let key = [path.parts, rows, taps, columns, groups, factor.start, factor.row, factor.column, factor.tap, factor.group] + slabs
    var packed: Tensor?
    let kept = factor.tensor.storage.derived(key) {
      let fresh = Tensor(uninitialized: [elements], .float32)
      packed = fresh
      return fresh
    }
    storage = kept
    guard packed != nil else { return }
    let panels = self
    parallelFor(count) { range in
      withScratch(slabs.count * rows * SplitPath.width, .float32) { scratch in
        for panel in range { panels.pack(panel, factor, slabs, rows, scratch) }
      }
    }
  }

  private func pack(_ panel: Int, _ factor: Factor, _ slabs: [Int], _ rows: Int, _ scratch: UnsafeMutableRawPointer) {
    let range = range(of: panel)
    let start = factor.start + group(of: panel) * factor.group + range.lowerBound * factor.column
    for (place, slab) in slabs.enumerated() {
      factor.tensor.kernels.copy(2, [rows, range.count], factor.tensor.address(start + slab * factor.tap), [factor.row, factor.column],
        scratch + place * rows * SplitPath.width * MemoryLayout<Float>.size, [SplitPath.width, 1])
    }
    path.pack(scratch, taps: taps, depth: depth, columns: range.count,
              into: storage.address().assumingMemoryBound(to: UInt16.self) + panel * size)
  }
}
