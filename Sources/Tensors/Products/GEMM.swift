import CKernels

/// A batch of equal products `op(a) · op(b)`, cut into tasks by size alone: the one door for all dense products.
struct GEMM {
  let batch, m, n, k: Int
  var isATransposed = false, isBTransposed = false
  var epilogue = Epilogue()

  /// Terms that make a piece of a sum worth a task of its own.
  private static let fewestTerms = 768
  /// Few outputs with a long sum: the sum is cut into pieces, so that all threads have work.
  private var isDeep: Bool { k >= 4 * Self.fewestTerms && m * n <= 1 << 16 }
  var multiplyAdds: Int { batch * m * n * k }
  private var deepPieces: Int { Swift.max(2, Swift.min(k / Self.fewestTerms, TaskCount.wanted(multiplyAdds: m * n * k))) }

  /// - Parameters: `a` `[batch, m, k]` and `b` `[batch, k, n]`, or their transposes.
  /// - Returns: the algorithm that was chosen.
  @discardableResult
  func run(_ a: Tensor, _ b: Tensor, into y: Tensor) -> GEMMAlgorithm {
    let algorithm = GEMMAlgorithm.choose(depth: k, columns: n, multiplyAdds: multiplyAdds, y.precision)
    run(algorithm, a, b, into: y)
    return algorithm
  }

  func run(_ algorithm: GEMMAlgorithm, _ a: Tensor, _ b: Tensor, into y: Tensor) {
    guard y.count > 0 else { return }
    guard k > 0 else {
      y.kernels.fill(y.address(), y.count, 0)
      return epilogue.apply(to: y.address(), y.kernels, rows: batch * m, columns: 0..<n, stride: n)
    }
    switch algorithm {
    case .openBLAS: runTiles(a, b, into: y)
    case .panels: isDeep ? runDeep(a, b, into: y) : runBlocks(a, b, into: y)
    case .bf16(let parts): runSplit(BF16Split(parts: parts), a, b, into: y)
    }
  }

  private func runSplit(_ path: BF16Split, _ a: Tensor, _ b: Tensor, into y: Tensor) {
    let split = BF16GEMM(product: self, path: path)
    guard isDeep else { return split.run(a, b, depth: 0..<k, into: y, at: 0, epilogue: epilogue) }
    addUpPieces(deepPieces, into: y) { partial in
      for piece in 0..<deepPieces {
        split.run(a, b, depth: depth(of: piece), into: partial, at: piece * batch * m * n, epilogue: Epilogue())
      }
    }
  }

  private func runDeep(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    let columns = ColumnBlocks(columns: n, groups: batch, width: Self.mostColumns)
    addUpPieces(deepPieces, into: y) { partial in
      parallelFor(deepPieces * columns.count) { range in
        for task in range {
          let piece = task / columns.count, block = task % columns.count, item = columns.group(of: block)
          let part = Block(item: item, rows: 0..<m, columns: columns.range(of: block), depth: depth(of: piece),
                           result: piece * batch * m * n + item * m * n)
          multiplyPacking(a, b, part, into: partial)
        }
      }
    }
  }

  private func depth(of piece: Int) -> Range<Int> { (0..<k).part(piece, of: deepPieces) }

  /// The pieces of the inner sum, which `multiply` puts side by side, added in order.
  private func addUpPieces(_ count: Int, into y: Tensor, _ multiply: (_ partial: Tensor) -> Void) {
    let partial = y.fresh([count, batch * m * n])
    multiply(partial)
    y.addUp(partial, count)
    epilogue.apply(to: y.address(), y.kernels, rows: batch * m, columns: 0..<n, stride: n)
  }
}

// MARK: - OpenBLAS

extension GEMM {
  /// The partition of a product into calls of OpenBLAS, each on one thread: strips of rows, blocks of columns, pieces of the sum.
  ///
  /// Every call packs what it reads, so tiles are large: whole rows of the result while there are rows enough.
  private struct TileGrid {
    let strips, blocks, pieces: Int
    /// Items of a batch that make a task.
    let grain: Int

    /// The largest power of two up to a number, 1 at least: an even share for the usual numbers of threads.
    private static func powerOfTwo(_ most: Int) -> Int { most < 2 ? 1 : 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount) }

    private static let fewestRows = 256
    private static let fewestColumns = 384
    /// Terms from which tiles are nearly square; with fewer, splitting rows costs more than packing the second factor again.
    private static let squareTerms = 1024

    /// Tasks of 8 M multiply-adds at least (some 40 µs): up to 4 of any size, 8 of more than 256 M each, more of 1 G.
    private static func tasks(_ multiplyAdds: Int) -> Int {
      Swift.max(1, Swift.min(4, multiplyAdds >> 23), Swift.min(8, multiplyAdds >> 28), multiplyAdds >> 30)
    }

    init(_ product: GEMM) {
      let tasks = Self.tasks(product.multiplyAdds), perItem = (tasks + product.batch - 1) / product.batch
      guard !product.isDeep else {
        (strips, blocks, pieces) = (1, 1, Swift.max(2, Swift.min(product.k / fewestTerms, perItem)))
        grain = 1
        return
      }
      pieces = 1
      let square = Int((Double(perItem * product.m) / Double(product.n)).squareRoot())
      let mostStrips = product.k < Self.squareTerms ? perItem : Swift.max(square, 1)
      strips = Self.powerOfTwo(Swift.min(mostStrips, product.m / Self.fewestRows))
      blocks = Self.powerOfTwo(Swift.min(perItem / strips, product.n / Self.fewestColumns))
      grain = Swift.max(1, product.batch * pieces * strips * blocks / tasks)
    }
  }

  private func runTiles(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    let grid = TileGrid(self)
    guard grid.pieces > 1 else { return multiplyTiles(a, b, grid, into: y, epilogue) }
    addUpPieces(grid.pieces, into: y) { multiplyTiles(a, b, grid, into: $0, Epilogue()) }
  }

  /// - Parameter y: `[pieces, batch, m, n]`.
  private func multiplyTiles(_ a: Tensor, _ b: Tensor, _ grid: TileGrid, into y: Tensor, _ epilogue: Epilogue) {
    let perItem = grid.strips * grid.blocks, count = grid.pieces * batch * perItem
    parallelFor(count, grain: grid.grain) { range in
      for task in range {
        let piece = task / (batch * perItem), item = task / perItem % batch
        let rows = (0..<m).part(task % perItem / grid.blocks, of: grid.strips), columns = (0..<n).part(task % grid.blocks, of: grid.blocks)
        let terms = (0..<k).part(piece, of: grid.pieces)
        let c = y.address(((piece * batch + item) * m + rows.lowerBound) * n + columns.lowerBound)
        let aStart = item * m * k + (isATransposed ? terms.lowerBound * m + rows.lowerBound : rows.lowerBound * k + terms.lowerBound)
        let bStart = item * k * n + (isBTransposed ? columns.lowerBound * k + terms.lowerBound : terms.lowerBound * n + columns.lowerBound)
        BLAS.multiply(
          y.precision, size: (rows.count, columns.count, terms.count),
          BLAS.Operand(address: a.address(aStart), row: isATransposed ? m : k, isTransposed: isATransposed),
          BLAS.Operand(address: b.address(bStart), row: isBTransposed ? k : n, isTransposed: isBTransposed), into: c, row: n)
        epilogue.apply(to: c, y.kernels, rows: rows.count, columns: columns, stride: n)
      }
    }
  }
}
