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
      BackwardWalk(isReleasing: !recording && !keepingGraph).run(from: root, seed: seed)
    }
  }

  /// The ops in this tensor's graph.
  public var recordedOps: Set<Op> { Set(node.map { BackwardWalk.order(from: $0).compactMap(\.op) } ?? []) }
}

/// One pass from an output back to the leaves, in the opposite order of the forward computation.
struct BackwardWalk {
  let isReleasing: Bool

  /// All nodes that `root` depends on, oldest first.
  static func order(from root: Node) -> [Node] {
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
    var found = [root], next = 0
    while next < found.count {
      for case let parent? in found[next].parents where seen.insert(ObjectIdentifier(parent)).inserted { found.append(parent) }
      next += 1
    }
    return found.sorted { $0.serial < $1.serial }
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
      guard let rule = node.rule else {
        stop("gradients: the graph of '\(node.op?.rawValue ?? "")' was already walked and freed; pass keepingGraph: true the first time")
      }
      let parents = node.parents
      if !Recording.isOn, let contributions = node.contributions {
        contribute(contributions(dy), into: parents, &pending)
      } else {
        accumulate(rule(dy, node), of: node, into: parents, &pending)
      }
      if isReleasing { node.release() }
    }
    return result
  }

  private func contribute(_ contributions: [Contribution?], into parents: [Node?], _ pending: inout [ObjectIdentifier: Tensor]) {
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
    _ gradients: [Tensor?], of node: Node, into parents: [Node?], _ pending: inout [ObjectIdentifier: Tensor]
  ) {
    require(gradients.count == parents.count,
      "\(node.op?.rawValue ?? ""): its rule gave \(gradients.count) gradients for \(parents.count) parents")
    for case (let parent?, let gradient?) in zip(parents, gradients) {
      require(gradient.shape == parent.shape && gradient.precision == parent.precision,
        "\(node.op?.rawValue ?? ""): gradient of shape \(gradient.shape) (\(gradient.precision.rawValue)) "
          + "for a parent of shape \(parent.shape) (\(parent.precision.rawValue))")
      let id = ObjectIdentifier(parent)
      guard var total = pending.removeValue(forKey: id) else {
        pending[id] = gradient
        continue
      }
      add(gradient, to: &total)
      pending[id] = total
    }
  }

  /// Adds in the memory of `total` where nobody else needs it.
  private func add(_ gradient: Tensor, to total: inout Tensor) {
    guard !Recording.isOn else {
      total = total + gradient
      return
    }
    total.updateInPlace { total in
      parallelFor(total.count, grain: 1 << 16) {
        total.kernels.accumulate(gradient.address($0.lowerBound), total.address($0.lowerBound), $0.count)
      }
    }
  }
}
