import Base
import Foundation
import Synchronization

/// Ends the process for a signal that the loop does not obey in time: because one step takes minutes, or a disk hangs.
///
/// It runs on a thread of its own. When the time of grace is over it writes into `run.json` that the run stopped at its last checkpoint,
/// and leaves with the signal's exit code. The checkpoints are intact at every moment, so nothing but the steps since then is lost.
package enum Watchdog {
  /// The activity of the training loop.
  package enum Phase: Sendable {
    case preparing, step, evaluating, saving
  }

  /// Seconds from a signal until the process leaves.
  package enum Grace {
    /// Seconds of grace if no step was done since the last save, so that nothing would be lost.
    static let nothingToLose = 5.0
    /// The most seconds of grace if steps would be lost; below that, `nothingToLose` and 1.5 times what a step usually takes.
    static let longest = 60.0
    /// From a second signal on.
    static let haste = 2.0
    /// For a save that has begun.
    static let saving = 60.0

    /// - Parameters:
    ///   - isSaved: whether all steps that are done are saved.
    ///   - usual: seconds that a step took so far.
    package static func seconds(_ phase: Phase, isSaved: Bool, usual: Double) -> Double {
      if phase == .saving { return saving }
      return isSaved ? nothingToLose : min(longest, nothingToLose + 1.5 * usual)
    }
  }

  /// The run's state that is recorded if the process must be ended.
  private struct Watched {
    var phase = Phase.preparing
    /// Not kept alive: a run that is over gives up its lock.
    weak var folder: RunFolder?
    /// The record as of the last checkpoint.
    var saved: RunRecord?
    var isSaved = true
    var usual = 0.0
    var isOver = false
  }

  private static let watched = Mutex(Watched())
  private static let isStarted = Atomic<Bool>(false)

  /// Starts the thread, once.
  static func start() {
    guard isStarted.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
    Thread.detachNewThread {
      while true {
        usleep(50_000)
        StopSignal.followStarter()
        guard let signal = StopSignal.requested else { continue }
        leaveIfLate(for: signal)
      }
    }
  }

  /// A run begins.
  /// - Parameter saved: its record as of the checkpoint that it continues from.
  static func begin(_ folder: RunFolder, saved: RunRecord) {
    watched.withLock { $0 = Watched(folder: folder, saved: saved) }
    StopSignal.setTraining(true)
  }

  /// The loop goes on to something else.
  /// - Parameters:
  ///   - isSaved: whether all steps that are done are saved.
  ///   - usual: seconds that a step takes.
  static func enter(_ phase: Phase, isSaved: Bool, usual: Double = 0) {
    watched.withLock { ($0.phase, $0.isSaved, $0.usual) = (phase, isSaved, usual) }
  }

  /// A checkpoint is complete.
  static func saved(_ record: RunRecord) {
    watched.withLock { ($0.saved, $0.isSaved) = (record, true) }
  }

  /// The run ends by itself; from now on nothing is left early.
  static func end() {
    watched.withLock { $0 = Watched(isOver: true) }
    StopSignal.setTraining(false)
  }

  /// The lock is kept until the process is gone, so that the loop cannot begin anything meanwhile that the record does not tell.
  private static func leaveIfLate(for signal: Int32) {
    watched.withLock { run in
      let (first, second) = StopSignal.age
      let grace = Grace.seconds(run.phase, isSaved: run.isSaved, usual: run.usual)
      guard !run.isOver, (first ?? 0) > grace || (second ?? 0) > Grace.haste else { return }
      let code = StopSignal.exitCode(for: signal)
      var text = "stopped before the first step\n"
      if let folder = run.folder, var record = run.saved {
        (record.state, record.exit, record.ended) = (.stopped, Int(code), TimeSource.stamp(TimeSource.system.wall()))
        if !run.isSaved || run.phase != .evaluating { record.problem = "what it was at did not end in time; it was given up" }
        try? folder.write(record)  // nothing is left to be done about a failure here
        text = record.step == 0 ? "stopped before anything was saved\n"
          : "saved and stopped; continue with --resume auto: step \(record.step) of \(record.steps) is the last that was saved; "
            + "what the run was at did not end in time\n"
      }
      try? Array(text.utf8).withUnsafeBytes { try File.writeAll($0, to: STDERR_FILENO, path: "stderr") }
      _exit(code)
    }
  }
}
