import Foundation
import Synchronization

/// The end of the process by a failure that cannot be thrown, such as memory that runs out inside a tensor op.
///
/// Tensor ops do not throw: `?` after every operator would hide the mathematics. So the few failures of the world that reach them end the
/// process here, in order: what was registered runs first (a run records that it failed), one line tells the user, and the exit code is
/// that of the failure.
public enum ProcessExit {
  public typealias Handler = @Sendable (Failure) -> Void

  private struct State {
    var handlers: [Int: Handler] = [:]
    var next = 0
    /// The failure that ends the process, and the thread that is at it.
    var ending: (failure: Failure, thread: UInt)?
  }

  /// Keeps a handler registered until it is dropped.
  public final class Registration: Sendable {
    private let number: Int

    fileprivate init(number: Int) { self.number = number }

    deinit { ProcessExit.state.withLock { _ = $0.handlers.removeValue(forKey: number) } }
  }

  private static let state = Mutex(State())

  /// Registers what must happen before such an end. It runs at most once, on the thread that failed, and may do no tensor computation.
  public static func onFailure(_ handler: @escaping Handler) -> Registration {
    state.withLock { state in
      state.next += 1
      state.handlers[state.next] = handler
      return Registration(number: state.next)
    }
  }

  /// Runs the handlers, prints `error: …` to the standard error and ends the process with the exit code of `failure`.
  public static func end(with failure: Failure) -> Never {
    let thread = UInt(pthread_self())
    let (first, handlers) = state.withLock { state in
      let earlier = state.ending
      state.ending = earlier ?? (failure, thread)
      return (earlier, state.handlers.sorted { $0.key < $1.key }.map(\.value))
    }
    if let first {
      // A handler failed in its turn; or another thread ends the process already.
      if first.thread != thread { sleep(10) }
      exit(with: first.failure)
    }
    for handler in handlers { handler(failure) }
    exit(with: failure)
  }

  private static func exit(with failure: Failure) -> Never {
    let message = Array("error: \(failure)\n".utf8)
    _ = write(STDERR_FILENO, message, message.count)
    fflush(nil)
    _exit(failure.kind.exitCode)
  }
}
