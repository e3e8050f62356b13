/// Runs `body` and keeps none of its activations: a backward pass that needs them runs it again and walks the new graph in its place, so
/// that all gradients have the same bits as without.
///
/// Time of one more forward pass of the block for the memory of its activations. All tensors that `body` uses may be recorded: they
/// are found, parameters included. It may be nested, and differentiated twice (the second run's activations are kept then).
/// - Parameter body: told whether it runs again; it must compute the same, and leave everything outside as it was then.
/// - Source: Chen, Xu, Zhang, Guestrin, "Training deep nets with sublinear memory cost", 2016.
package func recomputed(_ body: @escaping (_ again: Bool) -> Tensor) -> Tensor {
  guard Recording.isOn else { return body(false) }
  let first = Node.nextSerial
  let y = body(false)
  guard let made = y.node, made.serial >= first else { return y }
  // Safety: runs in the backward walk, on the thread that trains, like every gradient rule.
  nonisolated(unsafe) let body = body
  let outside = BackwardWalk.nodes(from: made, madeBefore: first)
  let node = Node(.recomputed, shape: y.shape, precision: y.precision, parents: outside, recomputation: { body(true) })
  return Tensor(shape: y.shape, storage: y.storage, node: node)
}
