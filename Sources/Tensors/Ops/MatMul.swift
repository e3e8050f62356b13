extension Tensor {
  /// The matrix product over the last two axes, `op(a) · op(b)`, where op may transpose them.
  /// - Shape: `[..., m, k] · [..., k, n]` → `[..., m, n]`; leading axes broadcast.
  /// - Gradient: `dy · op(b)ᵀ` and `op(a)ᵀ · dy`, transposed as the factors were.
  /// - Numerics: blocks depend on the sizes alone; long inner axes are summed in blocks of 4096.
  public func matmul(_ other: Tensor, transposed: Bool = false, otherTransposed: Bool = false) -> Tensor {
    requireSamePrecision(other, "matmul")
    require(rank >= 2 && other.rank >= 2, "matmul: shapes \(shape) and \(other.shape) need two axes at least")
    if other.rank == 2, rank > 2, !transposed {  // many rows, one matrix: a single product
      let columns = other.shape[otherTransposed ? 0 : 1]
      return reshaped(to: [-1, shape[rank - 1]]).matmul(other, otherTransposed: otherTransposed)
        .reshaped(to: shape.dropLast() + [columns])
    }
    let batch = BroadcastPlan(shape.dropLast(2), other.shape.dropLast(2), op: "matmul").shape
    let a = broadcast(to: batch + shape.suffix(2)), b = other.broadcast(to: batch + other.shape.suffix(2))
    let (m, k) = transposed ? (shape[rank - 1], shape[rank - 2]) : (shape[rank - 2], shape[rank - 1])
    let (inner, n) = otherTransposed ? (b.shape[b.rank - 1], b.shape[b.rank - 2]) : (b.shape[b.rank - 2], b.shape[b.rank - 1])
    require(inner == k, "matmul: inner axes differ, shapes \(shape)\(transposed ? "ᵀ" : "") and \(other.shape)\(otherTransposed ? "ᵀ" : "")")
    let y = a.fresh(batch + [m, n])
    Profiler.count(flops: 2 * y.count * k)
    MatrixProduct(batch: batch.reduce(1, *), m: m, n: n, k: k, isATransposed: transposed, isBTransposed: otherTransposed).run(a, b, into: y)
    return y.recorded(.matmul, from: [a, b]) { dy in
      let da = !a.isRecorded ? nil : transposed
        ? b.matmul(dy, transposed: otherTransposed, otherTransposed: true) : dy.matmul(b, otherTransposed: !otherTransposed)
      let db = !b.isRecorded ? nil : otherTransposed
        ? dy.matmul(a, transposed: true, otherTransposed: transposed) : a.matmul(dy, transposed: !transposed)
      return [da, db]
    }
  }
}

/// A batch of equal products, cut into tasks by size alone.
struct MatrixProduct {
  let batch, m, n, k: Int
  var isATransposed = false, isBTransposed = false

  /// Rows of one task: about 8 Mflop of work.
  private var rowBlock: Int { Swift.min(m, Swift.max(16, (1 << 22) / Swift.max(n * k, 1) / 16 * 16)) }
  private static let depthBlock = 4096
  /// Few outputs with a long sum: the sum is cut, so that all threads have work.
  private var isDeep: Bool { k >= 2 * Self.depthBlock && m * n <= 1 << 16 }

  func run(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    guard k > 0 else {
      y.kernels.fill(y.address(), y.count, 0)
      return
    }
    if isDeep { runDeep(a, b, into: y) } else { runBlocks(a, b, into: y) }
  }

  private func runBlocks(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    let block = rowBlock, blocks = (m + block - 1) / block
    parallelFor(batch * blocks) { range in
      for task in range {
        let (item, row) = (task / blocks, task % blocks * block)
        multiply(a, b, item, rows: row..<Swift.min(m, row + block), depth: 0..<k, into: y, at: (item * m + row) * n)
      }
    }
  }

  private func runDeep(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    let blocks = (k + Self.depthBlock - 1) / Self.depthBlock
    let partial = y.fresh([batch, blocks, m * n])
    parallelFor(batch * blocks) { range in
      for task in range {
        let first = task % blocks * Self.depthBlock
        let depth = first..<Swift.min(k, first + Self.depthBlock)
        multiply(a, b, task / blocks, rows: 0..<m, depth: depth, into: partial, at: task * m * n)
      }
    }
    parallelFor(batch) { range in
      y.kernels.sum(partial.address(range.lowerBound * blocks * m * n), range.count, blocks, m * n, y.address(range.lowerBound * m * n))
    }
  }

  private func multiply(
    _ a: Tensor, _ b: Tensor, _ item: Int, rows: Range<Int>, depth: Range<Int>, into y: Tensor, at place: Int
  ) {
    let aStart = item * m * k + (isATransposed ? depth.lowerBound * m + rows.lowerBound : rows.lowerBound * k + depth.lowerBound)
    let bStart = item * k * n + (isBTransposed ? depth.lowerBound : depth.lowerBound * n)
    BLAS.multiply(y.precision, m: rows.count, n: n, k: depth.count,
      .init(address: a.address(aStart), stride: isATransposed ? m : k, isTransposed: isATransposed),
      .init(address: b.address(bStart), stride: isBTransposed ? k : n, isTransposed: isBTransposed),
      into: y.address(place), stride: n)
  }
}
