#if canImport(Glibc)
import Glibc
#endif

/// Traps with `message` if `condition` does not hold: for programming errors at public boundaries.
///
/// `precondition` loses its message in optimised builds, and training runs are optimised. The message begins with the file and the line
/// of the caller.
@inlinable
public func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
  if !condition { stop(message(), file: file, line: line) }
}

/// Writes `message`, with the file and the line of the caller, to the standard error and traps.
public func stop(_ message: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
  fatalError(message, file: file, line: line)
}
