import Base

extension Tensor {
  /// The matrix product over the last two axes, `op(a) · op(b)`, where op may transpose them.
  /// - Shape: `[..., m, k] · [..., k, n]` → `[..., m, n]`; leading axes broadcast.
  /// - Gradient: `dy · op(b)ᵀ` and `op(a)ᵀ · dy`, transposed as the factors were.
  /// - Numerics: blocks depend on the sizes alone; long inner axes are summed in blocks.
  public func matmul(_ other: Tensor, transposed: Bool = false, otherTransposed: Bool = false) -> Tensor {
    requireSamePrecision(other, "matmul")
    require(rank >= 2 && other.rank >= 2, "matmul: shapes \(shape) and \(other.shape) need two axes at least")
    if other.rank == 2, rank > 2, !transposed {  // many rows, one matrix: a single product
      let columns = other.shape[otherTransposed ? 0 : 1]
      return reshaped(to: [-1, shape[rank - 1]]).matmul(other, otherTransposed: otherTransposed)
        .reshaped(to: shape.dropLast() + [columns])
    }
    let batch = BroadcastStrides(shape.dropLast(2), other.shape.dropLast(2), op: "matmul").shape
    let a = broadcast(to: batch + shape.suffix(2)), b = other.broadcast(to: batch + other.shape.suffix(2))
    let (m, k) = transposed ? (shape[rank - 1], shape[rank - 2]) : (shape[rank - 2], shape[rank - 1])
    let (inner, n) = otherTransposed ? (b.shape[b.rank - 1], b.shape[b.rank - 2]) : (b.shape[b.rank - 2], b.shape[b.rank - 1])
    require(inner == k,
      "matmul: inner axes differ, shapes \(shape)\(transposed ? "ᵀ" : "") and \(other.shape)\(otherTransposed ? "ᵀ" : "")")
    let y = a.fresh(batch + [m, n])
    let product = GEMM(
      batch: batch.reduce(1, *), m: m, n: n, k: k, isATransposed: transposed, isBTransposed: otherTransposed)
    let algorithm = product.run(a, b, into: y)
    Profiler.count(flops: 2 * y.count * k, by: algorithm)
    return y.recorded(.matmul, by: algorithm, from: [a, b]) { dy in
      let da = !a.needsGradient ? nil : transposed
        ? b.matmul(dy, transposed: otherTransposed, otherTransposed: true) : dy.matmul(b, otherTransposed: !otherTransposed)
      let db = !b.needsGradient ? nil : otherTransposed
        ? dy.matmul(a, transposed: true, otherTransposed: transposed) : a.matmul(dy, transposed: !transposed)
      return [da, db]
    }
  }
}
