import Base
import CKernels

/// Broadcasting of two shapes: aligned at the last axis, axes of length 1 repeat (NumPy's rule).
struct BroadcastStrides {
  /// The resulting shape.
  let shape: [Int]
  /// Collapsed axes, outermost first, with the stride of each operand; at least two.
  private(set) var axes: [(length: Int, a: Int, b: Int)] = []

  init(_ a: [Int], _ b: [Int], op: String) {
    let rank = max(a.count, b.count)
    let paddedA = Array(repeating: 1, count: rank - a.count) + a
    let paddedB = Array(repeating: 1, count: rank - b.count) + b
    var shape: [Int] = []
    for (m, n) in zip(paddedA, paddedB) {
      require(m == n || m == 1 || n == 1, "\(op): shapes \(a) and \(b) do not match; axes must be equal or 1")
      shape.append(m == 1 ? n : m)
    }
    self.shape = shape
    let stridesA = BroadcastStrides.strides(of: paddedA), stridesB = BroadcastStrides.strides(of: paddedB)
    for i in 0..<rank where shape[i] != 1 {
      let axis = (length: shape[i], a: stridesA[i], b: stridesB[i])
      if let last = axes.last, last.a == axis.a * axis.length, last.b == axis.b * axis.length {
        axes[axes.count - 1] = (last.length * axis.length, axis.a, axis.b)
      } else {
        axes.append(axis)
      }
    }
    while axes.count < 2 { axes.insert((1, 0, 0), at: 0) }
  }

  /// Row-major strides, 0 on axes of length 1.
  private static func strides(of shape: [Int]) -> [Int] {
    var strides = rowMajorStrides(shape)
    for i in shape.indices where shape[i] == 1 { strides[i] = 0 }
    return strides
  }

  /// The offsets of both operands for row `row`, rows being all axes but the last.
  func offsets(row: Int) -> (a: Int, b: Int) {
    var rest = row, a = 0, b = 0
    for axis in axes.dropLast().reversed() {
      a += rest % axis.length * axis.a
      b += rest % axis.length * axis.b
      rest /= axis.length
    }
    return (a, b)
  }
}

/// Strides in elements of a contiguous row-major array.
func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = Array(repeating: 1, count: shape.count)
  for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
  return strides
}

extension Tensor {
  /// Applies a kernel of two arguments with broadcasting; a plain value.
  func combined(_ function: apus_binary, _ other: Tensor, _ parameter: Double = 0, op: Op) -> Tensor {
    requireSamePrecision(other, op.rawValue)
    let plan = BroadcastStrides(shape, other.shape, op: op.rawValue)
    let y = fresh(plan.shape)
    guard y.count > 0 else { return y }
    let (a, b, k) = (self, other, kernels)
    let inner = plan.axes[plan.axes.count - 1], middle = plan.axes[plan.axes.count - 2]
    let rows = y.count / inner.length
    if rows == 1 {
      parallelFor(inner.length, grain: 1 << 15) { range in
        let i = range.lowerBound
        k.binary(Int32(function.rawValue), 1, range.count, a.address(i * inner.a), 0, inner.a,
                 b.address(i * inner.b), 0, inner.b, y.address(i), parameter)
      }
      return y
    }
    parallelFor(rows, grain: Swift.max(1, (1 << 15) / inner.length)) { range in
      var row = range.lowerBound
      while row < range.upperBound {  // one call for the rows that share their outer axes
        let end = min(range.upperBound, (row / middle.length + 1) * middle.length)
        let (offsetA, offsetB) = plan.offsets(row: row)
        k.binary(Int32(function.rawValue), end - row, inner.length, a.address(offsetA), middle.a, inner.a,
                 b.address(offsetB), middle.b, inner.b, y.address(row * inner.length), parameter)
        row = end
      }
    }
    return y
  }

  func requireSamePrecision(_ other: Tensor, _ op: String) {
    require(precision == other.precision,
      "\(op): a \(precision.rawValue) and a \(other.precision.rawValue) tensor; convert one with converted(to:)")
  }

  /// Repeats axes of length 1 (and adds leading ones) until the shape is `shape`.
  /// - Gradient: the sum over the repeated axes.
  public func broadcast(to shape: [Int]) -> Tensor {
    guard shape != self.shape else { return self }
    let plan = BroadcastStrides(self.shape, shape, op: "broadcast")
    require(plan.shape == shape, "broadcast: shape \(self.shape) does not fit into \(shape)")
    let source = Array(repeating: 1, count: shape.count - rank) + self.shape
    var strides = rowMajorStrides(source)
    for i in source.indices where source[i] == 1 { strides[i] = 0 }
    let y = fresh(shape)
    copyStrided(shape, from: self, strides, to: y, rowMajorStrides(shape))
    let original = self.shape
    return y.recorded(.broadcast, from: [self]) { dy in [dy.summed(to: original)] }
  }

  /// The sum over the axes along which `shape` was broadcast: undoes broadcasting in gradient rules.
  func summed(to shape: [Int]) -> Tensor {
    guard shape != self.shape else { return self }
    let lead = rank - shape.count
    let axes = (0..<rank).filter { $0 < lead || (shape[$0 - lead] == 1 && self.shape[$0] != 1) }
    return sum(axes, keepingAxes: true).reshaped(to: shape)
  }
}

/// Copies a block of `shape` between strided layouts (strides in elements), in parallel over the outermost long axis.
func copyStrided(
  _ shape: [Int], from x: Tensor, at xStart: Int = 0, _ xStrides: [Int], to y: Tensor, startingAt yStart: Int = 0, _ yStrides: [Int]
) {
  let count = shape.reduce(1, *)
  guard count > 0 else { return }
  require(shape.count <= 8, "copy: shape \(shape) has \(shape.count) axes, at most 8 can be moved; join neighbours with reshaped(to:)")
  guard let axis = shape.firstIndex(where: { $0 > 1 }) else {
    y.address(yStart).copyMemory(from: x.address(xStart), byteCount: x.precision.byteCount)
    return
  }
  let inner = Array(shape[(axis + 1)...])
  let k = x.kernels
  let perSlice = count / shape[axis]
  parallelFor(shape[axis], grain: max(1, (1 << 15) / perSlice)) { range in
    let block = [range.count] + inner
    k.copy(block.count, block, x.address(xStart + range.lowerBound * xStrides[axis]), Array(xStrides[axis...]),
           y.address(yStart + range.lowerBound * yStrides[axis]), Array(yStrides[axis...]))
  }
}
