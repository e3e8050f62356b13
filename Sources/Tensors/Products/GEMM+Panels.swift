import CKernels

/// Plain products on our own kernels.
///
/// A task owns some rows and columns of one result. It takes a few rows of `a` at a time, and of them as many terms as one register sums
/// up: that block stays in the second-level cache while it meets all panels of `b`. Of several strips of rows, all need the same panels:
/// they are packed once.
extension GEMM {
  /// Columns of a task at most.
  static var mostColumns: Int { 128 }
  /// Rows of a task at least.
  private static var fewestRows: Int { 84 }
  /// Elements of a block of `a`: 64 KiB in float32.
  private static var blockElements: Int { 1 << 14 }
  /// Panels for which a block of `a` is worth fetching ahead.
  private static var fewestPanels: Int { 4 }
  /// Rows of tasks and blocks are a multiple of this, and thereby of the rows that the kernels sum up together (6 or 14).
  private static var rowMultiple: Int { 42 }
  /// Elements of a second factor that a task packs at a time, and of one that is packed once for all tasks, at most.
  private static var packedElements: Int { 1 << 15 }
  private static var sharedElements: Int { 1 << 20 }

  private var aRow: Int { isATransposed ? 1 : k }
  private var aDepth: Int { isATransposed ? m : 1 }
  /// Rows that are read down their columns, far apart, would push each other out of the cache: their blocks are copied.
  private var isCopied: Bool { isATransposed && m >= 512 }

  func runBlocks(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    let grid = Grid(self, panelWidth: 2 * y.kernels.lanes)
    guard grid.strips > 1, batch == 1, k * n <= Self.sharedElements else {
      return grid.forEachBlock { multiplyPacking(a, b, $0, into: y) }
    }
    let panels = Panels(depth: k, columns: n, precision: y.precision)
    // Weights may be packed already. The gradient of weights has a gradient in their place, which is not worth keeping.
    let factor = factor(b, 0, 0..<k, 0..<n)
    let memory = (isATransposed ? nil : panels.kept(of: factor)) ?? panels.packed(factor)
    let packed = PackedMatrix(panels, in: memory.address())
    withExtendedLifetime(memory) {
      grid.forEachBlock { multiply(a, packed, packed.panels(of: $0.columns), $0, depth: 0..<k, into: y) }
    }
  }

  /// The partition of the results into tasks: strips of rows and blocks of columns.
  private struct Grid {
    let product: GEMM
    let strips: Int
    private let tasks, rows: Int
    private let columns: ColumnBlocks

    init(_ product: GEMM, panelWidth: Int) {
      let (m, n) = (product.m, product.n), widest = Swift.min(n, mostColumns), fewestBlocks = (n + widest - 1) / widest
      tasks = TaskCount.wanted(multiplyAdds: product.batch * m * n * product.k)
      let perItem = (tasks + product.batch - 1) / product.batch
      let most = Swift.max(1, Swift.min((perItem + fewestBlocks - 1) / fewestBlocks, m / fewestRows))
      rows = ((m + most - 1) / most + rowMultiple - 1) / rowMultiple * rowMultiple
      strips = (m + rows - 1) / rows
      let blocks = Swift.max(fewestBlocks, (perItem + strips - 1) / strips), panels = (n + panelWidth - 1) / panelWidth
      columns = ColumnBlocks(columns: n, groups: 1, width: Swift.min(widest, (panels + blocks - 1) / blocks * panelWidth))
      self.product = product
    }

    func forEachBlock(_ body: @escaping @Sendable (Block) -> Void) {
      let perItem = strips * columns.count, count = product.batch * perItem
      parallelFor(count, grain: Swift.max(1, count / tasks)) { range in
        for task in range {
          let item = task / perItem, first = task % perItem / columns.count * rows
          body(Block(item: item, rows: first..<Swift.min(product.m, first + rows), columns: columns.range(of: task % columns.count),
                     depth: 0..<product.k, result: item * product.m * product.n))
        }
      }
    }
  }

  /// Some rows and columns of one result, which begins at an element of the destination, and the terms of their sums.
  struct Block {
    let item: Int
    let rows, columns, depth: Range<Int>
    let result: Int
  }

  private func factor(_ b: Tensor, _ item: Int, _ depth: Range<Int>, _ columns: Range<Int>) -> StridedMatrix {
    let (row, column) = isBTransposed ? (1, k) : (n, 1)
    return StridedMatrix(tensor: b, start: item * k * n + depth.lowerBound * row + columns.lowerBound * column, row: row, column: column)
  }

  /// Multiplies with a second factor of which this task packs its columns, some terms at a time.
  func multiplyPacking(_ a: Tensor, _ b: Tensor, _ block: Block, into y: Tensor) {
    let columns = block.columns, chunks = pieces(of: block.depth, longest: Self.packedElements / columns.count)
    withScratch(PackedMatrix.size(depth: chunks.map(\.count).max() ?? 0, columns: columns.count, y.precision), y.precision) { memory in
      for (index, chunk) in chunks.enumerated() {
        let packed = PackedMatrix(factor(b, block.item, chunk, columns), depth: chunk.count, columns: columns.count, into: memory)
        let next = index + 1 < chunks.count ? fetch(a, block.item, steps(block.rows, chunks[index + 1])[0]) : apus_fetch()
        multiply(a, packed, 0..<packed.panelCount, block, depth: chunk, next: next, into: y)
      }
    }
  }

  /// Some terms of a sum, cut into as few nearly equal pieces as possible: of as many terms as registers sum up, or of more.
  private func pieces(of depth: Range<Int>, longest: Int = 0) -> [Range<Int>] {
    let longest = Swift.max(Int(APUS_LONGEST_SUM), longest), count = (depth.count + longest - 1) / longest
    return (0..<count).map { depth.part($0, of: count) }
  }

  /// Some rows of `a`, with some of their terms.
  private typealias Step = (rows: Range<Int>, terms: Range<Int>)

  /// The blocks of `a` that a task reads: all terms of a few rows after each other.
  private func steps(_ rows: Range<Int>, _ depth: Range<Int>) -> [Step] {
    let pieces = pieces(of: depth), longest = pieces.map(\.count).max() ?? 1, elements = Self.blockElements << (isATransposed ? 1 : 0)
    let most = Swift.max(1, elements / (longest * Self.rowMultiple)) * Self.rowMultiple
    return stride(from: rows.lowerBound, to: rows.upperBound, by: most).flatMap { first in
      pieces.map { (first..<Swift.min(rows.upperBound, first + most), $0) }
    }
  }

  /// Multiplies with some panels of a packed factor, whose rows are the terms `depth`.
  /// - Parameter next: what is read after this.
  private func multiply(
    _ a: Tensor, _ packed: PackedMatrix, _ panels: Range<Int>, _ block: Block, depth: Range<Int>, next: apus_fetch = apus_fetch(),
    into y: Tensor
  ) {
    let steps = steps(block.rows, depth), isFetched = panels.count >= Self.fewestPanels
    withScratch(isCopied ? steps.map { $0.rows.count * $0.terms.count }.max() ?? 1 : 1, y.precision) { copy in
      for (index, step) in steps.enumerated() {
        let rows = step.rows.count, c = y.address(block.result + step.rows.lowerBound * n + block.columns.lowerBound)
        let next = index + 1 < steps.count ? fetch(a, block.item, steps[index + 1]) : next
        packed.multiply(
          StridedRows(copied(a, block.item, step, to: copy), row: aRow, term: isCopied ? rows : aDepth), rows: rows, panels: panels,
          terms: step.terms.lowerBound - depth.lowerBound..<step.terms.upperBound - depth.lowerBound, into: c, cRow: n,
          adds: step.terms.lowerBound > block.depth.lowerBound, next: isFetched ? next : apus_fetch())
        if block.depth == 0..<k, step.terms.upperBound == k {
          epilogue.apply(to: c, y.kernels, rows: rows, columns: block.columns, stride: n)
        }
      }
    }
  }

  /// A block where it lies, or its copy.
  private func copied(_ a: Tensor, _ item: Int, _ step: Step, to memory: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    guard isCopied else { return address(a, item, step) }
    a.kernels.copy(2, [step.terms.count, step.rows.count], address(a, item, step), [m, 1], memory, [step.rows.count, 1])
    return memory
  }

  /// A block as memory to be read soon, if it is transposed: contiguous rows the processor foresees by itself.
  private func fetch(_ a: Tensor, _ item: Int, _ step: Step) -> apus_fetch {
    guard isATransposed else { return apus_fetch() }
    let bytes = a.precision.byteCount
    return apus_fetch(from: address(a, item, step), rows: step.terms.count, bytes: step.rows.count * bytes, pitch: m * bytes)
  }

  private func address(_ a: Tensor, _ item: Int, _ step: Step) -> UnsafeMutableRawPointer {
    a.address(item * m * k + step.rows.lowerBound * aRow + step.terms.lowerBound * aDepth)
  }
}
