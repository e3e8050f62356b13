import Base

// Moving elements without computing: reshape shares memory, everything else writes a fresh contiguous tensor.

extension Tensor {
  /// The same elements under another shape; one axis may be -1 and is inferred. Shares memory. - Gradient: reshaped back.
  public func reshaped(to shape: [Int]) -> Tensor {
    var shape = shape
    if let free = shape.firstIndex(of: -1) {
      let known = shape.reduce(-1, *)
      require(known > 0 && count % known == 0, "reshape: cannot infer the free axis of \(shape) for \(count) elements")
      shape[free] = count / known
    }
    guard shape != self.shape else { return self }
    require(shape.reduce(1, *) == count && !shape.contains { $0 < 0 },
      "reshape: shape \(self.shape) has \(count) elements, \(shape) would hold \(shape.reduce(1, *))")
    let original = self.shape
    return viewed(shape).recorded(.reshape, from: [self]) { dy in [dy.reshaped(to: original)] }
  }

  /// The same memory under another shape, without graph.
  func viewed(_ shape: [Int]) -> Tensor { Tensor(shape: shape, storage: storage) }

  /// The axes in another order: axis `i` of the result is axis `axes[i]` of this tensor. - Gradient: the inverse permutation.
  public func transposed(_ axes: [Int]) -> Tensor {
    require(axes.sorted() == Array(0..<rank), "transposed: \(axes) is not an order of the \(rank) axes of \(shape)")
    guard axes != Array(0..<rank) else { return self }
    let strides = rowMajorStrides(shape), newShape = axes.map { shape[$0] }
    let y = fresh(newShape)
    copyStrided(newShape, from: self, axes.map { strides[$0] }, to: y, rowMajorStrides(newShape))
    var inverse = axes
    for (i, axis) in axes.enumerated() { inverse[axis] = i }
    return y.recorded(.transpose, from: [self]) { [inverse] dy in [dy.transposed(inverse)] }
  }

  /// The elements `range` of one axis. - Gradient: `dy`, padded with zeros.
  public func sliced(_ axis: Int, _ range: Range<Int>) -> Tensor {
    let axis = normalizedAxes([axis], "sliced")[0]
    require(range.lowerBound >= 0 && range.upperBound <= shape[axis], "sliced: \(range) of axis \(axis) in shape \(shape)")
    guard range != 0..<shape[axis] else { return self }
    var newShape = shape
    newShape[axis] = range.count
    let strides = rowMajorStrides(shape), y = fresh(newShape), after = shape[axis] - range.upperBound
    copyStrided(newShape, from: self, at: range.lowerBound * strides[axis], strides, to: y, rowMajorStrides(newShape))
    let rows = shape[..<axis].reduce(1, *), row = shape[axis] * strides[axis], run = range.count * strides[axis]
    return y.recorded(.slice, from: [self], rule: { dy in [dy.padded(axis, before: range.lowerBound, after: after)] }) { dy in
      [GradientAccumulation(make: { dy.padded(axis, before: range.lowerBound, after: after) }) { total in
        total.addRows(rows, run, offset: range.lowerBound * strides[axis], stride: row, dy, otherOffset: 0, otherStride: run)
      }]
    }
  }

  /// `value` added before and after the elements of one axis. - Gradient: the slice that was there before.
  public func padded(_ axis: Int, before: Int, after: Int, with value: Double = 0) -> Tensor {
    let axis = normalizedAxes([axis], "padded")[0]
    require(before >= 0 && after >= 0, "padded: \(before) before and \(after) after; use sliced to take away")
    guard before + after > 0 else { return self }
    var newShape = shape
    newShape[axis] += before + after
    let y = Tensor(filling: newShape, with: value, precision: precision)
    let strides = rowMajorStrides(newShape), length = shape[axis]
    copyStrided(shape, from: self, rowMajorStrides(shape), to: y, startingAt: before * strides[axis], strides)
    return y.recorded(.pad, from: [self]) { dy in [dy.sliced(axis, before..<before + length)] }
  }

  /// Equal parts along one axis.
  public func split(_ axis: Int, into parts: Int) -> [Tensor] {
    let axis = normalizedAxes([axis], "split")[0]
    require(parts > 0 && shape[axis] % parts == 0, "split: axis \(axis) of shape \(shape) into \(parts) equal parts")
    return split(axis, sizes: Array(repeating: shape[axis] / parts, count: parts))
  }

  /// Parts of the given sizes along one axis.
  public func split(_ axis: Int, sizes: [Int]) -> [Tensor] {
    let axis = normalizedAxes([axis], "split")[0]
    require(sizes.reduce(0, +) == shape[axis], "split: sizes \(sizes) of axis \(axis) in shape \(shape)")
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return sliced(axis, start..<start + size)
    }
  }

  // Shapes by name, for destructuring at the top of a layer.
  public var shape2: (Int, Int) { requireRank(2); return (shape[0], shape[1]) }
  public var shape3: (Int, Int, Int) { requireRank(3); return (shape[0], shape[1], shape[2]) }
  public var shape4: (Int, Int, Int, Int) { requireRank(4); return (shape[0], shape[1], shape[2], shape[3]) }

  private func requireRank(_ expected: Int, _ op: String = #function) {
    require(rank == expected, "\(op): expected \(expected) axes, got shape \(shape)")
  }
}

/// The tensors side by side along `axis`. - Shape: equal but for that axis. - Gradient: the slices of `dy`.
public func concatenate(_ tensors: [Tensor], axis: Int) -> Tensor {
  guard let first = tensors.first else { stop("concatenate: no tensors") }
  let axis = first.normalizedAxes([axis], "concatenate")[0]
  var shape = first.shape
  shape[axis] = 0
  for tensor in tensors {
    first.requireSamePrecision(tensor, "concatenate")
    var expected = tensor.shape
    if axis < expected.count { expected[axis] = shape[axis] }
    require(expected == shape, "concatenate: shapes \(tensors.map(\.shape)) must be equal but for axis \(axis)")
    shape[axis] += tensor.shape[axis]
  }
  let y = first.fresh(shape), strides = rowMajorStrides(shape)
  var start = 0
  for tensor in tensors {
    copyStrided(tensor.shape, from: tensor, rowMajorStrides(tensor.shape), to: y, startingAt: start * strides[axis], strides)
    start += tensor.shape[axis]
  }
  let sizes = tensors.map { $0.shape[axis] }, inputs = tensors.map(\.withoutElements)
  let rows = shape[..<axis].reduce(1, *), row = shape[axis] * strides[axis]
  return y.recorded(.concatenate, from: tensors, rule: { dy in dy.split(axis, sizes: sizes) }) { dy in
    var start = 0
    return zip(sizes, inputs).map { size, input in
      let range = start..<start + size, run = size * strides[axis]
      start += size
      guard input.ifNeeded != nil else { return nil }
      return GradientAccumulation(make: { dy.sliced(axis, range) }) { total in
        total.addRows(rows, run, offset: 0, stride: run, dy, otherOffset: range.lowerBound * strides[axis], otherStride: row)
      }
    }
  }
}
