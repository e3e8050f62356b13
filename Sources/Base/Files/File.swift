import Foundation

/// Whole files in and out of memory, with errors that name the file.
public enum File {
  /// All bytes of a file.
  /// - Throws: `.missingInput` if the file is absent, unreadable or a folder; `.inputOutput` if reading fails half-way.
  public static func bytes(at path: String) throws -> [UInt8] { try bytes(at: path, upTo: Int.max) }

  /// The first bytes of a file: `count` of them, or all if it is shorter.
  /// - Throws: as `bytes(at:)`.
  public static func bytes(at path: String, upTo count: Int) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw missing(path, errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw missing(path, errno) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw Failure(.missingInput, at: path, "this is a folder, expected a file")
    }
    var bytes: [UInt8] = []
    let expected = min(count, max(Int(status.st_size), 0))
    if expected > 0 { bytes = try chunk(of: descriptor, expected, path) }
    // Pipes and device files have no size, and a file may have grown meanwhile: go on to the end.
    while bytes.count < count {
      let more = try chunk(of: descriptor, min(count - bytes.count, 1 << 16), path)
      if more.isEmpty { break }
      bytes += more
    }
    return bytes
  }

  /// Makes a folder and those above it, if they are not there.
  /// - Throws: `.cannotCreate` naming the part of the path that cannot be made, `.inputOutput` on a full disk.
  public static func createFolder(_ path: String) throws {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else { throw Failure(.cannotCreate, at: path, "this is a file, expected a folder") }
      return
    }
    let parent = folder(of: path)
    if parent != path { try createFolder(parent) }
    guard mkdir(path, 0o777) != 0, errno != EEXIST else { return }
    let code = errno
    if code == ENOSPC || code == EDQUOT {
      throw Failure(.inputOutput, at: path, "disk full: the folder cannot be created", remedy: "Free some space or write elsewhere.")
    }
    throw Failure(.cannotCreate, at: path, "the folder cannot be created: \(reason(code))", remedy: "Check the path and its permissions.")
  }

  /// The folder that holds `path`, as text; of `/` and `.` themselves.
  package static func folder(of path: String) -> String {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? path.dropLast() : path[...]
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  /// Up to `count` bytes from the current place; fewer only at the end of the file.
  private static func chunk(of descriptor: Int32, _ count: Int, _ path: String) throws -> [UInt8] {
    try Array(unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
        if got == 0 { return }
        if got < 0 {
          if errno == EINTR { continue }
          throw Failure(.inputOutput, at: path, "reading failed after \(filled) bytes: \(reason(errno))")
        }
        filled += got
      }
    }
  }

  private static func missing(_ path: String, _ code: Int32) -> Failure {
    if code == ENOENT || code == ENOTDIR { return Failure(.missingInput, at: path, "there is no such file") }
    return Failure(.missingInput, at: path, "the file cannot be read: \(reason(code))")
  }

  /// The system's words for an error number.
  package static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
