import Foundation

/// Listings of folders. Entries are judged by what they are, not by their names; links are followed.
package enum Folder {
  package enum Kind: Sendable, Equatable {
    case file, folder
    /// A pipe, a socket or a device.
    case special
    /// A link that leads to nothing.
    case brokenLink
  }

  /// Something in a folder.
  package struct Entry: Sendable, Equatable {
    /// Its name; bytes that are not UTF-8 are replaced, and then there is no way to it by this name.
    package let name: String
    package let kind: Kind
    package let isUTF8: Bool
  }

  /// The entries of a folder in natural order, without hidden ones.
  /// - Throws: `.missingInput` if there is no such folder, or it is a file; `.inputOutput` if it cannot be read.
  package static func entries(in folder: String) throws -> [Entry] {
    guard let stream = opendir(folder) else { throw unreadable(folder, errno) }
    defer { closedir(stream) }
    var entries: [Entry] = []
    while true {
      errno = 0
      guard let item = readdir(stream) else {
        guard errno == 0 else { throw unreadable(folder, errno) }
        break
      }
      let bytes = name(of: item)
      guard bytes.first != UInt8(ascii: ".") else { continue }
      let kind = try kind(of: bytes, in: folder, stream, hint: item.pointee.d_type)
      guard let kind else { continue }
      let name = String(validating: bytes, as: UTF8.self)
      entries.append(Entry(name: name ?? String(decoding: bytes, as: UTF8.self), kind: kind, isUTF8: name != nil))
    }
    return entries.sorted { precedes($0.name, $1.name) }
  }

  /// The names of the files in a folder in natural order; folders and pipes are passed over, whatever they are called.
  /// - Parameter isWanted: which names count.
  /// - Throws: as `entries(in:)`; `.badData` if a wanted name is not UTF-8, or a link that leads nowhere.
  package static func files(in folder: String, where isWanted: (String) throws -> Bool = { _ in true }) throws -> [String] {
    try names(in: folder, of: .file, where: isWanted)
  }

  /// The names of the folders in a folder in natural order.
  /// - Throws: as `files(in:where:)`.
  package static func folders(in folder: String, where isWanted: (String) throws -> Bool = { _ in true }) throws -> [String] {
    try names(in: folder, of: .folder, where: isWanted)
  }

  /// The names of all that is in a folder, in natural order.
  /// - Throws: as `entries(in:)`.
  package static func names(in folder: String) throws -> [String] { try entries(in: folder).map(\.name) }

  private static func names(in folder: String, of kind: Kind, where isWanted: (String) throws -> Bool) throws -> [String] {
    try entries(in: folder).compactMap { entry in
      guard entry.kind == kind || entry.kind == .brokenLink, try isWanted(entry.name) else { return nil }
      guard entry.kind == kind else {
        throw Failure(.badData, at: Path.join(folder, entry.name), "this link leads to nothing", remedy: "Mend or remove it.")
      }
      guard entry.isUTF8 else {
        throw Failure(.badData, at: folder, "the name '\(entry.name)' is not UTF-8, so it cannot be told from others",
                      remedy: "Rename it, for instance: convmv -r -f latin1 -t utf-8 --notest FOLDER")
      }
      return entry.name
    }
  }

  // MARK: The system's answers

  private static func name(of item: UnsafeMutablePointer<dirent>) -> [UInt8] {
    // The record is as long as its name: it must not be copied as a whole.
    let start = UnsafeRawPointer(item) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
    return [UInt8](UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
  }

  /// The kind of an entry; nil if it is gone meanwhile. Only links and file systems that tell nothing cost a question.
  private static func kind(of name: [UInt8], in folder: String, _ stream: OpaquePointer, hint: UInt8) throws -> Kind? {
    switch Int(hint) {
    case Int(DT_REG): return .file
    case Int(DT_DIR): return .folder
    case Int(DT_FIFO), Int(DT_SOCK), Int(DT_CHR), Int(DT_BLK): return .special
    default: break
    }
    var status = stat()
    let path = name.map(CChar.init(bitPattern:)) + [0]
    if fstatat(dirfd(stream), path, &status, 0) == 0 { return kind(of: status) }
    let code = errno
    guard [ENOENT, ELOOP, ENOTDIR].contains(code) else {
      throw unreadable(Path.join(folder, String(decoding: name, as: UTF8.self)), code)
    }
    return fstatat(dirfd(stream), path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? .brokenLink : nil
  }

  private static func kind(of status: stat) -> Kind {
    switch status.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    default: .special
    }
  }

  private static func unreadable(_ path: String, _ code: Int32) -> Failure {
    switch code {
    case ENOENT, ENAMETOOLONG: Failure(.missingInput, at: path, "there is no such folder")
    case ENOTDIR: Failure(.missingInput, at: path, "this is a file, expected a folder")
    default: Failure(.inputOutput, at: path, "cannot be read: \(File.reason(code))")
    }
  }

  // MARK: Order

  /// Natural order: runs of digits compare as numbers, so `frame9` comes before `frame10`; otherwise by bytes.
  package static func precedes(_ a: String, _ b: String) -> Bool {
    let x = runs(of: a)
    let y = runs(of: b)
    for (p, q) in zip(x, y) where p != q {
      guard let m = p.first, let n = q.first, isDigit(m), isDigit(n) else { return p.lexicographicallyPrecedes(q) }
      let v = p.drop { $0 == 0x30 }
      let w = q.drop { $0 == 0x30 }
      if v.count != w.count { return v.count < w.count }
      if !v.elementsEqual(w) { return v.lexicographicallyPrecedes(w) }
    }
    return x.count != y.count ? x.count < y.count : a < b
  }

  /// Alternating runs of digits and of other bytes.
  private static func runs(of name: String) -> [ArraySlice<UInt8>] {
    let bytes = Array(name.utf8)
    var runs: [ArraySlice<UInt8>] = []
    var start = 0
    for i in bytes.indices where i == bytes.count - 1 || isDigit(bytes[i]) != isDigit(bytes[i + 1]) {
      runs.append(bytes[start...i])
      start = i + 1
    }
    return runs
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
