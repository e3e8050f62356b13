import Base

extension Tensor {
  /// `y = eˣ / Σ eˣ` along one axis (the last by default). - Gradient: `y · (dy - Σ dy·y)`.
  /// - Numerics: the largest element is subtracted first; a row of -∞ gives NaN, as in PyTorch.
  public func softmax(_ axis: Int = -1) -> Tensor {
    alongLast(axis, "softmax") { x in
      x.byRows { k, from, to, rows, columns in k.softmax(from, rows, columns, to) }
        .recordedWithOutput(.softmax, from: [x]) { dy, y in
          guard !Recording.isOn else { return [y * (dy - (dy * y).sum([-1], keepingAxes: true))] }
          return [y.byRows(with: dy) { k, y, dy, dx, rows, columns in k.softmax_backward(dy, y, rows, columns, dx) }]
        }
    }
  }

  /// `y = x - log Σ eˣ` along one axis (the last by default), without overflow. - Gradient: `dy - eʸ · Σ dy`.
  public func logSoftmax(_ axis: Int = -1) -> Tensor {
    alongLast(axis, "logSoftmax") { x in
      x.byRows { k, from, to, rows, columns in k.log_softmax(from, rows, columns, to) }
        .recordedWithOutput(.logSoftmax, from: [x]) { dy, y in
          guard !Recording.isOn else { return [dy - y.exp() * dy.sum([-1], keepingAxes: true)] }
          return [y.byRows(with: dy) { k, y, dy, dx, rows, columns in k.log_softmax_backward(dy, y, rows, columns, dx) }]
        }
    }
  }

  /// `log Σ eˣ` along the last axis, which vanishes, without overflow.
  public func logSumExp() -> Tensor {
    require(shape.last ?? 1 > 0, "logSumExp: shape \(shape) has rows of no elements")
    guard count > 0 else { return sum([-1]) }
    let largest = detached().max([-1], keepingAxes: true)
    return (self - largest).exp().sum([-1]).log() + largest.reshaped(to: Array(shape.dropLast()))
  }

  /// Moves `axis` to the end for `body`, and back.
  private func alongLast(_ axis: Int, _ op: String, _ body: (Tensor) -> Tensor) -> Tensor {
    let axis = normalizedAxes([axis], op)[0]
    guard axis != rank - 1 else { return body(self) }
    var order = Array(0..<rank)
    order.swapAt(axis, rank - 1)
    return body(transposed(order)).transposed(order)
  }
}
