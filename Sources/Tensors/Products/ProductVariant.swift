/// Ways to compute one and the same plain product, for benchmarks that keep the table of algorithms honest.
package enum ProductVariant: String, Sendable, CaseIterable {
  /// The algorithm that `matmul` takes.
  case chosen
  /// One call of OpenBLAS, on threads of its own.
  case library = "openblas-alone"
  /// Our kernels on packed panels.
  case panels
}

extension Tensor {
  /// The product of two matrices, unrecorded; each may be read as its transpose.
  package func multiplied(by b: Tensor, transposed: Bool = false, otherTransposed: Bool = false, _ variant: ProductVariant) -> Tensor {
    let (k, m) = transposed ? shape2 : (shape2.1, shape2.0), n = otherTransposed ? b.shape2.0 : b.shape2.1, y = fresh([m, n])
    let product = GEMM(batch: 1, m: m, n: n, k: k, isATransposed: transposed, isBTransposed: otherTransposed)
    switch variant {
    case .chosen: product.run(self, b, into: y)
    case .panels: product.run(.panels, self, b, into: y)
    case .library:
      BLAS.withOwnThreads(ThreadPool.shared.threadCount) {
        BLAS.multiply(
          precision, size: (m, n, k), BLAS.Operand(address: address(), row: transposed ? m : k, isTransposed: transposed),
          BLAS.Operand(address: b.address(), row: otherTransposed ? k : n, isTransposed: otherTransposed), into: y.address(), row: n)
      }
    }
    return y
  }
}
