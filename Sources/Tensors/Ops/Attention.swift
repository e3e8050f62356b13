extension Tensor {
  /// Scaled dot-product attention, `softmax(q kᵀ / √d + bias) v`; this tensor holds the queries.
  /// - Shape: queries `[..., t, d]`, keys `[..., s, d]`, values `[..., s, e]`, bias broadcast to `[..., t, s]` → `[..., t, e]`.
  /// - Parameter bias: added to the scores: 0 where attention is allowed, -∞ where it is not.
  /// - Source: Vaswani et al. 2017, equation 1.
  public func attention(keys: Tensor, values: Tensor, bias: Tensor? = nil) -> Tensor {
    let scale = 1 / Double(shape[rank - 1]).squareRoot()
    return matmul(keys, otherTransposed: true).softmax(scale: scale, bias: bias).matmul(values)
  }
}
