import CKernels

/// The element-wise tail of a product, applied while the result is still in cache: `activation(y + residual + bias)`.
struct Epilogue {
  /// One number per column.
  var bias: Tensor?
  var activation: FusedActivation?
  /// Of the result's shape, with the result.
  var residual: (source: Tensor, result: Tensor)?

  /// Applies it in place to some rows and columns of a result, rows `stride` elements apart.
  func apply(to y: UnsafeMutableRawPointer, _ kernels: apus_kernels, rows: Int, columns: Range<Int>, stride: Int) {
    if let residual {
      let source = residual.source.address() + (y - residual.result.address())
      kernels.accumulate_rows(source, stride, rows, columns.count, stride, y)
    }
    guard bias != nil || activation != nil else { return }
    let (function, parameter) = (activation?.function ?? -1, activation?.parameter ?? 0)
    kernels.epilogue(function, parameter, bias?.address(columns.lowerBound), rows, columns.count, stride, y)
  }
}
