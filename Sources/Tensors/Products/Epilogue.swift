import CKernels

/// The element-wise tail of a product, applied while the result is still in cache: `activation(y · scale + residual + bias)`.
struct Epilogue {
  /// One number per column.
  var scale: Tensor?
  /// One number per column.
  var bias: Tensor?
  var activation: FusedActivation?
  /// Of the result's shape, with the result.
  var residual: (source: Tensor, result: Tensor)?

  /// Applies it in place to some rows and columns of a result, rows `stride` elements apart.
  func apply(to y: UnsafeMutableRawPointer, _ kernels: apus_kernels, rows: Int, columns: Range<Int>, stride: Int) {
    guard scale != nil || bias != nil || activation != nil || residual != nil else { return }
    var tail = apus_epilogue(
      activation: activation?.function ?? -1, parameter: activation?.parameter ?? 0,
      scale: scale.map { UnsafeRawPointer($0.address(columns.lowerBound)) },
      residual: residual.map { UnsafeRawPointer($0.source.address() + (y - $0.result.address())) },
      bias: bias.map { UnsafeRawPointer($0.address(columns.lowerBound)) })
    kernels.epilogue(&tail, rows, columns.count, stride, y)
  }
}
