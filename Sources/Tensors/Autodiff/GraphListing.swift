/// One op of a recorded graph, as a report shows it.
public struct RecordedOp: Sendable {
  public let op: Op
  /// Shape of the result.
  public let shape: [Int]
  public let precision: Precision
  /// Shapes of the recorded inputs, in order; `nil` where an input was not recorded (data).
  public let inputShapes: [[Int]?]
  /// The leaves among the inputs, and those that were joined to make an input.
  public let leaves: [LeafID]
  /// The algorithm of a convolution or matrix product, for example `winograd F(2x4, 3x3)`; empty for other ops.
  public let algorithm: String

  /// Multiply-adds of the op; 0 for those without products.
  public var multiplyAdds: Int {
    let count = shape.reduce(1, *)
    switch op {
    case .convolution: return inputShapes.count > 1 ? count * (inputShapes[1]?.dropLast().reduce(1, *) ?? 0) : 0
    case .convolutionInputGradient:  // as a layer: a transposed convolution; every input element meets every tap
      return (inputShapes[0] ?? []).reduce(1, *) * (inputShapes[1]?.dropLast().reduce(1, *) ?? 0)
    case .matmul: return (inputShapes[0]?.reduce(1, *) ?? 0) * (shape.last ?? 0)  // m·k elements, each for n columns
    case .attention:  // scores, and sums of values: every query meets every key
      if inputShapes.count == 1 { return 2 * count * shape[1] }
      guard let keys = inputShapes[1] else { return 0 }
      return (shape[0] * shape[1] * keys[2] + count) * keys[1]
    case .localCorrelation:  // each window of s² samples is blended from (s + 1)² products
      let levels = inputShapes.count / 2, side = Int((Double(shape.last ?? 0) / Double(max(levels, 1))).squareRoot().rounded())
      return shape.dropLast().reduce(1, *) * levels * (side + 1) * (side + 1) * (inputShapes.lazy.compactMap { $0?.last }.first ?? 0)
    default: return 0
    }
  }

  /// Multiply-adds of the gradients of its recorded inputs: as many again for each recorded factor of a product.
  public var gradientMultiplyAdds: Int {
    // Attention and correlations are meant with all inputs recorded.
    let factors = op == .attention || op == .localCorrelation ? 2 : inputShapes.prefix(2).count { $0 != nil }
    return factors * multiplyAdds
  }
}

/// The identity of a leaf of the gradient graph.
public struct LeafID: Sendable, Hashable {
  let node: ObjectIdentifier
}

extension Tensor {
  /// The identity of this tensor if it is a leaf.
  public var leafID: LeafID? { node.flatMap { $0.isLeaf ? LeafID(node: ObjectIdentifier($0)) : nil } }

  /// Every op that this tensor was computed with, in the order of computation.
  public var recordedGraph: [RecordedOp] {
    (node.map { BackwardWalk.order(from: $0) } ?? []).compactMap { node in
      guard let op = node.op else { return nil }
      let parents = node.parents
      return RecordedOp(
        op: op, shape: node.shape, precision: node.precision, inputShapes: parents.map { $0?.shape },
        leaves: node.isJoinOfLeaves ? [] : parents.flatMap { $0?.joinedLeaves ?? [] },
        algorithm: node.algorithm.map { "\($0)" } ?? "")
    }
  }
}

extension Node {
  /// Whether this node only puts leaves side by side, as layers do whose weights serve in one product.
  fileprivate var isJoinOfLeaves: Bool { op == .concatenate && parents.allSatisfy { $0?.isLeaf ?? false } }

  /// The leaf that this node is, or the leaves that it joins.
  fileprivate var joinedLeaves: [LeafID] {
    if isLeaf { return [LeafID(node: ObjectIdentifier(self))] }
    return isJoinOfLeaves ? parents.compactMap { $0.map { LeafID(node: ObjectIdentifier($0)) } } : []
  }
}
