import Base
import Foundation

/// A text file that grows by whole lines, each in one write, so that a killed process leaves at worst one half line.
final class LineFile {
  let path: String
  private let descriptor: Int32

  /// Opens `path` for appending; creates it if needed.
  init(appendingTo path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure(.cannotCreate, at: path, "cannot open the log: \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }

  func append(line: String) throws { try append(Array((line + "\n").utf8)) }

  func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try File.writeAll($0, to: descriptor, path: path) }
  }

  /// Waits until all lines are on the disk.
  func synchronize() throws {
    // Pipes and terminals cannot be flushed (EINVAL); there is nothing to lose there either.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw Failure(.inputOutput, at: path, "cannot flush the log: \(String(cString: strerror(errno)))")
    }
  }
}
