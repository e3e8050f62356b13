/// An op's share in the gradient of one parent; it need not be a tensor of its own.
///
/// The first contribution to a parent is made; further ones are added to it in place. A slice adds to its range of the gradient and a
/// lookup to the cells that it read, where a tensor of the parent's shape would be mostly zeros.
struct GradientAccumulation {
  /// A fresh tensor of the parent's shape.
  let make: () -> Tensor
  /// Adds to a gradient of the parent's shape.
  let add: (_ total: Tensor) -> Void

  /// - Parameter add: called with a tensor of zeros for the first contribution.
  static func onto(zeros shape: [Int], _ precision: Precision, add: @escaping (_ total: Tensor) -> Void) -> GradientAccumulation {
    GradientAccumulation(make: {
      let total = Tensor.zeros(shape, precision)
      add(total)
      return total
    }, add: add)
  }
}

extension Tensor {
  /// As `recorded`, with contributions that serve when the walk itself is not recorded.
  func recorded(
    _ op: Op, from parents: [Tensor], rule: @escaping @Sendable (_ dy: Tensor) -> [Tensor?],
    contributions: @escaping @Sendable (_ dy: Tensor) -> [GradientAccumulation?]
  ) -> Tensor {
    Profiler.end(op, from: parents, to: self)
    guard parents.contains(where: \.isRecorded), Recording.isOn else { return self }
    let node = Node(op, shape: shape, precision: precision, parents: parents.map(\.node), rule: { dy, _ in rule(dy) },
                    contributions: contributions)
    return Tensor(shape: shape, storage: storage, node: node)
  }

  /// Adds `other` to the elements of this tensor that start `offset` elements into each row; rows are `stride` apart here, and
  /// `otherStride` apart in `other`, from `otherOffset` on.
  func addRows(_ rows: Int, _ columns: Int, offset: Int, stride: Int, _ other: Tensor, otherOffset: Int, otherStride: Int) {
    let y = self
    parallelFor(rows, grain: Swift.max(1, (1 << 15) / Swift.max(columns, 1))) { range in
      y.kernels.accumulate_rows(other.address(otherOffset + range.lowerBound * otherStride), otherStride, range.count, columns, stride,
                                y.address(offset + range.lowerBound * stride))
    }
  }
}
