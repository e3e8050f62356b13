import Foundation
import SystemPackage

extension File {
  /// Writes all of `bytes` to an open descriptor; `path` only names the file in the failure.
  /// - Throws: `.inputOutput` with the number of bytes that were written.
  package static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws {
    var done = 0
    while done < bytes.count {
      do {
        done += try FileDescriptor(rawValue: descriptor).write(UnsafeRawBufferPointer(rebasing: bytes[done...]))
      } catch let error as Errno {
        throw unwritten(path, done, bytes.count, error)
      }
    }
  }

  /// The failure of a write that broke off.
  static func unwritten(_ path: String, _ done: Int, _ count: Int?, _ error: Errno) -> Failure {
    let progress = count.map { " after \(done) of \($0) bytes" } ?? ""
    if error.isFullDisk { return Failure(.inputOutput, at: path, "disk full" + progress, remedy: error.remedy) }
    return Failure(.inputOutput, at: path, "writing failed\(progress): \(error)", remedy: error.remedy)
  }

  /// The system's words for an error number.
  package static func reason(_ code: Int32) -> String { Errno(rawValue: code).description }
}
