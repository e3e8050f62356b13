import Base

extension Tensor {
  /// The gradients of this scalar with respect to every tracked tensor it depends on, by one walk back through the graph.
  ///
  /// Saved activations are freed as the walk passes them, so a graph is walked once.
  /// - Parameters:
  ///   - recording: also record the walk itself, so that the gradients can be differentiated again. The graph is then kept.
  ///   - keepingGraph: keep the graph for another walk.
  /// - Precondition: this is a scalar (one element) that was recorded.
  public func gradients(recording: Bool = false, keepingGraph: Bool = false) -> Gradients {
    require(count == 1, "gradients: a scalar is needed, got shape \(shape); reduce it with sum() or mean()")
    return gradients(seed: Tensor(filling: shape, with: 1, precision: precision), recording: recording, keepingGraph: keepingGraph)
  }

  /// The vector-Jacobian product `seedᵀ · ∂self/∂leaf` for every tracked tensor this one depends on.
  public func gradients(seed: Tensor, recording: Bool = false, keepingGraph: Bool = false) -> Gradients {
    guard let root = node else { stop("gradients: nothing was recorded; does the value depend on a tracked tensor?") }
    require(seed.shape == shape, "gradients: seed of shape \(seed.shape) for a value of shape \(shape)")
    return Recording.$isOn.withValue(recording) {
      Profiler.span("backward") { BackwardWalk(isReleasing: !recording && !keepingGraph).run(from: root, seed: seed) }
    }
  }

  /// The ops in this tensor's graph.
  public var recordedOps: Set<Op> { Set(node.map { BackwardWalk.order(from: $0).compactMap(\.op) } ?? []) }
}

/// One pass from an output back to the leaves, in the opposite order of the forward computation.
struct BackwardWalk {
  let isReleasing: Bool

  /// All nodes that `root` depends on, oldest first; those numbered `first` and above, if there is a limit.
  static func order(from root: Node, madeFrom first: Int = 0) -> [Node] {
    reachable(from: root, first).filter { $0.serial >= first }.sorted { $0.serial < $1.serial }
  }

  /// The youngest nodes numbered below `first` that `root` depends on, oldest first.
  static func nodes(from root: Node, madeBefore first: Int) -> [Node] {
    reachable(from: root, first).filter { $0.serial < first }.sorted { $0.serial < $1.serial }
  }

  /// `root` and what it depends on, but nothing beyond nodes numbered below `first`.
  private static func reachable(from root: Node, _ first: Int) -> [Node] {
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
    var found = [root], next = 0
    while next < found.count {
      defer { next += 1 }
      guard found[next].serial >= first else { continue }
      for case let parent? in found[next].parents where seen.insert(ObjectIdentifier(parent)).inserted { found.append(parent) }
    }
    return found
  }

  func run(from root: Node, seed: Tensor) -> Gradients {
    var result = Gradients()
    var pending: [ObjectIdentifier: Tensor] = [ObjectIdentifier(root): seed]
    var order = Self.order(from: root)
    while let node = order.popLast() {
      guard let dy = pending.removeValue(forKey: ObjectIdentifier(node)) else { continue }
      if node.isLeaf {
        result.insert(dy, for: node)
        continue
      }
      if let recomputation = node.recomputation {
        order += again(recomputation, dy, &pending)
        if isReleasing { node.release() }
        continue
      }
      if !Recording.isOn, let contributions = node.contributions {
        Profiler.asOne { contribute(contributions(dy), into: node.parents, &pending) }
        Profiler.end(backwardOf: node.op, from: dy, to: [])
      } else {
        let gradients = Profiler.asOne { Self.gradients(of: node, dy) }
        Profiler.end(backwardOf: node.op, from: dy, to: gradients)
        accumulate(gradients, of: node, into: node.parents, &pending)
      }
      if isReleasing { Profiler.releasing { node.release() } }
    }
    return result
  }

  /// Runs a block once more; its new nodes are all younger than what is left to walk, and come next.
  private func again(_ recomputation: Node.Recomputation, _ dy: Tensor, _ pending: inout [ObjectIdentifier: Tensor]) -> [Node] {
    let first = Node.nextSerial
    let y = Recording.$isOn.withValue(true) { Profiler.span("recompute", recomputation) }
    guard let root = y.node, y.shape == dy.shape else { stop("recomputed: the block gave another result when it ran again, shape \(y.shape)") }
    pending[ObjectIdentifier(root)] = dy
    return Self.order(from: root, madeFrom: first)
  }

  private static func gradients(of node: Node, _ dy: Tensor) -> [Tensor?] {
    guard let rule = node.rule else {
      stop("gradients: the graph of '\(node.op?.rawValue ?? "")' was already walked and freed; pass keepingGraph: true the first time")
    }
    return rule(dy, node)
  }

  /// Adds to the gradients of the parents in place.
  private func contribute(
    _ contributions: [Contribution?], into parents: [Node?], _ pending: inout [ObjectIdentifier: Tensor]
  ) {
    for case (let parent?, let contribution?) in zip(parents, contributions) {
      let id = ObjectIdentifier(parent)
      guard var total = pending.removeValue(forKey: id) else {
        pending[id] = contribution.make()
        continue
      }
      total.updateInPlace(contribution.add)
      pending[id] = total
    }
  }

  private func accumulate(
    _ gradients: consuming [Tensor?], of node: Node, into parents: [Node?], _ pending: inout [ObjectIdentifier: Tensor]
  ) {
    require(gradients.count == parents.count,
      "\(node.op?.rawValue ?? ""): its rule gave \(gradients.count) gradients for \(parents.count) parents")
    for i in parents.indices {
      guard let parent = parents[i], var gradient = gradients[i].take() else { continue }
      require(gradient.shape == parent.shape && gradient.precision == parent.precision,
        "\(node.op?.rawValue ?? ""): gradient of shape \(gradient.shape) (\(gradient.precision.rawValue)) "
          + "for a parent of shape \(parent.shape) (\(parent.precision.rawValue))")
      let id = ObjectIdentifier(parent)
      if var sum = pending.removeValue(forKey: id) {
        add(&gradient, to: &sum)
        Profiler.endAccumulation(of: sum)
        pending[id] = sum
      } else {
        pending[id] = gradient
      }
    }
  }

  /// The sum, in the memory of either where nobody else needs it.
  private func add(_ gradient: inout Tensor, to sum: inout Tensor) {
    guard !Recording.isOn else {
      sum = sum + gradient
      return
    }
    if !sum.isUnique, gradient.isUnique { swap(&gradient, &sum) }  // addition commutes, bit for bit
    let other = gradient
    sum.updateInPlace { total in
      parallelFor(total.count, grain: 1 << 16) {
        total.kernels.accumulate(other.address($0.lowerBound), total.address($0.lowerBound), $0.count)
      }
    }
  }
}
