/// The memory of one tensor: written once by the op that makes it, read-only afterwards.
///
/// Safety: unchecked, because the compiler cannot see that nobody writes after construction. Only two writers exist: the op that
/// creates the storage, before anyone else holds it, and `Tensor.updateInPlace`, which requires unique ownership.
final class Storage: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let precision: Precision
  let count: Int
  private let block: MemoryPool.Block

  init(count: Int, precision: Precision, for use: MemoryPool.Use = .tensor) {
    self.count = count
    self.precision = precision
    block = MemoryPool.allocate(count * precision.byteCount, for: use)
    base = block.address
  }

  deinit { MemoryPool.recycle(block) }

  /// The address of element `index`.
  func address(_ index: Int) -> UnsafeMutableRawPointer { base + index * precision.byteCount }
}
