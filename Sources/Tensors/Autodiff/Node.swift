import Synchronization

/// One recorded op in the gradient graph: where it came from and how gradients go back.
///
/// A node never changes, except that a backward walk releases its rule and parents once they have served.
final class Node: Sendable {
  /// Turns the gradient of the node's output into one gradient per parent, in parent order; `nil` = none flows there.
  typealias Rule = @Sendable (_ dy: Tensor, _ node: Node) -> [Tensor?]
  /// The same for a walk that is not recorded, where gradients are added in place.
  typealias InPlaceRule = @Sendable (_ dy: Tensor) -> [GradientAccumulation?]

  /// Activation checkpointing: runs the block again with recording on; the backward walk goes on through its nodes instead of this one.
  typealias Recomputation = @Sendable () -> Tensor

  /// Rebuilds the output from what the gradient rule keeps anyway, so that its consumers need not keep it: a convolution behind a
  /// normalisation.
  typealias Remaking = @Sendable () -> Storage

  private struct History: Sendable {
    var parents: [Node?]
    var rule: Rule?
    var remaking: Remaking?
    var recomputation: Recomputation?
    var contributions: InPlaceRule?
    var algorithm: (any ProductAlgorithm)?
  }

  /// The op; `nil` for a leaf.
  let op: Op?
  /// Nodes are numbered in the order of their making, so a higher number never feeds a lower one.
  let serial: Int
  let shape: [Int]
  let precision: Precision
  private let history: Mutex<History>
  private static let serials = Atomic<Int>(0)

  init(
    _ op: Op?, shape: [Int], precision: Precision, parents: [Node?] = [], rule: Rule? = nil, remaking: Remaking? = nil,
    recomputation: Recomputation? = nil, contributions: InPlaceRule? = nil
  ) {
    self.op = op
    self.shape = shape
    self.precision = precision
    serial = Node.serials.wrappingAdd(1, ordering: .relaxed).oldValue
    history = Mutex(History(
      parents: parents, rule: rule, remaking: remaking, recomputation: recomputation, contributions: contributions))
  }

  var isLeaf: Bool { op == nil }
  /// What computed the output of a product, told at the node's making.
  var algorithm: (any ProductAlgorithm)? {
    get { history.withLock { $0.algorithm } }
    set { history.withLock { $0.algorithm = newValue } }
  }
  /// Whether a walk has passed and let go of where the node came from.
  var isReleased: Bool { !isLeaf && history.withLock { $0.rule == nil && $0.recomputation == nil } }
  var parents: [Node?] { history.withLock { $0.parents } }
  var rule: Rule? { history.withLock { $0.rule } }
  var remaking: Remaking? { history.withLock { $0.remaking } }
  var recomputation: Recomputation? { history.withLock { $0.recomputation } }
  var contributions: InPlaceRule? { history.withLock { $0.contributions } }
  /// The number of the next node to be made, or a smaller one than that.
  static var nextSerial: Int { serials.load(ordering: .relaxed) }

  /// Lets go of the rule, with the activations it saved, and of the parents, which are returned.
  @discardableResult
  func release() -> [Node?] {
    let old = history.withLock { history in
      defer { history = History(parents: [], rule: nil) }
      return history
    }
    return old.parents
  }

  /// A graph can be thousands of nodes deep: it is let go node by node, not by recursion.
  deinit {
    var pending = release().compactMap { $0 }
    while !pending.isEmpty {
      let last = pending.count - 1
      let further = isKnownUniquelyReferenced(&pending[last]) ? pending[last].release() : []
      pending.removeLast()
      pending += further.compactMap { $0 }
    }
  }
}
