import Base
import Foundation

/// Keeps two processes from writing to one run folder: an advisory lock on `run.lock`, given up when the process ends,
/// however it ends.
final class RunLock {
  private let descriptor: Int32

  /// - Throws: `Failure(.cannotCreate)` if another process holds the lock, naming it.
  init(folder: String) throws {
    let path = "\(folder)/run.lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure(.cannotCreate, at: path, "cannot create the lock: \(String(cString: strerror(errno)))") }
    // From here on `deinit` closes the file, also when this initialiser throws.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      let holder = (try? File.bytes(at: path)).flatMap { String(validating: $0, as: UTF8.self) } ?? ""
      guard reason == EWOULDBLOCK else {
        throw Failure(.cannotCreate, at: path, "cannot lock the run folder: \(String(cString: strerror(reason)))")
      }
      let who = holder.trimmingCharacters(in: .whitespacesAndNewlines)
      throw Failure(.cannotCreate, at: folder, "another process\(who.isEmpty ? "" : " (\(who))") is writing to this run folder",
                    remedy: "wait until it ends, or choose another --work-dir")
    }
    let text = "pid \(getpid()) on \(ProcessInfo.processInfo.hostName)\n"
    _ = ftruncate(descriptor, 0)
    try Array(text.utf8).withUnsafeBytes { try File.writeAll($0, to: descriptor, path: path) }
  }

  deinit { close(descriptor) }
}
