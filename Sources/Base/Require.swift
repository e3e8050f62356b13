#if canImport(Glibc)
import Glibc
#endif

/// Traps with `message` if `condition` does not hold: for programming errors at public boundaries.
///
/// `precondition` loses its message in optimised builds, and training runs are optimised.
@inlinable
public func require(_ condition: Bool, _ message: @autoclosure () -> String) {
  if !condition { stop(message()) }
}

/// Writes `message` to the standard error and traps.
public func stop(_ message: String) -> Never {
  fatalError(message)
}
