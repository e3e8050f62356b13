import Base
import CKernels
import Dispatch
import Foundation
import Synchronization

/// Runs `body` over `0..<count` in chunks of `grain` indices, on all threads of the pool, and returns when all are done.
///
/// Chunks depend on `count` and `grain` alone, never on the number of threads; chunks must not write to the same memory. Then the
/// results are the same bits for any number of threads. Calls from inside a body run serially.
public func parallelFor(_ count: Int, grain: Int = 1, _ body: @escaping @Sendable (Range<Int>) -> Void) {
  guard count > 0 else { return }
  let grain = max(1, grain)
  let chunks = (count + grain - 1) / grain
  @Sendable func run(_ chunk: Int) { body(chunk * grain..<min(count, (chunk + 1) * grain)) }
  guard chunks > 1, ThreadPool.shared.run(chunks, run) else {
    for chunk in 0..<chunks { run(chunk) }
    return
  }
}

/// The pool of persistent worker threads behind `parallelFor`.
public final class ThreadPool: Sendable {
  public static let shared = ThreadPool()

  private final class Job: Sendable {
    // Safety: the caller guarantees that chunks are disjoint, and `run` lets go of the body only when no worker is at the job.
    nonisolated(unsafe) private var body: (@Sendable (Int) -> Void)?
    let count: Int
    let next = Atomic<Int>(0)
    /// Workers that are at it.
    let helpers = Atomic<Int>(0)
    /// Set by the caller before it sleeps until the last worker leaves. The side whose `exchange(false)` returns true owns the wake-up:
    /// a worker then signals, the caller then does not wait.
    let isAwaited = Atomic<Bool>(false)

    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
      self.count = count
      self.body = body
    }

    /// Claims and runs chunks until none is left. Never inlined: what it retains it has released when it returns.
    @inline(never) func work() {
      while true {
        let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard chunk < count else { return }
        body?(chunk)
      }
    }

    /// The body holds tensors: when their memory is free must not depend on when a worker forgets the job.
    func releaseBody() { body = nil }
  }

  private final class Worker: Sendable {
    let isAsleep = Atomic<Bool>(false)
    let isRetired = Atomic<Bool>(false)
    let alarm = DispatchSemaphore(value: 0)
  }

  private struct State: Sendable {
    var job: Job?
    var workers: [Worker] = []
  }

  private let state = Mutex(State())
  private let generation = Atomic<Int>(0)
  private let isBusy = Atomic<Bool>(false)
  /// Wakes a caller that sleeps until its job is done.
  private let completion = DispatchSemaphore(value: 0)
  /// Spins of a waiting thread before it sleeps: 100 to 300 µs, longer than most gaps between two ops; waking a thread takes
  /// 50 µs on a virtual machine, and the time of the one that wakes it.
  private static let spinCount = 6_000

  private init() { setThreadCount(ProcessInfo.processInfo.activeProcessorCount) }

  /// Threads that take part, the calling one included.
  public var threadCount: Int { state.withLock { $0.workers.count + 1 } }

  /// Sets the number of threads, the calling one included. Not to be called while ops run.
  public func setThreadCount(_ count: Int) {
    require(count >= 1, "ThreadPool: \(count) threads; at least 1 is needed")
    let retired = state.withLock { state in
      defer { state.workers = (1..<count).map { _ in Worker() } }
      state.job = nil
      return state.workers
    }
    for worker in retired {
      worker.isRetired.store(true, ordering: .sequentiallyConsistent)
      worker.alarm.signal()
    }
    for worker in state.withLock({ $0.workers }) {
      let thread = Thread { [unowned self] in self.serve(worker) }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// Runs the chunks `0..<count` on all threads; false if the pool is already at work (a nested call) or has one thread.
  fileprivate func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> Bool {
    guard !isBusy.exchange(true, ordering: .acquiring) else { return false }
    defer { isBusy.store(false, ordering: .releasing) }
    let job = Job(count, body)
    let workers = state.withLock { state in
      state.job = job
      return state.workers
    }
    guard !workers.isEmpty else {
      state.withLock { $0.job = nil }
      return false
    }
    generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
    for worker in workers.prefix(count - 1) where worker.isAsleep.exchange(false, ordering: .sequentiallyConsistent) {
      worker.alarm.signal()
    }
    job.work()
    state.withLock { $0.job = nil }
    waitForHelpers(of: job)
    job.releaseBody()
    return true
  }

  /// Returns when no worker is at the job: looks for a while, then sleeps. A worker may have lost its core to another process; it gets
  /// the one that the sleeping caller leaves.
  private func waitForHelpers(of job: Job) {
    for _ in 0..<Self.spinCount {
      if job.helpers.load(ordering: .acquiring) == 0 { return }
      apus_pause()
    }
    job.isAwaited.store(true, ordering: .sequentiallyConsistent)
    if job.helpers.load(ordering: .sequentiallyConsistent) == 0, job.isAwaited.exchange(false, ordering: .sequentiallyConsistent) { return }
    completion.wait()
  }

  private func serve(_ worker: Worker) {
    var seen = 0
    while !worker.isRetired.load(ordering: .relaxed) {
      waitForJob(worker, after: seen)
      seen = generation.load(ordering: .sequentiallyConsistent)
      let job = state.withLock { state in
        state.job?.helpers.add(1, ordering: .relaxed)
        return state.job
      }
      guard let job else { continue }
      job.work()
      if job.helpers.subtract(1, ordering: .sequentiallyConsistent).newValue == 0,
        job.isAwaited.exchange(false, ordering: .sequentiallyConsistent) {
        completion.signal()
      }
    }
  }

  /// Returns when the generation is past `seen`, or the worker is retired: looks for a while, then sleeps.
  private func waitForJob(_ worker: Worker, after seen: Int) {
    for _ in 0..<Self.spinCount {
      if generation.load(ordering: .acquiring) != seen { return }
      apus_pause()
    }
    worker.isAsleep.store(true, ordering: .sequentiallyConsistent)
    let isNews = generation.load(ordering: .sequentiallyConsistent) != seen
    // The side whose exchange(false) returns true owns the wake-up: if it is this worker, nobody will signal; else the signal is on its
    // way and must be consumed.
    if isNews, worker.isAsleep.exchange(false, ordering: .sequentiallyConsistent) { return }
    worker.alarm.wait()
  }
}
