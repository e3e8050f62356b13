import Foundation
import Synchronization

/// Asks a run to stop between two steps when the process gets SIGINT, SIGTERM or SIGUSR1.
///
/// The first signal only sets a flag, which the loop polls; it then saves and ends. Another one, a second or more later,
/// ends the process at once. (Within a second it is taken for the same request: `timeout` and Slurm send theirs twice.)
public enum StopSignal {
  private static let number = Atomic<Int32>(0)
  private static let arrival = Atomic<Int64>(0)

  /// The signal that came, if one did.
  public static var requested: Int32? {
    let value = number.load(ordering: .relaxed)
    return value == 0 ? nil : value
  }

  /// Takes over the signals, also if whoever started this process had blocked them; call once on the main thread, before training.
  public static func install() {
    _ = requested  // makes sure that the atomics exist before a handler needs them
    _ = arrival.load(ordering: .relaxed)
    var signals = sigset_t()
    sigemptyset(&signals)
    for signalNumber in [SIGINT, SIGTERM, SIGUSR1] {
      sigaddset(&signals, signalNumber)
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { StopSignal.received($0) }
      action.sa_flags = Int32(SA_RESTART)
      sigaction(signalNumber, &action, nil)
    }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Runs inside the signal handler: only atomics and calls that POSIX allows there.
  private static func received(_ signal: Int32) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let milliseconds = Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    let (isFirst, first) = arrival.compareExchange(expected: 0, desired: milliseconds, ordering: .relaxed)
    if isFirst {
      number.store(signal, ordering: .relaxed)
    } else if milliseconds - first >= 1000 {
      _exit(128 + signal)
    }
  }

  /// The exit code of a run that saved and stopped for a signal: 130 for SIGINT, 143 for SIGTERM, 75 ("try again") for
  /// SIGUSR1, with which batch systems announce the end of the time slot.
  public static func exitCode(for signal: Int32) -> Int32 { signal == SIGUSR1 ? 75 : 128 + signal }
}
