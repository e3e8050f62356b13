import Foundation
import SystemPackage

/// A text file that grows by whole lines, each in one write, so that a killed process leaves at worst one half line.
package final class AppendOnlyFile {
  package let path: String
  private let descriptor: FileDescriptor

  /// Opens `path` for appending; creates it if needed.
  /// - Throws: `.cannotCreate`, or `.inputOutput` if the disk or the system fails.
  package init(appendingTo path: String) throws {
    self.path = path
    do {
      descriptor = try FileDescriptor.open(path, .writeOnly, options: [.create, .append, .closeOnExec],
                                           permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch let error as Errno {
      throw Failure(error.isBroken ? .inputOutput : .cannotCreate, at: path, "cannot open the log: \(error)", remedy: error.remedy)
    }
  }

  deinit { try? descriptor.close() }

  package func append(line: String) throws { try append(Array((line + "\n").utf8)) }

  package func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try File.writeAll($0, to: descriptor.rawValue, path: path) }
  }

  /// Waits until all lines are on the disk.
  /// - Throws: `.inputOutput` if the disk does not take them.
  package func synchronize() throws {
    // Pipes and terminals cannot be flushed (EINVAL); there is nothing to lose there either.
    guard fsync(descriptor.rawValue) == 0 || errno == EINVAL else {
      throw Failure(.inputOutput, at: path, "cannot flush the log: \(File.reason(errno))")
    }
  }
}
