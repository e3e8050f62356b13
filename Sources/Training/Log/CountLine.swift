import Base
import Synchronization

/// A count with a bar and the time that is left on the standard error, drawn in place; silent where nobody watches.
public final class CountLine: Sendable {
  private struct State {
    var status: CountStatus
    var line = ProgressLine()
  }

  private let state: Mutex<State>
  private let isShown = Console.Terminal.standardError.isTerminal
  private let time = TimeSource.system

  public init(_ title: String) { state = Mutex(State(status: CountStatus(title))) }

  /// Draws at most ten times a second, and the last count in any case.
  public func show(_ done: Int, of total: Int) {
    guard isShown else { return }
    let terminal = Console.Terminal.standardError
    let now = time.steady()
    state.withLock { state in
      state.status.begin(done, at: now)
      guard state.line.isDue(at: now, isLast: done == total) else { return }
      var status = state.status
      state.line.draw({ width in
        status.line(done, of: total, time: now, width: width, colour: terminal.hasColour, symbols: terminal.isUnicode ? .unicode : .ascii)
      }, on: terminal)
    }
  }

  public func finish() {
    guard isShown else { return }
    state.withLock { $0.line.clear(on: .standardError) }
  }
}
