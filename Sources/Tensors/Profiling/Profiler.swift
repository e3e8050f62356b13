import Base
import Synchronization

/// Tells where the time and the memory of a computation go, op by op.
///
/// Ops follow each other on the thread that trains, so an op takes the time from the end of what came before to its own end:
/// allocation, checks and the plain code that leads to it are in it, nothing counts twice, and nothing is lost. Ops that a gradient rule
/// uses belong to the backward of the rule's op. Costs one relaxed atomic load for each op while it is off, about a microsecond while on.
///
/// ```swift
/// Profiler.start()
/// Profiler.span("step") { _ = loss().gradients() }
/// let slowest = Profiler.stop().events.max { $0.ownDuration < $1.ownDuration }
/// ```
public enum Profiler {
  private static let isOn = Atomic<Bool>(false)
  private static let session = Mutex<ProfileSession?>(nil)

  /// Begins a profile of this thread. One thread of a process can be profiled at a time.
  public static func start() {
    session.withLock { session in
      require(session == nil, "Profiler: started twice")
      session = ProfileSession()
    }
    isOn.store(true, ordering: .relaxed)
  }

  /// Ends the profile.
  public static func stop() -> Profile {
    isOn.store(false, ordering: .relaxed)
    let profile = session.withLock { session in
      defer { session = nil }
      return session?.finish()
    }
    guard let profile else { Base.stop("Profiler: stopped without a start") }
    return profile
  }

  /// Runs `body` and lists the time that no op in it takes under `name`. Spans may be nested.
  public static func span<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    guard isOn.load(ordering: .relaxed) else { return try body() }
    note { $0.open(name) }
    defer { note { $0.close() } }
    return try body()
  }

  private static func note(_ body: (inout ProfileSession) -> Void) { session.withLock { $0?.onOwnThread(body) } }
}

// MARK: - Called by ops and the backward walk

extension Profiler {
  /// Adds to the floating-point operations of the op at work; every multiply-add is two.
  /// - Parameter algorithm: what computed them.
  static func count(flops: @autoclosure () -> Int, by algorithm: (any ProductAlgorithm)? = nil) {
    guard isOn.load(ordering: .relaxed) else { return }
    let flops = flops()
    let name = algorithm.map { "\($0)" }
    note { $0.add(flops: flops, by: name) }
  }

  /// An op has made `output`.
  static func end(_ op: Op, from inputs: [Tensor], to output: Tensor) {
    guard isOn.load(ordering: .relaxed) else { return }
    note { $0.end(.forward, op.rawValue, from: inputs, to: [output], movesData: op != .reshape) }
  }

  /// A gradient rule has made `gradients`.
  static func end(backwardOf op: Op?, from dy: Tensor, to gradients: [Tensor?]) {
    guard isOn.load(ordering: .relaxed) else { return }
    note {
      $0.end(.backward, op?.rawValue ?? "", from: [dy], to: gradients.compactMap { $0 }, movesData: op != .reshape, isRule: true)
    }
  }

  /// A gradient was added to another that has reached the same value.
  static func endAccumulation(of gradient: Tensor) {
    guard isOn.load(ordering: .relaxed) else { return }
    note { $0.end(.backward, "accumulate", from: [gradient, gradient], to: [gradient], movesData: true) }
  }

  /// Runs `body`, whose ops are steps of a larger one and not listed by themselves.
  static func asOne<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard isOn.load(ordering: .relaxed) else { return try body() }
    note { $0.merge(1) }
    defer { note { $0.merge(-1) } }
    return try body()
  }

  /// Runs `body`, which lets go of what the last gradient rule had saved.
  static func releasing(_ body: () -> Void) {
    guard isOn.load(ordering: .relaxed) else { return body() }
    let before = MemoryPool.statistics.inUse
    body()
    let saved = before - MemoryPool.statistics.inUse
    note { $0.add(saved: saved) }
  }
}
