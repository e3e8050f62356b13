import Base
import Foundation
import Synchronization

/// The work shared by a loader and its threads: a window of batches that are open for loading, delivered in order.
final class LoadingQueue<Element: Sendable>: Sendable {
  typealias Outcome = Result<Element, any Error>

  /// One element to load: its place in the data, and where it goes.
  private struct Job {
    let place: BatchOrder.Place
    let batch: Int
    let slot: Int
  }

  private struct OpenBatch {
    var outcomes: [Outcome?]
    var missing: Int
  }

  private struct State: Sendable {
    var orders = EpochOrders()
    /// The batch to be delivered next, and the one to be opened next.
    var next: Int
    var opening: Int
    var jobs: [Job] = []
    var open: [Int: OpenBatch] = [:]
    var isStopped = false
  }

  private let order: BatchOrder
  private let window: Int
  /// The batch before which loading ends.
  private let end: Int
  private let load: Loader<Element>.Load
  /// Held whenever `state` is touched by a thread that may wait; signalled at every change.
  private let changed = NSCondition()
  private let state: Mutex<State>

  init(_ order: BatchOrder, window: Int, next: Int, end: Int, load: @escaping Loader<Element>.Load) {
    self.order = order
    self.window = window
    self.end = end
    self.load = load
    state = Mutex(State(next: next, opening: next))
    state.withLock { openBatches(&$0) }
  }

  var nextBatch: Int { state.withLock { $0.next } }

  // MARK: The loader's side

  /// Loads the next batch on the calling thread.
  func loadInline() -> [Outcome] {
    let places = state.withLock { state in
      defer { state.next += 1 }
      return order.places(ofBatch: state.next, &state.orders)
    }
    return places.map(outcome)
  }

  /// Waits until the next batch is complete, and opens the one that enters the window instead.
  func takeFinished() -> [Outcome] {
    require(nextBatch < end, "Loader: asked for batch \(nextBatch), but loading ends before batch \(end)")
    changed.lock()
    defer { changed.unlock() }
    while true {
      if let outcomes = state.withLock({ removeFinished(&$0) }) {
        changed.broadcast()
        return outcomes
      }
      changed.wait()
    }
  }

  /// Ends the threads: none begins another element.
  func stop() {
    changed.lock()
    defer { changed.unlock() }
    state.withLock { state in
      state.isStopped = true
      state.jobs = []
      state.open = [:]
    }
    changed.broadcast()
  }

  // MARK: The threads' side

  /// Loads elements until the queue is stopped.
  func work() {
    while let job = takeJob() { deliver(outcome(of: job.place), for: job) }
  }

  private func outcome(of place: BatchOrder.Place) -> Outcome {
    var random = order.random(epoch: place.epoch, index: place.index)
    return Result { try load(place.index, &random) }
  }

  /// The earliest element that nobody loads; nil once stopped.
  private func takeJob() -> Job? {
    changed.lock()
    defer { changed.unlock() }
    while true {
      let (job, isStopped) = state.withLock { state in
        (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isStopped)
      }
      if isStopped { return nil }
      if let job { return job }
      changed.wait()
    }
  }

  private func deliver(_ outcome: Outcome, for job: Job) {
    changed.lock()
    defer { changed.unlock() }
    state.withLock { state in
      state.open[job.batch]?.outcomes[job.slot] = outcome
      state.open[job.batch]?.missing -= 1
    }
    changed.broadcast()
  }

  // MARK: The window

  private func removeFinished(_ state: inout State) -> [Outcome]? {
    guard let batch = state.open[state.next], batch.missing == 0 else { return nil }
    state.open[state.next] = nil
    state.next += 1
    openBatches(&state)
    return batch.outcomes.compactMap { $0 }
  }

  private func openBatches(_ state: inout State) {
    while state.opening < min(state.next + window, end) {
      let places = order.places(ofBatch: state.opening, &state.orders)
      state.open[state.opening] = OpenBatch(outcomes: Array(repeating: nil, count: places.count), missing: places.count)
      for (slot, place) in places.enumerated() { state.jobs.append(Job(place: place, batch: state.opening, slot: slot)) }
      state.opening += 1
    }
  }
}
