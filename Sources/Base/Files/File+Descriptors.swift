import Foundation

extension File {
  /// Writes all of `bytes` to an open descriptor; `path` only names the file in the failure.
  package static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws {
    var offset = 0
    while offset < bytes.count {
      let written = Foundation.write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
      if written < 0 {
        if errno == EINTR { continue }
        let isFull = errno == ENOSPC || errno == EDQUOT
        throw Failure(.inputOutput, at: path, isFull ? "disk full" : "cannot write: \(String(cString: strerror(errno)))",
                      remedy: isFull ? "free some space on this disk, then continue with --resume auto" : "")
      }
      offset += written
    }
  }

  /// Makes the names in `folder` durable. Some network file systems refuse this; the rename is in place all the same.
  package static func synchronize(folder: String) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
