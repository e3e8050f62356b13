import Synchronization

/// The memory of one tensor: written once by the op that makes it, read-only afterwards.
///
/// Safety: unchecked, because the compiler cannot see that nobody writes after construction. Only two writers exist: the op that
/// creates the storage, before anyone else holds it, and `Tensor.updateInPlace`, which requires unique ownership.
final class Storage: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let precision: Precision
  let count: Int
  private let block: MemoryPool.Block
  private let derivations = Mutex(Derivations())

  private struct Derivations: Sendable {
    var asked: Set<[Int]> = []
    var kept: [[Int]: Tensor] = [:]
  }

  init(count: Int, precision: Precision, for use: MemoryPool.Use = .tensor) {
    self.count = count
    self.precision = precision
    block = MemoryPool.allocate(count, precision, for: use)
    base = block.address
  }

  deinit { MemoryPool.recycle(block) }

  /// The result of `make`, a function of these elements alone, cached from the second request on until the elements change.
  ///
  /// So weights that are reused within a step (RAFT's update block) are cached, and those that are used once a step take no memory.
  func derived(_ key: [Int], _ make: () -> Tensor) -> Tensor { derivedIfKept(key, make) ?? make() }

  /// As `derived`, but `nil` the first time: for callers that can do without.
  func derivedIfKept(_ key: [Int], _ make: () -> Tensor) -> Tensor? {
    let (kept, isFirst) = derivations.withLock { ($0.kept[key], $0.asked.insert(key).inserted) }
    guard kept == nil, !isFirst else { return kept }
    let made = make()
    derivations.withLock { $0.kept[key] = made }
    return made
  }

  /// The elements are about to change.
  func forgetDerived() { derivations.withLock { $0 = Derivations() } }

  /// The address of element `index`.
  func address(_ index: Int) -> UnsafeMutableRawPointer { base + index * precision.byteCount }
}
