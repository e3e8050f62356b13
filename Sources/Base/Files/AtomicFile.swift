import Foundation
import Synchronization
import SystemPackage

/// Writes files that are either complete or absent: a temporary sibling is written, synchronised and renamed.
///
/// A reader, or a run resumed after a power cut, sees the old file or the new one, never a part. A symbolic link is followed. Paths
/// that exist and are no regular files (`/dev/stdout`, a pipe) cannot be replaced and are written directly.
///
/// A process that is killed on the way leaves its sibling behind, `.partial-<process>-<number>`; `removeLeftovers(in:)` deletes it.
public enum AtomicFile {
  /// - Throws: `.cannotCreate` if the folder is missing or not writable or `path` is a folder; `.inputOutput` if writing fails, for
  ///   instance on a full disk. In both cases nothing is left behind and an older file at `path` is untouched.
  public static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    do {
      let type = try FilePath(path).stat().type
      guard type != .directory else { throw Failure(.cannotCreate, at: path, "this is a folder, expected a file to write") }
      if type != .regular { return try writeDirectly(bytes, to: path) }
    } catch let error as Errno {
      // Without permission to look, there is none to create either: that is told below.
      guard error.meansAbsence || error == .permissionDenied else { throw File.unreadable(path, error) }
    }
    let target = try resolved(path)
    let folder = File.folder(of: target)
    let (temporary, descriptor) = try createSibling(in: folder, for: path)
    // Open until it has its name, for the lock on it says that it is at work.
    defer { try? descriptor.close() }
    do {
      try File.writeAll(bytes, to: descriptor.rawValue, path: path)
      guard fsync(descriptor.rawValue) == 0 else { throw File.unwritten(path, bytes.count, bytes.count, Errno(rawValue: errno)) }
      guard rename(temporary, target) == 0 else {
        let error = Errno(rawValue: errno)
        let kind: Failure.Kind = error.isBroken ? .inputOutput : .cannotCreate
        throw Failure(kind, at: path, "the file cannot be put into place: \(error)", remedy: error.remedy)
      }
    } catch {
      unlink(temporary)
      throw error
    }
    File.synchronize(folder: folder)
  }

  public static func write(_ bytes: [UInt8], to path: String) throws {
    try bytes.withUnsafeBytes { try write($0, to: path) }
  }

  /// Writes `text` in UTF-8.
  public static func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

  /// Deletes what killed writes left in a folder; what another process is writing just now stays, and what cannot be deleted too.
  /// - Throws: `.inputOutput` if the folder cannot be listed.
  package static func removeLeftovers(in folder: String) throws {
    for name in try File.entries(of: folder) where isTemporary(name) {
      let place = Path.join(folder, name)
      guard let descriptor = try? FileDescriptor.open(place, .readWrite, options: [.closeOnExec, .noFollow, .nonBlocking]) else { continue }
      defer { try? descriptor.close() }
      // Whoever writes it holds the lock until it has its name.
      if (try? descriptor.stat().type) == .regular, flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 { unlink(place) }
    }
  }

  /// The same for all folders in which the files at these paths stand or will stand.
  package static func removeLeftovers(besides paths: some Sequence<String>) throws {
    for folder in Set(paths.map(File.folder(of:))).sorted() { try removeLeftovers(in: folder) }
  }

  /// Whether a name is one of a temporary sibling: `.partial-`, two numbers and a hyphen between them.
  package static func isTemporary(_ name: String) -> Bool {
    guard name.hasPrefix(".partial-") else { return false }
    let numbers = name.dropFirst(".partial-".count).split(separator: "-", omittingEmptySubsequences: false)
    return numbers.count == 2 && numbers.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
  }

  /// Numbers the temporary files of this process.
  private static let serial = Atomic<Int>(0)

  /// The file that `path` leads to if it is an existing symbolic link, else `path`.
  private static func resolved(_ path: String) throws -> String {
    guard (try? FilePath(path).stat(followTargetSymlink: false).type) == .symbolicLink else { return path }
    guard let real = realpath(path, nil) else {
      let error = Errno(rawValue: errno)
      if error.meansAbsence { return path }
      throw File.unreadable(path, error)
    }
    defer { free(real) }
    return String(cString: real)
  }

  private static func createSibling(in folder: String, for path: String) throws -> (name: String, descriptor: FileDescriptor) {
    while true {
      let number = serial.add(1, ordering: .relaxed).newValue
      let name = Path.join(folder, ".partial-\(getpid())-\(number)")
      do {
        let descriptor = try FileDescriptor.open(
          name, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
          permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite])
        _ = flock(descriptor.rawValue, LOCK_EX | LOCK_NB)  // some network file systems have no locks; nobody then sweeps either
        return (name, descriptor)
      } catch let error as Errno {
        switch error {
        case .fileExists: continue  // another machine on a shared disk has the same process number
        case .noSuchFileOrDirectory, .notDirectory:
          throw Failure(.cannotCreate, at: path, "the folder \(folder) does not exist", remedy: "Create it first: mkdir -p \(folder)")
        default:
          if error.isFullDisk { throw File.unwritten(path, 0, nil, error) }
          throw Failure(error.isBroken ? .inputOutput : .cannotCreate, at: path, "the folder \(folder) cannot be written to: \(error)",
                        remedy: error.remedy)
        }
      }
    }
  }

  private static func writeDirectly(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    do {
      let descriptor = try FileDescriptor.open(path, .writeOnly, options: .closeOnExec)
      defer { try? descriptor.close() }
      try File.writeAll(bytes, to: descriptor.rawValue, path: path)
    } catch let error as Errno {
      throw Failure(.cannotCreate, at: path, "cannot be written to: \(error)", remedy: error.remedy)
    }
  }
}
