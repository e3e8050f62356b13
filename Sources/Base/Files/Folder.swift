import Foundation

/// Listings of folders.
package enum Folder {
  /// The names in a folder in natural order, without hidden ones.
  /// - Throws: `.missingInput` if there is no such folder, or it is a file.
  package static func names(in folder: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw Failure(.missingInput, at: folder, "there is no such folder")
    }
    guard isFolder.boolValue else { throw Failure(.missingInput, at: folder, "this is a file, expected a folder") }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }.sorted(by: precedes)
    } catch {
      throw Failure(.missingInput, at: folder, "the folder cannot be listed: \(error)")
    }
  }

  package static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  /// Whether there is something here that is no folder.
  package static func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
  }

  /// Natural order: runs of digits compare as numbers, so `frame9` comes before `frame10`; otherwise by bytes.
  package static func precedes(_ a: String, _ b: String) -> Bool {
    let x = runs(of: a), y = runs(of: b)
    for (p, q) in zip(x, y) where p != q {
      guard let m = p.first, let n = q.first, isDigit(m), isDigit(n) else { return p.lexicographicallyPrecedes(q) }
      let v = p.drop { $0 == 0x30 }, w = q.drop { $0 == 0x30 }
      if v.count != w.count { return v.count < w.count }
      if !v.elementsEqual(w) { return v.lexicographicallyPrecedes(w) }
    }
    return x.count != y.count ? x.count < y.count : a < b
  }

  /// Alternating runs of digits and of other bytes.
  private static func runs(of name: String) -> [ArraySlice<UInt8>] {
    let bytes = Array(name.utf8)
    var runs: [ArraySlice<UInt8>] = [], start = 0
    for i in bytes.indices where i == bytes.count - 1 || isDigit(bytes[i]) != isDigit(bytes[i + 1]) {
      runs.append(bytes[start...i])
      start = i + 1
    }
    return runs
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
