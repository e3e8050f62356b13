import Foundation
import Synchronization

/// Writes files that are either complete or absent: a temporary sibling is written, synchronised and renamed.
///
/// A reader, or a run resumed after a power cut, sees the old file or the new one, never a part. A symbolic link is followed. Paths
/// that exist and are no regular files (`/dev/stdout`, a pipe) cannot be replaced and are written directly.
public enum AtomicFile {
  /// - Throws: `.cannotCreate` if the folder is missing or not writable or `path` is a folder; `.inputOutput` if writing fails, for
  ///   instance on a full disk. In both cases nothing is left behind and an older file at `path` is untouched.
  public static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    var status = stat()
    if stat(path, &status) == 0 {
      let kind = status.st_mode & S_IFMT
      guard kind != S_IFDIR else { throw Failure(.cannotCreate, at: path, "this is a folder, expected a file to write") }
      if kind != S_IFREG { return try writeDirectly(bytes, to: path) }
    }
    let target = resolved(path)
    let folder = File.folder(of: target)
    let (temporary, descriptor) = try createSibling(in: folder, for: path)
    do {
      try fill(descriptor, with: bytes, path)
      guard rename(temporary, target) == 0 else {
        throw Failure(.cannotCreate, at: path, "the file cannot be put into place: \(File.reason(errno))")
      }
    } catch {
      unlink(temporary)
      throw error
    }
    synchronize(folder: folder)
  }

  public static func write(_ bytes: [UInt8], to path: String) throws {
    try bytes.withUnsafeBytes { try write($0, to: path) }
  }

  /// Writes `text` in UTF-8.
  public static func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

  /// Numbers the temporary files of this process.
  private static let serial = Atomic<Int>(0)

  /// The file that `path` leads to if it is an existing symbolic link, else `path`.
  private static func resolved(_ path: String) -> String {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func createSibling(in folder: String, for path: String) throws -> (name: String, descriptor: Int32) {
    while true {
      let number = serial.add(1, ordering: .relaxed).newValue
      let name = "\(folder)/.partial-\(getpid())-\(number)"
      let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (name, descriptor) }
      switch errno {
      case EEXIST, EINTR: continue  // another machine on a shared disk has the same process number
      case ENOSPC, EDQUOT: throw diskFull(path, 0, nil)
      case ENOENT, ENOTDIR:
        throw Failure(.cannotCreate, at: path, "the folder \(folder) does not exist", remedy: "Create it first: mkdir -p \(folder)")
      default: throw Failure(.cannotCreate, at: path, "the folder \(folder) cannot be written to: \(File.reason(errno))")
      }
    }
  }

  /// Writes, synchronises and closes.
  private static func fill(_ descriptor: Int32, with bytes: UnsafeRawBufferPointer, _ path: String) throws {
    do {
      try writeAll(bytes, to: descriptor, path)
      guard fsync(descriptor) == 0 else { throw broken(path, bytes.count, bytes.count, errno) }
    } catch {
      close(descriptor)
      throw error
    }
    guard close(descriptor) == 0 else { throw broken(path, bytes.count, bytes.count, errno) }
  }

  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let count = Foundation.write(descriptor, base + done, bytes.count - done)
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        throw broken(path, done, bytes.count, errno)
      }
    }
  }

  private static func writeDirectly(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(.cannotCreate, at: path, "cannot be written to: \(File.reason(errno))") }
    defer { close(descriptor) }
    try writeAll(bytes, to: descriptor, path)
  }

  private static func broken(_ path: String, _ done: Int, _ count: Int, _ code: Int32) -> Failure {
    if code == ENOSPC || code == EDQUOT { return diskFull(path, done, count) }
    return Failure(.inputOutput, at: path, "writing failed after \(done) of \(count) bytes: \(File.reason(code))")
  }

  private static func diskFull(_ path: String, _ done: Int, _ count: Int?) -> Failure {
    let progress = count.map { " after \(done) of \($0) bytes" } ?? ""
    return Failure(.inputOutput, at: path, "disk full" + progress, remedy: "Free some space or write elsewhere.")
  }

  /// Makes the rename itself survive a power cut. Some file systems refuse this; the file is in place all the same.
  private static func synchronize(folder: String) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
