import Base

/// Whether ops record how to differentiate them, and which gradients a backward walk asks for.
///
/// The one piece of ambient state. Recording is on by default, off inside `noGradient` (evaluation) and inside a first-order
/// backward; a walk to chosen tensors tells the gradient rules which of their inputs lead there.
struct Recording: Sendable {
  @TaskLocal static var state = Recording()

  private var isOn = true
  /// The serial numbers of the nodes whose gradients a walk needs; `nil`: all.
  private var needed: Set<Int>?

  static var isOn: Bool { state.isOn }

  static func withValue<Result>(_ isOn: Bool, _ body: () throws -> Result) rethrows -> Result {
    try $state.withValue(Recording(isOn: isOn), operation: body)
  }

  /// Runs a gradient rule of a walk that needs only the gradients of these nodes.
  static func withNeeded<Result>(_ needed: Set<Int>?, _ body: () throws -> Result) rethrows -> Result {
    guard let needed else { return try body() }
    return try $state.withValue(Recording(isOn: isOn, needed: needed), operation: body)
  }

  static func needs(_ node: Node) -> Bool { state.needed?.contains(node.serial) ?? true }
}

/// Runs `body` without recording any graph: evaluation needs no gradients, and its activations are freed at once.
public func noGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Recording.withValue(false, body)
}

extension Tensor {
  /// A leaf of the gradient graph with these elements: `loss.gradients()` will hold its gradient.
  public func asLeaf() -> Tensor {
    Tensor(shape: shape, storage: storage, node: Node(nil, shape: shape, precision: precision))
  }

  /// The same elements, cut off from the graph: no gradient passes.
  public func detached() -> Tensor { Tensor(shape: shape, storage: storage) }

  /// Whether the backward walk that is under way asks for the gradient of this input: for gradient rules.
  var needsGradient: Bool { node.map(Recording.needs) ?? false }

  /// This input of an op without its elements: for rules that need none.
  var withoutElements: InputShape { InputShape(shape: shape, node: node) }

  /// This plain value as the output of `op`, if recording is on and a parent is itself recorded.
  /// - Parameters:
  ///   - algorithm: what computed a product, for reports.
  ///   - parents: the differentiable inputs.
  ///   - rule: the gradient of each parent from that of the output; written with recorded ops, so that it can be differentiated.
  ///   - remaking: rebuilds these elements in one cheap pass from the tensors that `rule` keeps: see `SavedTensor`.
  func recorded(
    _ op: Op, by algorithm: (any ProductAlgorithm)? = nil, from parents: [Tensor], rule: @escaping @Sendable (_ dy: Tensor) -> [Tensor?],
    remaking: Node.Remaking? = nil
  ) -> Tensor {
    attached(op, algorithm, parents, remaking) { dy, _ in rule(dy) }
  }

  /// As `recorded`, for rules that are written with the output `y`. Capturing the recorded output would be a reference cycle; the
  /// rule gets it as an argument, with its place in the graph when gradients of gradients are wanted.
  func recordedWithOutput(
    _ op: Op, by algorithm: (any ProductAlgorithm)? = nil, from parents: [Tensor],
    rule: @escaping @Sendable (_ dy: Tensor, _ y: Tensor) -> [Tensor?]
  ) -> Tensor {
    let plain = self
    return attached(op, algorithm, parents) { dy, node in
      rule(dy, Recording.isOn ? Tensor(shape: plain.shape, storage: plain.storage, node: node) : plain)
    }
  }

  private func attached(
    _ op: Op, _ algorithm: (any ProductAlgorithm)?, _ parents: [Tensor], _ remaking: Node.Remaking? = nil, _ rule: @escaping Node.Rule
  ) -> Tensor {
    Profiler.end(op, from: parents, to: self)
    guard parents.contains(where: \.isRecorded), Recording.isOn else { return self }
    let node = Node(op, shape: shape, precision: precision, parents: parents.map(\.node), rule: rule, remaking: remaking)
    if let algorithm { node.algorithm = algorithm }
    return Tensor(shape: shape, storage: storage, node: node)
  }
}

/// The shape of an op's input, and its place in the graph: what a rule captures that needs no elements.
struct InputShape: Sendable {
  fileprivate let shape: [Int]
  fileprivate let node: Node?

  /// The shape if the walk that is under way asks for this input's gradient.
  var ifNeeded: [Int]? { node.map(Recording.needs) ?? false ? shape : nil }
}

/// An input that a gradient rule needs: kept, or made again when it is needed if the op it came from can do that in one cheap pass.
///
/// A normalisation keeps its input for its own gradient, and its output follows from that: the convolution behind it need not keep it.
struct SavedTensor: Sendable {
  private let shape: [Int]
  private let node: Node?
  /// `nil`: to be made again.
  private let kept: Storage?

  init(_ x: Tensor) {
    shape = x.shape
    node = x.node
    kept = x.node?.remaking == nil ? x.storage : nil
  }

  var needsGradient: Bool { node.map(Recording.needs) ?? false }

  var tensor: Tensor {
    guard let storage = kept ?? node?.remaking?() else {
      stop("gradients: an input was already freed; pass keepingGraph: true the first time")
    }
    return Tensor(shape: shape, storage: storage, node: node)
  }
}
