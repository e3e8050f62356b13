/// The gradients of one scalar with respect to the leaves it was computed from, or to the tensors that were asked for.
public struct Gradients: Sendable {
  private var entries: [ObjectIdentifier: (leaf: Node, gradient: Tensor)] = [:]

  /// The gradient with respect to a tracked tensor, or one that was asked for; `nil` if the scalar does not depend on it.
  public subscript(leaf: Tensor) -> Tensor? {
    guard let node = leaf.node else { return nil }
    return entries[ObjectIdentifier(node)]?.gradient
  }

  /// The same gradients with NaN as 0 and infinities as `±infinity`, and how many numbers were replaced.
  public func replacingNonFinite(infinity: Double) -> (gradients: Gradients, count: Int) {
    var result = self
    var count = 0
    for (leaf, gradient) in entries.values where !gradient.isFinite {
      count += gradient.doubles.count { !$0.isFinite }
      let values = gradient.doubles.map { $0.isNaN ? 0 : $0.isInfinite ? ($0 > 0 ? infinity : -infinity) : $0 }
      result.insert(Tensor(values, shape: gradient.shape, precision: gradient.precision), for: leaf)
    }
    return (result, count)
  }

  mutating func insert(_ gradient: Tensor, for leaf: Node) {
    entries[ObjectIdentifier(leaf)] = (leaf, gradient)
  }
}
