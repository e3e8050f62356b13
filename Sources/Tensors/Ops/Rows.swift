import CKernels

// Kernels that work on the rows of the last axis, split between threads by size.

extension Tensor {
  private var rowView: (rows: Int, columns: Int, grain: Int) {
    let columns = Swift.max(shape.last ?? 1, 1)
    return (count / columns, columns, Swift.max(1, (1 << 14) / columns))
  }

  /// A plain tensor made row by row from this one.
  func byRows(
    _ kernel: @escaping @Sendable (apus_kernels, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ rows: Int, _ columns: Int) -> Void
  ) -> Tensor {
    let (rows, columns, grain) = rowView
    let (x, y) = (self, fresh())
    parallelFor(rows, grain: grain) { range in
      let i = range.lowerBound * columns
      kernel(x.kernels, x.address(i), y.address(i), range.count, columns)
    }
    return y
  }

  /// A plain tensor made row by row from this one and another of the same shape.
  func byRows(
    with other: Tensor,
    _ kernel: @escaping @Sendable (
      apus_kernels, UnsafeRawPointer, UnsafeRawPointer, UnsafeMutableRawPointer, _ rows: Int, _ columns: Int
    ) -> Void
  ) -> Tensor {
    let (rows, columns, grain) = rowView
    let (x, y) = (self, fresh())
    parallelFor(rows, grain: grain) { range in
      let i = range.lowerBound * columns
      kernel(x.kernels, x.address(i), other.address(i), y.address(i), range.count, columns)
    }
    return y
  }
}
