import Tensors

/// What two tensors differ in: nil if every element of `found` is within `absolute + relative · |expected|` of `expected`, else a message with
/// the shape, the first bad index, both values there, and the largest errors.
///
/// ```swift
/// #expect(difference(y, expected, relative: 1e-10) == nil)
/// ```
public func difference(_ found: Tensor, _ expected: Tensor, absolute: Double = 0, relative: Double = 0) -> String? {
  guard found.shape == expected.shape else { return "shape \(found.shape), expected \(expected.shape)" }
  let a = found.doubles, b = expected.doubles
  var firstBad: Int?, bad = 0, largest = 0.0, largestRelative = 0.0
  for i in a.indices where a[i] != b[i] && !(a[i].isNaN && b[i].isNaN) {
    let error = abs(a[i] - b[i])
    largest = max(largest, error)
    largestRelative = max(largestRelative, error / abs(b[i]))
    guard !(error <= absolute + relative * abs(b[i])) else { continue }  // NaN is bad, too
    bad += 1
    firstBad = firstBad ?? i
  }
  guard let firstBad else { return nil }
  return "shape \(found.shape): \(bad) of \(a.count) elements differ, first at \(indices(of: firstBad, in: found.shape)): "
    + "\(a[firstBad]), expected \(b[firstBad]); largest error \(largest), relative \(largestRelative)"
}

/// The position of an element in row-major order, as one index per axis.
private func indices(of place: Int, in shape: [Int]) -> [Int] {
  var rest = place
  return shape.reversed().map { length in
    defer { rest /= max(length, 1) }
    return rest % max(length, 1)
  }.reversed()
}
