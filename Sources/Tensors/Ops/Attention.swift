import Base

extension Tensor {
  /// Scaled dot-product attention, `dropout(softmax(q kᵀ / √d + bias)) v`, composed of products; this tensor holds the queries.
  /// - Shape: queries `[..., t, d]`, keys `[..., s, d]`, values `[..., s, e]`, bias broadcast to `[..., t, s]` → `[..., t, e]`.
  /// - Parameter bias: added to the scores: 0 where attention is allowed, -∞ where it is not.
  /// - Parameter dropout: of the weights, in the order of their rows.
  /// - Source: Vaswani et al. 2017, equation 1.
  public func attention(keys: Tensor, values: Tensor, bias: Tensor? = nil, dropout: DropoutMask? = nil) -> Tensor {
    let scale = 1 / Double(shape[rank - 1]).squareRoot()
    let weights = matmul(keys, otherTransposed: true).softmax(scale: scale, bias: bias)
    return (dropout.map { weights.dropped(by: $0) } ?? weights).matmul(values)
  }

  /// Attention of several heads side by side, in one op that keeps no scores: `softmax(q kᵀ / √d + bias) v` for each; this tensor holds the
  /// queries.
  /// - Shape: queries `[n, t, heads·d]`, keys `[n, s, heads·d]`, values `[n, s, heads·e]`, bias broadcast to `[n, heads, t, s]` →
  ///   `[n, t, heads·e]`.
  /// - Parameter bias: added to the scores: 0 where attention is allowed, -∞ where it is not; a query that may look at no key gives NaN.
  /// - Parameter dropout: of the weights `[n, heads, t, s]`. Its factors are computed in the op, with the same bits for any number of
  ///   threads.
  /// - Gradient: the weights and the factors of dropout are computed again. A recorded walk computes the same gradients by ops that keep
  ///   the weights, so that they can be differentiated again. If the bias is recorded, the op is composed of others.
  /// - Numerics: products are computed in the tensor's precision, whatever `MatmulPrecision` permits.
  /// - Source: Vaswani et al. 2017, section 3.2.2.
  public func attention(keys: Tensor, values: Tensor, heads: Int, bias: Tensor? = nil, dropout: DropoutMask? = nil) -> Tensor {
    let (n, t, width) = shape3, (images, s, keyWidth) = keys.shape3, (alsoImages, alsoS, valueWidth) = values.shape3
    requireSamePrecision(keys, "attention")
    requireSamePrecision(values, "attention")
    if let bias { requireSamePrecision(bias, "attention") }
    require(n == images && n == alsoImages && width == keyWidth && s == alsoS,
      "attention: queries of shape \(shape), keys of \(keys.shape) and values of \(values.shape) do not fit")
    require(heads > 0 && width % heads == 0 && valueWidth % heads == 0, "attention: \(width) and \(valueWidth) columns for \(heads) heads")
    func composed() -> Tensor {
      let y = splitHeads(heads).attention(
        keys: keys.splitHeads(heads), values: values.splitHeads(heads), bias: bias, dropout: dropout)
      return y.joinedHeads()
    }
    requireFactors(dropout, n * heads * t * s, "attention")
    guard bias?.isRecorded != true, count > 0, values.count > 0 else { return composed() }
    let product = AttentionProduct(
      images: n, heads: heads, q: rows(heads), k: keys.rows(heads), v: values.rows(heads), scale: 1 / Double(width / heads).squareRoot(),
      bias: bias.map { BroadcastBias($0, in: [n, heads, t, s], "attention") }, dropout: dropout)
    let (q, y) = (self, fresh([n, t, valueWidth]))
    product.runCounted(into: y.rows(heads))
    return y.recorded(.attention, from: [q, keys, values]) { dy in
      guard !Recording.isOn else { return Self.attentionGradients([q, keys, values], dy, heads, bias, dropout) }
      let (dq, dk, dv) = (q.fresh(), keys.fresh(), values.fresh())
      product.runBackwardCounted(dy.rows(heads), dq: dq.rows(heads), dk: dk.rows(heads), dv: dv.rows(heads))
      return [dq, dk, dv]
    }
  }

  /// Self-attention from queries, keys and values in one tensor, as one product makes them: see `attention(keys:values:heads:bias:)`.
  /// - Shape: `[n, t, 3·width]` (queries, then keys, then values), bias broadcast to `[n, heads, t, t]` → `[n, t, width]`.
  public func selfAttention(heads: Int, bias: Tensor? = nil, dropout: DropoutMask? = nil) -> Tensor {
    let (n, t, triple) = shape3, width = triple / 3
    require(triple % 3 == 0 && heads > 0 && width % heads == 0,
      "selfAttention: shape \(shape) is not that of queries, keys and values of \(heads) heads")
    if let bias { requireSamePrecision(bias, "selfAttention") }
    requireFactors(dropout, n * heads * t * t, "selfAttention")
    guard bias?.isRecorded != true, count > 0 else {
      let parts = split(-1, into: 3)
      return parts[0].attention(keys: parts[1], values: parts[2], heads: heads, bias: bias, dropout: dropout)
    }
    let x = self, y = fresh([n, t, width]), parts = rows(heads, of: 3)
    let product = AttentionProduct(
      images: n, heads: heads, q: parts[0], k: parts[1], v: parts[2], scale: 1 / Double(width / heads).squareRoot(),
      bias: bias.map { BroadcastBias($0, in: [n, heads, t, t], "selfAttention") }, dropout: dropout)
    product.runCounted(into: y.rows(heads))
    return y.recorded(.attention, from: [x]) { dy in
      guard !Recording.isOn else {
        let parts = x.split(-1, into: 3)
        return [concatenate(Self.attentionGradients(parts, dy, heads, bias, dropout), axis: -1)]
      }
      let dx = x.fresh(), gradients = dx.rows(heads, of: 3)
      product.runBackwardCounted(dy.rows(heads), dq: gradients[0], dk: gradients[1], dv: gradients[2])
      return [dx]
    }
  }

  private func requireFactors(_ dropout: DropoutMask?, _ count: Int, _ op: String) {
    if let dropout { require(dropout.count == count, "\(op): dropout's factors are for \(dropout.count) weights, there are \(count)") }
  }

  /// The gradients of queries, keys and values (`inputs`), in recorded ops.
  private static func attentionGradients(
    _ inputs: [Tensor], _ dy: Tensor, _ heads: Int, _ bias: Tensor?, _ dropout: DropoutMask?
  ) -> [Tensor] {
    let parts = inputs.map { $0.splitHeads(heads) }, dy = dy.splitHeads(heads)
    let (q, k, v) = (parts[0], parts[1], parts[2])
    let scale = 1 / Double(q.shape[3]).squareRoot()
    let p = q.matmul(k, otherTransposed: true).softmax(scale: scale, bias: bias)
    func dropped(_ x: Tensor) -> Tensor { dropout.map { x.dropped(by: $0) } ?? x }
    let dp = dropped(dy.matmul(v, otherTransposed: true))
    let dz = p * (dp - (dp * p).sum([-1], keepingAxes: true)) * scale
    return [dz.matmul(k), dz.matmul(q, transposed: true), dropped(p).matmul(dy, transposed: true)].map { $0.joinedHeads() }
  }

  /// `[n, t, heads·d]` → `[n, heads, t, d]`.
  package func splitHeads(_ heads: Int) -> Tensor {
    let (n, t, width) = shape3
    return reshaped(to: [n, t, heads, width / heads]).transposed([0, 2, 1, 3])
  }

  /// `[n, heads, t, d]` → `[n, t, heads·d]`.
  package func joinedHeads() -> Tensor {
    let (n, heads, t, depth) = shape4
    return transposed([0, 2, 1, 3]).reshaped(to: [n, t, heads * depth])
  }

  private func rows(_ heads: Int) -> HeadView { rows(heads, of: 1)[0] }

  /// The equal parts that lie side by side in `[n, t, parts·heads·d]`.
  private func rows(_ heads: Int, of parts: Int) -> [HeadView] {
    let (_, t, row) = shape3, width = row / parts
    return (0..<parts).map { HeadView(tensor: self, start: $0 * width, row: row, tokens: t, depth: width / heads) }
  }
}

extension AttentionProduct {
  fileprivate func runCounted(into y: HeadView) {
    Profiler.count(flops: 2 * (scoreMultiplyAdds + sumMultiplyAdds))
    run(into: y)
  }

  /// The scores are computed once more; then every product has two gradients.
  fileprivate func runBackwardCounted(_ dy: HeadView, dq: HeadView, dk: HeadView, dv: HeadView) {
    Profiler.count(flops: 2 * (3 * scoreMultiplyAdds + 2 * sumMultiplyAdds))
    runBackward(dy, dq: dq, dk: dk, dv: dv)
  }
}
