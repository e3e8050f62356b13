/// The gradients of one scalar with respect to the leaves it was computed from, or to the tensors that were asked for.
public struct Gradients: Sendable {
  private var entries: [ObjectIdentifier: (leaf: Node, gradient: Tensor)] = [:]

  /// The gradient with respect to a tracked tensor, or one that was asked for; `nil` if the scalar does not depend on it.
  public subscript(leaf: Tensor) -> Tensor? {
    guard let node = leaf.node else { return nil }
    return entries[ObjectIdentifier(node)]?.gradient
  }

  mutating func insert(_ gradient: Tensor, for leaf: Node) {
    entries[ObjectIdentifier(leaf)] = (leaf, gradient)
  }
}
