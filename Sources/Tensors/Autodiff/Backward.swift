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

  /// The gradients of this scalar with respect to `tensors` alone: leaves, or values computed on the way.
  ///
  /// Only the paths that lead there are walked, and no other gradient is computed: a penalty on the gradient of the input needs none of
  /// the weights', the update of a generator none of the discriminator's.
  /// ```swift
  /// let slope = scores.sum().gradients(of: [images], recording: true)[images]   // the R1 penalty's
  /// ```
  /// - Parameters: as `gradients(recording:keepingGraph:)`.
  /// - Precondition: each of `tensors` was recorded.
  public func gradients(of tensors: [Tensor], recording: Bool = false, keepingGraph: Bool = false) -> Gradients {
    require(count == 1, "gradients: a scalar is needed, got shape \(shape); reduce it with sum() or mean()")
    let seed = Tensor(filling: shape, with: 1, precision: precision)
    return gradients(of: tensors, seed: seed, recording: recording, keepingGraph: keepingGraph)
  }

  /// The vector-Jacobian product `seedᵀ · ∂self/∂leaf` for every tracked tensor this one depends on, or for `tensors` alone.
  public func gradients(
    of tensors: [Tensor]? = nil, seed: Tensor, recording: Bool = false, keepingGraph: Bool = false
  ) -> Gradients {
    guard let root = node else { stop("gradients: nothing was recorded; does the value depend on a tracked tensor?") }
    require(seed.shape == shape, "gradients: seed of shape \(seed.shape) for a value of shape \(shape)")
    let targets = tensors?.map { tensor -> Node in
      guard let node = tensor.node else {
        stop("gradients: a tensor of shape \(tensor.shape) was not recorded; make it a leaf with asLeaf()")
      }
      return node
    }
    return Recording.withValue(recording) {
      Profiler.span("backward") {
        var walk = BackwardWalk(isReleasing: !recording && !keepingGraph, targets: targets)
        return walk.run(from: root, seed: seed)
      }
    }
  }

  /// The ops in this tensor's graph.
  public var recordedOps: Set<Op> { Set(node.map { BackwardWalk.order(from: $0).compactMap(\.op) } ?? []) }
}

/// One pass from an output back to the leaves, in the opposite order of the forward computation.
struct BackwardWalk {
  let isReleasing: Bool
  /// The serial numbers of the nodes whose gradients are wanted; `nil`: all leaves.
  private let targets: Set<Int>?
  /// The serial numbers of the nodes whose gradients are needed to get there; `nil`: all.
  private var needed: Set<Int>?

  init(isReleasing: Bool, targets: [Node]?) {
    self.isReleasing = isReleasing
    self.targets = targets.map { Set($0.map(\.serial)) }
    needed = self.targets
  }

  /// Adds the nodes of `order` (oldest first) that depend on a needed one, and those of which nobody knows any more.
  private mutating func findNeeded(_ order: [Node]) {
    guard needed != nil else { return }
    for node in order where leadsOn(node) || node.isReleased { needed?.insert(node.serial) }
  }

  /// Whether the gradient of one of the node's parents is needed.
  private func leadsOn(_ node: Node) -> Bool { node.parents.contains { $0.map(needs) ?? false } }

  private func needs(_ node: Node) -> Bool { needed?.contains(node.serial) ?? true }

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

  mutating func run(from root: Node, seed: Tensor) -> Gradients {
    var result = Gradients()
    var order = Self.order(from: root)
    findNeeded(order)
    var pending: [ObjectIdentifier: Tensor] = needs(root) ? [ObjectIdentifier(root): seed] : [:]
    while let node = order.popLast() {
      guard let dy = pending.removeValue(forKey: ObjectIdentifier(node)) else { continue }
      if targets?.contains(node.serial) ?? node.isLeaf { result.insert(dy, for: node) }
      guard leadsOn(node) || node.isReleased else { continue }
      if let recomputation = node.recomputation {
        order += again(recomputation, dy, &pending)
        if isReleasing { node.release() }
        continue
      }
      if !Recording.isOn, let contributions = node.contributions {
        let parts = Profiler.asOne { Recording.withNeeded(needed) { contributions(dy) } }
        Profiler.asOne { contribute(parts, into: node.parents, &pending) }
        Profiler.end(backwardOf: node.op, from: dy, to: [])
      } else {
        let gradients = Profiler.asOne { Recording.withNeeded(needed) { Self.gradients(of: node, dy) } }
        Profiler.end(backwardOf: node.op, from: dy, to: gradients)
        accumulate(gradients, of: node, into: node.parents, &pending)
      }
      if isReleasing { Profiler.releasing { node.release() } }
    }
    return result
  }

  /// Runs a block once more; its new nodes are all younger than what is left to walk, and come next.
  private mutating func again(_ recomputation: Node.Recomputation, _ dy: Tensor, _ pending: inout [ObjectIdentifier: Tensor]) -> [Node] {
    let first = Node.nextSerial
    let y = Recording.withValue(true) { Profiler.span("recompute", recomputation) }
    guard let root = y.node, y.shape == dy.shape else {
      stop("recomputed: the block gave another result when it ran again, shape \(y.shape)")
    }
    pending[ObjectIdentifier(root)] = dy
    let order = Self.order(from: root, madeFrom: first)
    findNeeded(order)
    return order
  }

  private static func gradients(of node: Node, _ dy: Tensor) -> [Tensor?] {
    guard let rule = node.rule else {
      stop("gradients: the graph of '\(node.op?.rawValue ?? "")' was already walked and freed; pass keepingGraph: true the first time")
    }
    return rule(dy, node)
  }

  /// Adds to the gradients of the parents in place.
  private func contribute(
    _ contributions: [GradientAccumulation?], into parents: [Node?], _ pending: inout [ObjectIdentifier: Tensor]
  ) {
    for case (let parent?, let contribution?) in zip(parents, contributions) where needs(parent) {
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
      guard let parent = parents[i], needs(parent), var gradient = gradients[i].take() else { continue }
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
