import CKernels

extension Tensor {
  /// `softmax(scale · x + bias)` along the last axis, in one pass: attention weights from scores.
  /// - Shape: `[..., s]`, bias broadcast to it → same.
  /// - Parameter bias: 0 where attention is allowed, -∞ where it is not; a row of -∞ gives NaN, as in PyTorch.
  /// - Gradient: with `g = y · (dy - Σ dy·y)`: `scale · g`, and `g` to the bias.
  public func softmax(scale: Double, bias: Tensor?) -> Tensor {
    guard rank > 0, count > 0 else { return bias.map { self * scale + $0 }?.softmax() ?? (self * scale).softmax() }
    let columns = shape[rank - 1], rows = rank > 1 ? shape[rank - 2] : 1, planes = count / (rows * columns)
    let whole = bias.map { $0.shape.last == columns ? $0 : $0.broadcast(to: Array($0.shape.dropLast()) + [columns]) }
    let (places, biasRow) = whole.map { biasPlaces($0, planes) } ?? (Array(repeating: 0, count: planes), 0)
    let (x, y) = (self, fresh())
    parallelFor(planes * rows, grain: Swift.max(1, (1 << 14) / columns)) { range in
      var row = range.lowerBound
      while row < range.upperBound {  // one call for the rows of one plane
        let plane = row / rows, end = Swift.min(range.upperBound, (plane + 1) * rows)
        y.kernels.scaled_softmax(x.address(row * columns), scale, whole?.address(places[plane] + (row - plane * rows) * biasRow), biasRow,
                                 end - row, columns, y.address(row * columns))
        row = end
      }
    }
    let parents = [x] + (whole.map { [$0] } ?? [])
    return y.recordedWithOutput(.softmax, from: parents) { dy, y in
      let g = Recording.isOn ? y * (dy - (dy * y).sum([-1], keepingAxes: true))
        : y.byRows(with: dy) { k, y, dy, dx, rows, columns in k.softmax_backward(dy, y, rows, columns, dx) }
      return [x.isRecorded ? (scale == 1 ? g : g * scale) : nil] + (whole.map { [$0.isRecorded ? g.summed(to: $0.shape) : nil] } ?? [])
    }
  }

  /// Where the bias of each plane of rows begins, and how far its rows are apart.
  private func biasPlaces(_ bias: Tensor, _ planes: Int) -> (places: [Int], row: Int) {
    requireSamePrecision(bias, "softmax")
    let padded = Array(repeating: 1, count: Swift.max(0, rank - bias.rank)) + bias.shape
    require(padded.count == rank && zip(padded, shape).allSatisfy { $0 == 1 || $0 == $1 },
      "softmax: bias of shape \(bias.shape) does not fit to \(shape)")
    var strides = rowMajorStrides(padded)
    for axis in padded.indices where padded[axis] == 1 { strides[axis] = 0 }
    let places = (0..<planes).map { plane in
      var rest = plane, place = 0
      for axis in (0..<Swift.max(0, rank - 2)).reversed() {
        place += rest % shape[axis] * strides[axis]
        rest /= shape[axis]
      }
      return place
    }
    return (places, rank > 1 ? strides[rank - 2] : 0)
  }
}
