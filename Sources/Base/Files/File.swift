import SystemPackage

/// Whole files in and out of memory, with errors that name the file.
///
/// Unreadable is not absent: only "no such file or folder" counts as absence. Whatever else goes wrong while looking (no permission, a
/// broken disk, too many open files) throws, so that nothing is taken for missing, begun anew or deleted because of it.
public enum File {
  /// The kinds of things at a path, symbolic links followed.
  package enum Kind: Sendable, Equatable {
    case file, folder
    /// A pipe, a socket or a device.
    case other
  }

  /// All bytes of a regular file.
  /// - Throws: `.missingInput` if there is no such file, or it is a folder; `.badData` for a pipe or a device, or if it is longer than this
  ///   machine's memory; `.inputOutput` if it cannot be read.
  public static func bytes(at path: String) throws -> [UInt8] { try bytes(at: path, limit: wholeLimit) }

  /// The first bytes of a regular file: `count` of them, or all if it is shorter.
  /// - Throws: as `bytes(at:)`.
  public static func bytes(at path: String, upTo count: Int) throws -> [UInt8] {
    let (descriptor, size) = try opened(path)
    defer { try? descriptor.close() }  // nothing was written
    return try bytes(of: descriptor, size, upTo: count, path)
  }

  /// Opens a regular file without waiting for anything: a pipe without a writer would let the program wait for ever, and a device has no
  /// end.
  static func opened(_ path: String) throws -> (descriptor: FileDescriptor, size: Int) {
    let descriptor: FileDescriptor
    do {
      descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
    } catch let error as Errno {
      throw error == .noSuchAddressOrDevice ? notRegular(path, "a socket, or a device that is not there") : unreadable(path, error)
    }
    do {
      let status = try descriptor.stat()
      switch status.type {
      case .regular: return (descriptor, max(Int(status.size), 0))
      case .directory: throw Failure(.missingInput, at: path, "this is a folder, expected a file")
      case .fifo: throw notRegular(path, "a pipe")
      default: throw notRegular(path, "a device")
      }
    } catch {
      try? descriptor.close()
      throw (error as? Errno).map { unreadable(path, $0) } ?? error
    }
  }

  static func bytes(of descriptor: FileDescriptor, _ size: Int, upTo count: Int, _ path: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let expected = min(count, size)
    if expected > 0 { bytes = try chunk(of: descriptor, expected, path) }
    // Files of the system (`/proc`) have no size, and a file may have grown meanwhile: go on to the end.
    while bytes.count < count {
      let more = try chunk(of: descriptor, min(count - bytes.count, 1 << 16), path)
      if more.isEmpty { break }
      bytes += more
    }
    return bytes
  }

  /// All bytes of a file; nil only if there is no such file.
  /// - Throws: as `bytes(at:)`, but for the absence.
  package static func bytesIfPresent(at path: String) throws -> [UInt8]? { try exists(path) ? try bytes(at: path) : nil }

  /// The kind of thing at a path; nil only if nothing is there.
  /// - Throws: `.inputOutput` if that cannot be found out.
  package static func kind(at path: String) throws -> Kind? {
    do {
      return switch try FilePath(path).stat().type {
      case .regular: .file
      case .directory: .folder
      default: .other
      }
    } catch {
      if error.meansAbsence { return nil }
      throw unreadable(path, error)
    }
  }

  /// Whether anything stands at a path.
  /// - Throws: `.inputOutput` if that cannot be found out.
  package static func exists(_ path: String) throws -> Bool { try kind(at: path) != nil }

  /// Whether two paths lead to the same file or folder.
  /// - Throws: `.inputOutput` if that cannot be found out.
  package static func isSame(_ a: String, _ b: String) throws -> Bool {
    func identity(_ path: String) throws -> Stat? {
      do {
        return try FilePath(path).stat()
      } catch {
        if error.meansAbsence { return nil }
        throw unreadable(path, error)
      }
    }
    guard let first = try identity(a), let second = try identity(b) else { return false }
    return first.deviceID == second.deviceID && first.inode == second.inode
  }

  /// The folder that holds `path`, as text; of `/` and `.` themselves.
  package static func folder(of path: String) -> String {
    let parent = FilePath(path).removingLastComponent().string
    return parent.isEmpty ? "." : parent
  }

  /// Up to `count` bytes from the current place; fewer only at the end of the file.
  private static func chunk(of descriptor: FileDescriptor, _ count: Int, _ path: String) throws -> [UInt8] {
    try Array(unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        do {
          let got = try descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...]))
          if got == 0 { return }
          filled += got
        } catch let error as Errno {
          throw Failure(.inputOutput, at: path, "reading failed after \(filled) bytes: \(error)")
        }
      }
    }
  }

  private static func notRegular(_ path: String, _ kind: String) -> Failure {
    Failure(.badData, at: path, "this is \(kind), expected a regular file", remedy: "Write what it gives into a file first.")
  }

  /// The failure of a read that did not begin.
  static func unreadable(_ path: String, _ error: Errno) -> Failure {
    if error == .fileNameTooLong { return Failure(.missingInput, at: path, "there is no such file: the name is too long") }
    if error.meansAbsence { return Failure(.missingInput, at: path, "there is no such file") }
    return Failure(.inputOutput, at: path, "cannot be read: \(error)", remedy: error.remedy)
  }
}

extension Errno {
  /// Whether it says that nothing is there, rather than that nothing could be seen. No file has a name that is too long.
  var meansAbsence: Bool { self == .noSuchFileOrDirectory || self == .notDirectory || self == .fileNameTooLong }

  var isFullDisk: Bool { self == .noSpace || self == .diskQuotaExceeded }

  /// The remedy for a file that is there and cannot be used; empty if none is known.
  var remedy: String {
    switch self {
    case .permissionDenied, .notPermitted: "Check who may read and write it and the folders above it: ls -ld."
    case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "Raise the limit of open files: ulimit -n."
    case .fileTooLarge: "Raise the limit of file sizes: ulimit -f."
    case .noSpace, .diskQuotaExceeded: "Free some space or write elsewhere."
    default: ""
    }
  }
}
