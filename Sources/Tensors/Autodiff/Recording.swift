import Base

/// Whether ops record how to differentiate them.
///
/// The one piece of ambient state: on by default, off inside `withoutRecording` (evaluation) and inside a first-order backward.
enum Recording {
  @TaskLocal static var isOn = true
}

/// Runs `body` without recording any graph: evaluation needs no gradients, and its activations are freed at once.
public func withoutRecording<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Recording.$isOn.withValue(false, operation: body)
}

extension Tensor {
  /// A leaf of the gradient graph with these elements: `loss.gradients()` will hold its gradient.
  public func tracked() -> Tensor {
    Tensor(shape: shape, storage: storage, node: Node(nil, shape: shape, precision: precision))
  }

  /// The same elements, cut off from the graph: no gradient passes.
  public func detached() -> Tensor { Tensor(shape: shape, storage: storage) }

  /// The shape if gradients flow through this tensor: rules that need no elements capture this, not the tensor with its memory.
  var recordedShape: [Int]? { isRecorded ? shape : nil }

  /// This plain value as the output of `op`, if recording is on and a parent is itself recorded.
  /// - Parameters:
  ///   - parents: the differentiable inputs.
  ///   - rule: the gradient of each parent from that of the output; written with recorded ops, so that it can be differentiated.
  ///   - remaking: computes these elements once more from what `rule` keeps, in one cheap pass: see `SavedTensor`.
  func recorded(
    _ op: Op, from parents: [Tensor], rule: @escaping @Sendable (_ dy: Tensor) -> [Tensor?], remaking: Node.Remaking? = nil
  ) -> Tensor {
    attached(op, parents, remaking) { dy, _ in rule(dy) }
  }

  /// As `recorded`, for rules that are written with the output `y`. Capturing the recorded output would be a reference cycle; the
  /// rule gets it as an argument, with its place in the graph when gradients of gradients are wanted.
  func recordedWithOutput(
    _ op: Op, from parents: [Tensor], rule: @escaping @Sendable (_ dy: Tensor, _ y: Tensor) -> [Tensor?]
  ) -> Tensor {
    let plain = self
    return attached(op, parents) { dy, node in
      rule(dy, Recording.isOn ? Tensor(shape: plain.shape, storage: plain.storage, node: node) : plain)
    }
  }

  private func attached(_ op: Op, _ parents: [Tensor], _ remaking: Node.Remaking? = nil, _ rule: @escaping Node.Rule) -> Tensor {
    Profiler.end(op, from: parents, to: self)
    guard parents.contains(where: \.isRecorded), Recording.isOn else { return self }
    let node = Node(op, shape: shape, precision: precision, parents: parents.map(\.node), rule: rule, remaking: remaking)
    return Tensor(shape: shape, storage: storage, node: node)
  }
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
    (shape, node) = (x.shape, x.node)
    kept = x.node?.remaking == nil ? x.storage : nil
  }

  var tensor: Tensor {
    guard let storage = kept ?? node?.remaking?() else { stop("gradients: an input was already freed; pass keepingGraph: true the first time") }
    return Tensor(shape: shape, storage: storage, node: node)
  }
}
