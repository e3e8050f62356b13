import Foundation
import SystemPackage

extension File {
  /// Makes a folder and those above it, if they are not there.
  /// - Throws: `.cannotCreate` naming the part of the path that cannot be made, `.inputOutput` on a full or broken disk.
  public static func createFolder(_ path: String) throws {
    switch try kind(at: path) {
    case .folder?: return
    case .file?, .other?: throw Failure(.cannotCreate, at: path, "this is a file, expected a folder")
    case nil: break
    }
    let parent = folder(of: path)
    if parent != path { try createFolder(parent) }
    _ = try createNewFolder(path)
  }

  /// Makes a folder in one that is there; false if something of that name is there already, so that of two who try only one succeeds.
  /// - Throws: as `createFolder`.
  package static func createNewFolder(_ path: String) throws -> Bool {
    if mkdir(path, 0o777) == 0 { return true }
    let error = Errno(rawValue: errno)
    if error == .fileExists { return false }
    if error.isFullDisk { throw Failure(.inputOutput, at: path, "disk full: the folder cannot be created", remedy: error.remedy) }
    throw Failure(error.isBroken ? .inputOutput : .cannotCreate, at: path, "the folder cannot be created: \(error)",
                  remedy: "Check the path and its permissions.")
  }

  /// The names in a folder, hidden ones too, in no order; none only if there is no such folder.
  /// - Throws: `.inputOutput` if it cannot be listed to the end.
  package static func entries(of folder: String) throws -> [String] {
    guard let stream = opendir(folder) else {
      let error = Errno(rawValue: errno)
      if error.meansAbsence { return [] }
      throw unreadable(folder, error)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        let error = Errno(rawValue: errno)
        guard error.rawValue == 0 else { throw unreadable(folder, error) }
        return names
      }
      let place = UnsafeRawPointer(entry) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
      let name = String(cString: place.assumingMemoryBound(to: CChar.self))
      if name != ".", name != ".." { names.append(name) }
    }
  }

  /// The paths of all that is below a folder, relative to it, folders themselves left out; links to folders are not followed.
  /// - Throws: `.inputOutput` if one cannot be listed.
  package static func files(below folder: String) throws -> [String] {
    try entries(of: folder).flatMap { name -> [String] in
      let place = Path.join(folder, name)
      do {
        guard try FilePath(place).stat(followTargetSymlink: false).type == .directory else { return [name] }
      } catch let error as Errno {
        throw unreadable(place, error)
      }
      return try files(below: place).map { Path.join(name, $0) }
    }
  }

  /// Deletes a file, or a folder with all that is in it; links are not followed. If nothing is there, nothing happens.
  /// - Throws: `.inputOutput` if something cannot be deleted.
  package static func removeTree(_ path: String) throws {
    do {
      if try FilePath(path).stat(followTargetSymlink: false).type == .directory {
        for name in try entries(of: path) { try removeTree(Path.join(path, name)) }
        guard rmdir(path) == 0 else { throw Errno(rawValue: errno) }
      } else {
        guard unlink(path) == 0 else { throw Errno(rawValue: errno) }
      }
    } catch let error as Errno {
      if !error.meansAbsence { throw Failure(.inputOutput, at: path, "cannot be deleted: \(error)", remedy: error.remedy) }
    }
  }

  /// Gives a file or folder another name, which is taken from whatever had it.
  /// - Returns: false only if there is nothing at `path`.
  /// - Throws: `.inputOutput` if it cannot be done.
  package static func move(_ path: String, to target: String) throws -> Bool {
    if rename(path, target) == 0 { return true }
    let error = Errno(rawValue: errno)
    if error.meansAbsence { return false }
    throw Failure(.inputOutput, at: path, "cannot be renamed to \(target): \(error)", remedy: error.remedy)
  }

  /// Makes the names in `folder` durable. Some network file systems refuse this; the rename is in place all the same.
  package static func synchronize(folder: String) {
    guard let descriptor = try? FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec]) else { return }
    fsync(descriptor.rawValue)
    try? descriptor.close()
  }
}

extension Errno {
  /// Whether the disk or the system failed, rather than the path or its permissions.
  var isBroken: Bool {
    [.ioError, .staleNFSFileHandle, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .fileTooLarge].contains(self) || isFullDisk
  }
}
