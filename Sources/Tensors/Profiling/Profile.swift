import Base
import Foundation

/// The record of a `Profiler`: every op and span in the order of their ends.
public struct Profile: Sendable {
  /// One op of a forward computation, one gradient rule of a backward one, or one span of other work.
  public struct Event: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
      case forward, backward, span
    }

    public let kind: Kind
    /// The op, or what the span is called.
    public let name: String
    /// Nanoseconds from the start of the profile, and until the end of the event.
    public let start, duration: Int
    /// Nanoseconds of it that belong to nothing nested inside. For all events together: the duration of the profile.
    public let ownDuration: Int
    /// Floating-point operations of matrix products and convolutions.
    public let flops: Int
    /// What computed them, each algorithm once: `winograd F(2x4, 3x3)`; empty for other ops.
    public let algorithms: [String]
    /// Bytes of inputs and outputs; 0 where nothing is copied or computed.
    public let bytes: Int
    /// Bytes taken from the memory pool, temporary ones included.
    public let allocated: Int
    /// Bytes in use at the end.
    public let inUse: Int
    /// Shapes of the inputs and of the output; in a backward event those of the output's gradient and of the gradients that follow.
    public let inputs: [[Int]], outputs: [[Int]]
    /// Bytes that a forward op kept for its gradient rule, given free with it; known at its backward event.
    public fileprivate(set) var saved = 0
  }

  public let events: [Event]
  /// Nanoseconds.
  public let duration: Int
  /// Bytes that the memory pool held at the end, and of them the most that were in use at one time.
  public let reserved, highWater: Int
}

/// A profile in the making.
struct ProfileSession {
  struct Mark {
    let time = DispatchTime.now().uptimeNanoseconds
    let memory = MemoryPool.statistics
  }

  private struct OpenSpan {
    let name: String
    let start: Int
    var ownDuration = 0
    var allocated = 0
  }

  private let owner = pthread_self()
  private let start: UInt64
  private var events: [Profile.Event] = []
  /// Innermost last; the first is the profile itself.
  private var spans: [OpenSpan] = [OpenSpan(name: "loop", start: 0)]
  /// The end of the last event.
  private var mark = Mark()
  private var flops = 0
  private var algorithms: [String] = []
  /// Above 0: ops are part of a larger one.
  private var mergeDepth = 0
  /// The event of the gradient rule that came last.
  private var lastRule: Int?

  init() {
    MemoryPool.resetHighWater()
    start = mark.time
  }

  /// Only the thread that started the profile is profiled.
  mutating func onOwnThread(_ body: (inout ProfileSession) -> Void) {
    if pthread_equal(owner, pthread_self()) != 0 { body(&self) }
  }

  mutating func add(flops: Int, by algorithm: String?) {
    self.flops += flops
    if let algorithm, !algorithms.contains(algorithm) { algorithms.append(algorithm) }
  }

  mutating func merge(_ change: Int) { mergeDepth += change }

  /// Ends the interval that began at the last mark.
  private mutating func cut() -> (start: Int, end: Int, allocated: Int) {
    let now = Mark()
    defer { mark = now }
    return (Int(mark.time - start), Int(now.time - start), now.memory.handedOut - mark.memory.handedOut)
  }

  mutating func end(
    _ kind: Profile.Event.Kind, _ name: String, from inputs: [Tensor], to outputs: [Tensor], movesData: Bool, isRule: Bool = false
  ) {
    guard mergeDepth == 0 else { return }
    let part = cut()
    let bytes = movesData ? (inputs + outputs).reduce(0) { $0 + $1.count * $1.precision.byteCount } : 0
    if isRule { lastRule = events.count }
    events.append(Profile.Event(
      kind: kind, name: name, start: part.start, duration: part.end - part.start, ownDuration: part.end - part.start, flops: flops,
      algorithms: algorithms, bytes: bytes, allocated: part.allocated, inUse: mark.memory.inUse, inputs: inputs.map(\.shape),
      outputs: outputs.map(\.shape)))
    flops = 0
    algorithms = []
  }

  /// Tells how much memory the rule of the last backward event gave free.
  mutating func add(saved: Int) {
    if mergeDepth == 0, let lastRule { events[lastRule].saved += saved }
  }

  mutating func open(_ name: String) {
    guard mergeDepth == 0 else { return }
    addOwnPart()
    spans.append(OpenSpan(name: name, start: Int(mark.time - start)))
  }

  mutating func close() {
    guard mergeDepth == 0 else { return }
    addOwnPart()
    let span = spans.removeLast()
    events.append(Profile.Event(
      kind: .span, name: span.name, start: span.start, duration: Int(mark.time - start) - span.start, ownDuration: span.ownDuration,
      flops: flops, algorithms: algorithms, bytes: 0, allocated: span.allocated, inUse: mark.memory.inUse, inputs: [], outputs: []))
    flops = 0
    algorithms = []
  }

  private mutating func addOwnPart() {
    let part = cut()
    spans[spans.count - 1].ownDuration += part.end - part.start
    spans[spans.count - 1].allocated += part.allocated
  }

  mutating func finish() -> Profile {
    require(spans.count == 1, "Profiler: stopped inside the span '\(spans.last?.name ?? "")'")
    close()
    return Profile(
      events: events, duration: Int(mark.time - start), reserved: mark.memory.reserved, highWater: mark.memory.highWater)
  }
}
