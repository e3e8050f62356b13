import Base
import Synchronization

/// A count with a bar and the time that is left on the standard error, drawn in place; a line now and then where that is a file or a pipe.
public final class CountLine: Sendable {
  private struct State {
    var status: CountStatus
    var line = ProgressLine()
  }

  private let state: Mutex<State>
  private let terminal: @Sendable () -> Console.Terminal
  private let time: TimeSource

  public init(_ title: String, terminal: @escaping @Sendable () -> Console.Terminal = { .standardError }, time: TimeSource = .system) {
    (self.terminal, self.time) = (terminal, time)
    state = Mutex(State(status: CountStatus(title)))
  }

  /// Draws at most ten times a second, and the last count in any case.
  public func show(_ done: Int, of total: Int) {
    let terminal = terminal()
    let now = time.steady()
    state.withLock { state in
      guard terminal.isTerminal else {
        if let line = state.status.plainLine(done, of: total, time: now) { terminal.write(line + "\n") }
        return
      }
      state.status.begin(done, at: now)
      guard state.line.isDue(at: now, isLast: done == total) else { return }
      var status = state.status
      state.line.draw({ width in
        status.line(done, of: total, time: now, width: width, colour: terminal.hasColour, symbols: terminal.isUnicode ? .unicode : .ascii)
      }, on: terminal)
    }
  }

  public func finish() {
    state.withLock { $0.line.clear(on: terminal()) }
  }
}
