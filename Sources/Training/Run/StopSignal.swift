import Foundation
import Synchronization

/// Asks a run to stop between two steps when the process gets SIGINT, SIGTERM, SIGHUP or SIGUSR1.
///
/// 1. The first signal only sets a flag, which the loop polls; it then saves and ends. If the loop does not get there in time, the
///    `Watchdog` leaves with the last checkpoint.
/// 2. Another one, a second or more later, means haste: the watchdog waits two more seconds for a save, then leaves. (Within a second it is
///    taken for the same request: `timeout` and Slurm send theirs twice.) Where nothing is being trained, it ends the process at once.
/// 3. A third one, again a second later, ends the process at once, whatever it does.
public enum StopSignal {
  private static let number = Atomic<Int32>(0)
  /// Milliseconds of the steady clock at which the first and the second request came; 0: not yet.
  private static let first = Atomic<Int64>(0)
  private static let second = Atomic<Int64>(0)
  /// True while a run is in progress that can still save after a signal.
  private static let isTraining = Atomic<Bool>(false)

  /// The signal that came, if one did.
  public static var requested: Int32? {
    let value = number.load(ordering: .relaxed)
    return value == 0 ? nil : value
  }

  /// The environment variable in which a process that starts trainings names itself, by its number: a training whose starter is gone saves
  /// and stops as for SIGTERM.
  public static let starterVariable = "APUS_STARTER"

  private static let starter = Atomic<Int32>(0)

  /// Takes over the signals, also if whoever started this process had blocked them; call once on the main thread, before anything that
  /// takes time. SIGHUP stays ignored where it is ignored from the start: `nohup` asked for that.
  /// - Parameter hasWatchdog: end the process if a training does not obey in time; false for one that trains nothing itself.
  public static func install(hasWatchdog: Bool = true) {
    _ = requested  // makes sure that the atomics exist before a handler needs them
    _ = (first.load(ordering: .relaxed), second.load(ordering: .relaxed), isTraining.load(ordering: .relaxed))
    var signals = sigset_t()
    sigemptyset(&signals)
    for signalNumber in [SIGINT, SIGTERM, SIGUSR1, SIGHUP] {
      var action = sigaction()
      if signalNumber == SIGHUP, sigaction(SIGHUP, nil, &action) == 0, isIgnored(action) { continue }
      sigaddset(&signals, signalNumber)
      action = sigaction()
      action.__sigaction_handler.sa_handler = { StopSignal.received($0) }
      action.sa_flags = Int32(SA_RESTART)
      sigaction(signalNumber, &action, nil)
    }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    guard hasWatchdog else { return }
    starter.store(ProcessInfo.processInfo.environment[starterVariable].flatMap { Int32($0) } ?? 0, ordering: .relaxed)
    Watchdog.start()
  }

  /// Leaves it to the writer to notice that a reader is gone (SIGPIPE) or that a file may grow no more (SIGXFSZ, from `ulimit -f`): the
  /// write fails with an error that is told, instead of ending the process.
  public static func ignoreWriteSignals() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// The exit code of a run that saved and stopped for a signal: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP, 75 ("try again") for
  /// SIGUSR1, with which batch systems announce the end of the time slot.
  public static func exitCode(for signal: Int32) -> Int32 { signal == SIGUSR1 ? 75 : 128 + signal }

  /// Seconds since the first request, and since the second; nil as long as it has not come.
  static var age: (first: Double?, second: Double?) {
    func seconds(_ moment: Int64) -> Double? { moment == 0 ? nil : Double(milliseconds() - moment) / 1000 }
    return (seconds(first.load(ordering: .relaxed)), seconds(second.load(ordering: .relaxed)))
  }

  /// Requests a stop if the process that started this one is gone.
  static func followStarter() {
    let starter = starter.load(ordering: .relaxed)
    if starter != 0, requested == nil, getppid() != starter { received(SIGTERM) }
  }

  static func setTraining(_ value: Bool) { isTraining.store(value, ordering: .relaxed) }

  private static func isIgnored(_ action: sigaction) -> Bool {
    unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  private static func milliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }

  /// Runs inside the signal handler: only atomics and calls that POSIX allows there.
  private static func received(_ signal: Int32) {
    let now = milliseconds()
    let (isFirst, begin) = first.compareExchange(expected: 0, desired: now, ordering: .relaxed)
    if isFirst { return number.store(signal, ordering: .relaxed) }
    guard now - begin >= 1000 else { return }
    if !isTraining.load(ordering: .relaxed) { _exit(128 + signal) }
    let (isSecond, haste) = second.compareExchange(expected: 0, desired: now, ordering: .relaxed)
    if !isSecond, now - haste >= 1000 { _exit(128 + signal) }
  }
}
