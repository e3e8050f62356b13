import Foundation
import SystemPackage

/// Keeps two processes from writing to one folder: an advisory lock on a file in it, or on the folder itself, given up when the process
/// ends, however it ends.
package final class FolderLock: Sendable {
  private let descriptor: FileDescriptor
  /// The locked file or folder, as it was named.
  private let path: String

  /// - Parameters:
  ///   - file: the name of the locked file.
  ///   - what: what the folder is, for the failure.
  ///   - remedy: what to do if another process holds the lock.
  /// - Throws: `.cannotCreate` if another process holds the lock, naming it; `.inputOutput` if the disk does not take it.
  package init(folder: String, file: String = "run.lock", what: String = "folder", remedy: String = "Wait until it ends.") throws {
    let path = Path.join(folder, file)
    self.path = path
    do {
      descriptor = try FileDescriptor.open(path, .readWrite, options: [.create, .closeOnExec],
                                           permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch let error as Errno {
      throw Failure(error.isBroken ? .inputOutput : .cannotCreate, at: path, "cannot create the lock: \(error)", remedy: error.remedy)
    }
    // From here on `deinit` closes the file, also when this initialiser throws.
    guard Self.lock(descriptor) else {
      let error = Errno(rawValue: errno)
      guard error == .wouldBlock else { throw Failure(.cannotCreate, at: path, "cannot lock the \(what): \(error)") }
      let holder = (try? File.bytes(at: path, upTo: 200)).map { String(decoding: $0, as: UTF8.self) } ?? ""  // only for the message
      let name = holder.trimmingCharacters(in: .whitespacesAndNewlines)
      let who = name.isEmpty ? "another process" : "another process (\(name))"
      throw Failure(.cannotCreate, at: folder, "\(who) is writing to this \(what)", remedy: remedy)
    }
    guard try isHeld() else { throw Failure(.cannotCreate, at: folder, "the \(what) was moved or replaced just now", remedy: "Try again.") }
    let text = "pid \(getpid()) on \(ProcessInfo.processInfo.hostName)\n"
    _ = ftruncate(descriptor.rawValue, 0)
    try Array(text.utf8).withUnsafeBytes { try File.writeAll($0, to: descriptor.rawValue, path: path) }
  }

  /// Locks a folder itself, where no file of ours shall be left behind. Some network file systems cannot lock folders; there the user has
  /// to take care.
  /// - Parameter occupied: the failure if another process holds the lock, in words.
  /// - Throws: `.cannotCreate` if another process holds the lock, or the folder cannot be opened; `.inputOutput` if the system fails.
  package init(itself folder: String, occupied: String, remedy: String) throws {
    path = folder
    do {
      descriptor = try FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
    } catch let error as Errno {
      throw Failure(error.isBroken ? .inputOutput : .cannotCreate, at: folder, "the folder cannot be opened: \(error)",
                    remedy: error.remedy)
    }
    // From here on `deinit` closes the folder, also when this initialiser throws.
    guard Self.lock(descriptor) || errno != EWOULDBLOCK else { throw Failure(.cannotCreate, at: folder, occupied, remedy: remedy) }
  }

  /// Whether a process holds the lock of a folder just now; nothing is written, and a folder without the file is not locked.
  package static func isTaken(folder: String, file: String = "run.lock") -> Bool {
    guard let descriptor = try? FileDescriptor.open(Path.join(folder, file), .readOnly, options: [.closeOnExec]) else { return false }
    defer { try? descriptor.close() }
    return flock(descriptor.rawValue, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  deinit { try? descriptor.close() }

  /// Tries for half a second: a process that has just ended, or a child between fork and exec, holds a lock a moment longer than its owner.
  private static func lock(_ descriptor: FileDescriptor) -> Bool {
    for _ in 0..<20 {
      if flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 { return true }
      guard errno == EWOULDBLOCK else { return false }
      usleep(25_000)
    }
    return flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0
  }

  /// Whether the file at the lock's path is still the locked one; not if the folder was moved, replaced or deleted.
  /// - Throws: `.inputOutput` if that cannot be found out.
  package func isHeld() throws -> Bool {
    do {
      let mine = try descriptor.stat()
      let there = try FilePath(path).stat()
      return mine.deviceID == there.deviceID && mine.inode == there.inode
    } catch {
      if error.meansAbsence { return false }
      throw File.unreadable(path, error)
    }
  }

  /// The present path of the locked file's folder, if the system can tell; nil if it is gone.
  package var presentFolder: String? {
    guard let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor.rawValue)"),
          let mine = try? descriptor.stat(), let there = try? FilePath(place).stat(),
          mine.deviceID == there.deviceID, mine.inode == there.inode else { return nil }
    return File.folder(of: place)
  }
}
