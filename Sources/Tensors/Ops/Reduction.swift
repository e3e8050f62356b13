import Base
import CKernels

extension Tensor {
  /// The sum over `axes` (all of them if `nil`; negative axes count from the end).
  /// - Shape: the axes vanish, or become 1 with `keepingAxes`. - Gradient: `dy`, repeated.
  /// - Numerics: blocks of fixed size are summed apart, then together: the same bits for any number of threads.
  public func sum(_ axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let (kept, final, axes) = reducedShapes(axes, "sum", keepingAxes)
    let shape = self.shape
    return reduced(axes) { x, outer, reduced, inner in x.summedMiddle(outer, reduced, inner) }
      .viewed(final)
      .recorded(.sum, from: [self]) { dy in [dy.reshaped(to: kept).broadcast(to: shape)] }
  }

  /// The arithmetic mean over `axes` (all of them if `nil`).
  public func mean(_ axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let total = sum(axes, keepingAxes: keepingAxes)
    return total * (Double(total.count) / Double(count))
  }

  /// The largest element over `axes` (all of them if `nil`). NaN wins.
  /// - Gradient: `dy` to the largest, shared equally among equal ones (as PyTorch's `amax`).
  public func max(_ axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let (kept, final, axes) = reducedShapes(axes, "max", keepingAxes)
    require(axes.allSatisfy { shape[$0] > 0 }, "max: shape \(shape) has no elements")
    return reduced(axes) { x, outer, reduced, inner in
      let y = x.fresh([outer, inner])
      parallelFor(outer, grain: Swift.max(1, (1 << 15) / Swift.max(reduced * inner, 1))) { range in
        x.kernels.maximum(x.address(range.lowerBound * reduced * inner), range.count, reduced, inner, y.address(range.lowerBound * inner))
      }
      return y
    }
    .viewed(final)
    .recordedWithOutput(.max, from: [self]) { dy, y in
      let isLargest = self.isEqual(to: y.reshaped(to: kept).detached())
      let share = isLargest / isLargest.sum(axes, keepingAxes: true)
      return [share * dy.reshaped(to: kept)]
    }
  }

  /// The index of the first largest element of each row of the last axis, in row-major order. Not differentiable.
  public func argmax() -> [Int] {
    let columns = shape.last ?? 1
    let values = doubles
    return (0..<count / Swift.max(columns, 1)).map { row in
      (1..<Swift.max(columns, 1)).reduce(0) { values[row * columns + $1] > values[row * columns + $0] ? $1 : $0 }
    }
  }

  /// Axes counted from the front, in ascending order.
  func normalizedAxes(_ axes: [Int]?, _ op: String) -> [Int] {
    let result = (axes ?? Array(0..<rank)).map { $0 < 0 ? $0 + rank : $0 }.sorted()
    for (i, axis) in result.enumerated() {
      require((0..<rank).contains(axis) && (i == 0 || result[i - 1] != axis), "\(op): axes \(axes ?? []) of a tensor of shape \(shape)")
    }
    return result
  }

  private func reducedShapes(_ axes: [Int]?, _ op: String, _ keeping: Bool) -> (kept: [Int], final: [Int], axes: [Int]) {
    let axes = normalizedAxes(axes, op)
    let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
    return (kept, keeping ? kept : shape.indices.filter { !axes.contains($0) }.map { shape[$0] }, axes)
  }

  /// Reduces runs of neighbouring axes one after the other, last run first, each seen as `[outer, reduced, inner]`.
  private func reduced(_ axes: [Int], _ reduce: (_ x: Tensor, _ outer: Int, _ reduced: Int, _ inner: Int) -> Tensor) -> Tensor {
    var x = detached(), shape = self.shape, rest = axes
    while let last = rest.last {
      var first = last
      while let previous = rest.dropLast(last - first + 1).last, previous == first - 1 { first = previous }
      rest.removeLast(last - first + 1)
      let outer = shape[..<first].reduce(1, *), reduced = shape[first...last].reduce(1, *), inner = shape[(last + 1)...].reduce(1, *)
      x = reduce(x, outer, reduced, inner)
      shape.replaceSubrange(first...last, with: Array(repeating: 1, count: last - first + 1))
    }
    return x
  }

  /// `[outer, reduced, inner]` → `[outer, inner]`, in blocks of `2¹⁴` elements of the reduced axis's slab: 16 rows if they are long.
  private func summedMiddle(_ outer: Int, _ reduced: Int, _ inner: Int) -> Tensor {
    let block = Swift.max(16, (1 << 14) / Swift.max(inner, 1))
    guard reduced > 2 * block else {
      let (x, y) = (self, fresh([outer, inner]))
      parallelFor(outer, grain: Swift.max(1, (1 << 15) / Swift.max(reduced * inner, 1))) { range in
        x.kernels.sum(x.address(range.lowerBound * reduced * inner), range.count, reduced, inner, y.address(range.lowerBound * inner))
      }
      return y
    }
    let blocks = (reduced + block - 1) / block
    let (x, partial) = (self, fresh([outer, blocks, inner]))
    parallelFor(outer * blocks) { range in
      for task in range {
        let first = task % blocks * block, length = Swift.min(block, reduced - first)
        x.kernels.sum(x.address((task / blocks * reduced + first) * inner), 1, length, inner, partial.address(task * inner))
      }
    }
    return partial.summedMiddle(outer, blocks, inner)
  }
}
