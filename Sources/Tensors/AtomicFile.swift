import Foundation

/// Writes a file so that a reader sees either the old content or the new one, never a part, even after a power cut.
public enum AtomicFile {
  /// Writes `bytes` beside `path`, flushes them to the disk and renames the result over `path`.
  /// - Throws: `Failure(.cannotCreate)` if the folder refuses a new file, `.inputOutput` if the disk is full or fails; the old
  ///   file is then untouched and nothing is left beside it.
  public static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    let beside = "\(path).partial-\(getpid())"
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw Failure(.cannotCreate, at: path, "cannot create the file: \(File.systemMessage())",
                    remedy: "check that the folder exists and may be written to")
    }
    do {
      do {
        try File.writeAll(bytes, to: descriptor, path: path)
        guard fsync(descriptor) == 0 else { throw File.writeFailure(path) }
      } catch {
        close(descriptor)
        throw error
      }
      guard close(descriptor) == 0, rename(beside, path) == 0 else { throw File.writeFailure(path) }
    } catch {
      unlink(beside)
      throw error
    }
    try File.synchronizeFolder(of: path)
  }

  public static func write(_ bytes: [UInt8], to path: String) throws {
    try bytes.withUnsafeBytes { try write($0, to: path) }
  }

  public static func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }
}

/// Plain reading and writing through the system's own calls, with failures that name the file.
public enum File {
  /// The whole content of the file at `path`.
  /// - Throws: `Failure(.missingInput)` if there is none, `.inputOutput` if reading fails.
  public static func bytes(at path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw Failure(.missingInput, at: path, "there is no such file") }
      throw Failure(.inputOutput, at: path, "cannot open the file: \(systemMessage())")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure(.inputOutput, at: path, "cannot read: \(systemMessage())") }
    let size = Int(status.st_size)
    var bytes = [UInt8](repeating: 0, count: max(size, 4096))
    var count = 0
    while true {
      if count == bytes.count { bytes.append(contentsOf: [UInt8](repeating: 0, count: bytes.count)) }
      let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count) }
      if got < 0 {
        if errno == EINTR { continue }
        throw Failure(.inputOutput, at: path, "cannot read: \(systemMessage())")
      }
      if got == 0 { break }
      count += got
      if count == size && size > 0 { break }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// Writes all of `bytes` to an open descriptor; `path` only names the file in the failure.
  public static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws {
    var offset = 0
    while offset < bytes.count {
      let written = Foundation.write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
      if written < 0 {
        if errno == EINTR { continue }
        throw writeFailure(path)
      }
      offset += written
    }
  }

  /// Makes the names in the folder that holds `path` durable.
  public static func synchronizeFolder(of path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }  // a folder that may be written to but not listed
    defer { close(descriptor) }
    // Some network file systems cannot flush a folder (EINVAL); the rename itself is still atomic there.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw writeFailure(path) }
  }

  static func writeFailure(_ path: String) -> Failure {
    let full = errno == ENOSPC || errno == EDQUOT
    return Failure(.inputOutput, at: path, "cannot write the file: \(systemMessage())",
                   remedy: full ? "free some space on this disk, then run the command again" : "")
  }

  static func systemMessage() -> String { String(cString: strerror(errno)) }
}
