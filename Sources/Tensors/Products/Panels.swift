import CKernels

/// The second factor of a product as it lies in memory: `depth` rows of `columns` elements, in as many slabs as there are taps.
struct StridedMatrix {
  let tensor: Tensor
  /// The first element.
  var start = 0
  /// Elements from one row, column, tap and group to the next.
  let row, column: Int
  var tap = 0, group = 0
}

/// The columns of each group cut into blocks of neighbours.
struct ColumnBlocks {
  /// Of one group.
  let columns: Int
  let groups: Int
  /// Columns of a full block.
  let width: Int

  /// Blocks of one group, and of all.
  var perGroup: Int { (columns + width - 1) / width }
  var count: Int { groups * perGroup }

  func group(of block: Int) -> Int { block / perGroup }

  /// The columns of a block, counted within its group.
  func range(of block: Int) -> Range<Int> {
    let first = block % perGroup * width
    return first..<Swift.min(columns, first + width)
  }
}

/// A matrix cut into blocks of neighbouring columns, one or two vectors wide, each stored row by row: what the product kernels read.
struct Panels {
  /// Rows of one group.
  let depth: Int
  let precision: Precision
  /// A full panel has two vectors of columns.
  let blocks: ColumnBlocks

  init(depth: Int, columns: Int, groups: Int = 1, precision: Precision) {
    (self.depth, self.precision) = (depth, precision)
    blocks = ColumnBlocks(columns: columns, groups: groups, width: 2 * precision.kernels.lanes)
  }

  /// Columns of a full panel.
  var width: Int { blocks.width }
  var count: Int { blocks.count }
  /// Elements that any panel fits in.
  var size: Int { depth * width }

  func group(of panel: Int) -> Int { blocks.group(of: panel) }
  func range(of panel: Int) -> Range<Int> { blocks.range(of: panel) }

  /// Columns that a panel has in memory, and its elements.
  func width(of panel: Int) -> Int { range(of: panel).count > width / 2 ? width : width / 2 }
  func size(of panel: Int) -> Int { depth * width(of: panel) }

  /// All panels of a factor that is used again and again, `size` elements apart; `nil` the first time.
  func kept(of factor: StridedMatrix, taps: [Int] = [0]) -> Tensor? {
    let key = [depth, blocks.columns, blocks.groups, factor.start, factor.row, factor.column, factor.tap, factor.group] + taps
    return factor.tensor.storage.derivedIfKept(.panels(key)) { packed(factor, taps: taps) }
  }

  /// All panels of a factor, `size` elements apart.
  func packed(_ factor: StridedMatrix, taps: [Int] = [0]) -> Tensor {
    let y = factor.tensor.fresh([count, size])
    parallelFor(count) { range in
      for panel in range { pack(panel, of: factor, taps: taps, into: y.address(panel * size)) }
    }
    return y
  }

  /// Packs one panel: the rows of the factor's slabs `taps`, one after the other.
  func pack(_ panel: Int, of factor: StridedMatrix, taps: [Int] = [0], into address: UnsafeMutableRawPointer) {
    let range = range(of: panel), rows = depth / taps.count
    let start = factor.start + group(of: panel) * factor.group + range.lowerBound * factor.column
    for (place, tap) in taps.enumerated() {
      precision.kernels.pack(factor.tensor.address(start + tap * factor.tap), factor.row, factor.column, rows, range.count,
        address + place * rows * width(of: panel) * precision.byteCount)
    }
  }
}
