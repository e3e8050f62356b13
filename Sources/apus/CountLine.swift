import Foundation
import Synchronization
import Training

/// A count with a bar and the time that is left on the standard error, drawn in place; silent where nobody watches.
final class CountLine: Sendable {
  private struct State {
    var status: CountStatus
    var lastDrawing = -Double.infinity
  }

  private let state: Mutex<State>
  private let isShown = isatty(STDERR_FILENO) == 1

  init(_ title: String) { state = Mutex(State(status: CountStatus(title))) }

  /// Draws at most ten times a second, and the last count in any case.
  func show(_ done: Int, of total: Int) {
    guard isShown else { return }
    let terminal = Console.Terminal.standardError
    state.withLock { state in
      let now = ProcessInfo.processInfo.systemUptime
      // One column stays free: a full line would wrap.
      let line = state.status.line(done, of: total, time: now, width: terminal.width() - 1, colour: terminal.hasColour,
                                   symbols: terminal.isUnicode ? .unicode : .ascii)
      guard now - state.lastDrawing >= 0.1 || done == total else { return }
      state.lastDrawing = now
      terminal.write("\r\u{1B}[K\(line)")
    }
  }

  func finish() {
    if isShown { Console.Terminal.standardError.write("\r\u{1B}[K") }
  }
}
