import Base
import CKernels

extension Tensor {
  /// `softmax(scale · x + bias)` along the last axis, in one pass: attention weights from scores.
  /// - Shape: `[..., s]`, bias broadcast to it → same.
  /// - Parameter bias: 0 where attention is allowed, -∞ where it is not; a row of -∞ gives NaN, as in PyTorch.
  /// - Gradient: with `g = y · (dy - Σ dy·y)`: `scale · g`, and `g` to the bias.
  public func softmax(scale: Double, bias: Tensor?) -> Tensor {
    guard rank > 0, count > 0 else { return bias.map { self * scale + $0 }?.softmax() ?? (self * scale).softmax() }
    let columns = shape[rank - 1], rows = rank > 1 ? shape[rank - 2] : 1, planes = count / (rows * columns)
    if let bias { requireSamePrecision(bias, "softmax") }
    let rowsOfBias = bias.map { BroadcastBias($0, in: shape, "softmax") }
    let (x, y) = (self, fresh())
    parallelFor(planes * rows, grain: Swift.max(1, (1 << 14) / columns)) { range in
      var row = range.lowerBound
      while row < range.upperBound {  // one call for the rows of one plane
        let plane = row / rows, end = Swift.min(range.upperBound, (plane + 1) * rows)
        let added = rowsOfBias.map { $0.tensor.address($0.places[plane] + (row - plane * rows) * $0.row) }
        y.kernels.scaled_softmax(x.address(row * columns), scale, added, rowsOfBias?.row ?? 0, end - row, columns, y.address(row * columns))
        row = end
      }
    }
    let whole = rowsOfBias?.tensor
    let parents = [x] + (whole.map { [$0] } ?? [])
    return y.recordedWithOutput(.softmax, from: parents) { dy, y in
      let g = Recording.isOn ? y * (dy - (dy * y).sum([-1], keepingAxes: true))
        : y.byRows(with: dy) { k, y, dy, dx, rows, columns in k.softmax_backward(dy, y, rows, columns, dx) }
      let dx = x.needsGradient ? (scale == 1 ? g : g * scale) : nil
      return [dx] + (whole.map { [$0.needsGradient ? g.summed(to: $0.shape) : nil] } ?? [])
    }
  }
}

/// A tensor broadcast to a stack of planes `[rows, columns]`, each of whose rows is read where it lies.
struct BroadcastBias {
  /// With columns of its own, the other axes as given.
  let tensor: Tensor
  /// The offset of each plane.
  let places: [Int]
  /// Elements from one row to the next: 0 if all have the same.
  let row: Int

  init(_ bias: Tensor, in shape: [Int], _ op: String) {
    let rank = shape.count, columns = shape[rank - 1]
    let padded = Array(repeating: 1, count: Swift.max(0, rank - bias.rank)) + bias.shape
    require(padded.count == rank && zip(padded, shape).allSatisfy { $0 == 1 || $0 == $1 },
      "\(op): bias of shape \(bias.shape) does not fit to \(shape)")
    tensor = bias.shape.last == columns ? bias : bias.broadcast(to: Array(bias.shape.dropLast()) + [columns])
    var strides = rowMajorStrides(padded.dropLast() + [columns])
    for axis in padded.indices where padded[axis] == 1 { strides[axis] = 0 }
    places = (0..<shape.dropLast(2).reduce(1, *)).map { plane in
      var rest = plane, place = 0
      for axis in (0..<Swift.max(0, rank - 2)).reversed() {
        place += rest % shape[axis] * strides[axis]
        rest /= shape[axis]
      }
      return place
    }
    row = rank > 1 ? strides[rank - 2] : 0
  }
}
