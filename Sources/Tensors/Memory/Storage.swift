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

  /// What is kept of these elements: the kind of it, and whatever else it depends on.
  enum Derivation: Hashable, Sendable {
    case winogradPanels([Int]), panels([Int]), bf16Panels([Int])
  }

  private struct Derivations: Sendable {
    var asked: Set<Derivation> = []
    var kept: [Derivation: Tensor] = [:]
    /// Values of these elements and of those of others, by name, with the versions of the others.
    var values: [String: (versions: [Int], tensors: [Tensor])] = [:]
    var version: Int?
  }

  private static let lastVersion = Atomic<Int>(0)

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
  func derived(_ key: Derivation, _ make: () -> Tensor) -> Tensor { derivedIfKept(key, make) ?? make() }

  /// As `derived`, but `nil` the first time: for callers that can do without.
  func derivedIfKept(_ key: Derivation, _ make: () -> Tensor) -> Tensor? {
    let (kept, isFirst) = derivations.withLock { ($0.kept[key], $0.asked.insert(key).inserted) }
    guard kept == nil, !isFirst else { return kept }
    let made = make()
    derivations.withLock { $0.kept[key] = made }
    return made
  }

  /// A number that no other elements have, nor these before or after a change.
  var version: Int {
    derivations.withLock { state in
      if let version = state.version { return version }
      let version = Self.lastVersion.add(1, ordering: .relaxed).newValue
      state.version = version
      return version
    }
  }

  /// The result of `make`, a function of these elements and those of `others` alone, kept under a name until any of them changes.
  func values(_ name: String, with others: [Storage], _ make: () -> [Tensor]) -> [Tensor] {
    let versions = others.map(\.version)
    if let kept = derivations.withLock({ $0.values[name] }), kept.versions == versions { return kept.tensors }
    let made = make()
    derivations.withLock { $0.values[name] = (versions, made) }
    return made
  }

  /// The elements are about to change.
  func forgetDerived() { derivations.withLock { $0 = Derivations() } }

  /// The address of element `index`.
  func address(_ index: Int) -> UnsafeMutableRawPointer { base + index * precision.byteCount }
}
