import Base

extension Tensor {
  /// The elements `indices` of one axis, in that order, repeats allowed. - Gradient: `scatterAdd`.
  public func gathered(_ axis: Int, _ indices: [Int]) -> Tensor {
    let (axis, outer, length, inner) = axisView(axis, "gather")
    requireIndices(indices, below: length, "gather")
    var newShape = shape
    newShape[axis] = indices.count
    let (x, y, places) = (self, fresh(newShape), indices.map(Int64.init))
    parallelFor(outer, grain: Swift.max(1, (1 << 15) / Swift.max(indices.count * inner, 1))) { range in
      x.kernels.gather(x.address(range.lowerBound * length * inner), range.count, length, inner, places, places.count,
                       y.address(range.lowerBound * places.count * inner))
    }
    return y.recorded(.gather, from: [self]) { dy in [dy.scatterAdded(axis, indices, length: length)] }
  }

  /// The slices along an axis in opposite order. - Shape: same. - Gradient: reversed, too.
  public func reversed(_ axis: Int) -> Tensor { gathered(axis, Array((0..<axisView(axis, "reversed").length).reversed())) }

  /// Zeros of `length` along one axis, with element `k` of this tensor added at `indices[k]`: the transpose of `gathered`.
  /// - Gradient: `gathered`. - Numerics: added in the order of `indices`.
  public func scatterAdded(_ axis: Int, _ indices: [Int], length: Int) -> Tensor {
    let (axis, outer, given, inner) = axisView(axis, "scatterAdd")
    require(given == indices.count, "scatterAdd: \(indices.count) indices for axis \(axis) of shape \(shape)")
    requireIndices(indices, below: length, "scatterAdd")
    var newShape = shape
    newShape[axis] = length
    let (x, y, places) = (self, Tensor.zeros(newShape, precision), indices.map(Int64.init))
    parallelFor(outer, grain: Swift.max(1, (1 << 15) / Swift.max(given * inner, 1))) { range in
      x.kernels.scatter_add(x.address(range.lowerBound * given * inner), range.count, length, inner, places, given,
                            y.address(range.lowerBound * length * inner))
    }
    return y.recorded(.scatterAdd, from: [self]) { dy in [dy.gathered(axis, indices)] }
  }

  /// One element of each row of the last axis: row `i`'s element `indices[i]`, rows in row-major order.
  /// - Shape: `[..., columns]` → `[rows]`.
  public func picked(_ indices: [Int]) -> Tensor {
    let columns = shape.last ?? 1
    require(indices.count * columns == count, "picked: \(indices.count) indices for the rows of shape \(shape)")
    requireIndices(indices, below: columns, "picked")
    return reshaped(to: [count]).gathered(0, indices.enumerated().map { $0 * columns + $1 })
  }

  private func axisView(_ axis: Int, _ op: String) -> (axis: Int, outer: Int, length: Int, inner: Int) {
    let axis = normalizedAxes([axis], op)[0]
    return (axis, shape[..<axis].reduce(1, *), shape[axis], shape[(axis + 1)...].reduce(1, *))
  }

  private func requireIndices(_ indices: [Int], below length: Int, _ op: String) {
    if let bad = indices.first(where: { $0 < 0 || $0 >= length }) {
      stop("\(op): index \(bad) is outside 0..<\(length) of shape \(shape)")
    }
  }
}
