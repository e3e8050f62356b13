import Base
import Training

/// The checksum of the data that a config names: names, sizes and bytes of every file.
///
/// Data are what the sections `data` and `validation` name, in the config and in its stages: each text there that is the path of a file or
/// a folder. Nothing is remembered from one process to the next, so that a changed byte is seen even if size and time are the old ones.
package struct DataChecksum {
  private var known: [String: UInt32] = [:]
  private static let deepest = 32

  /// That of a config of whose data nothing is there.
  static let nothing = CRC32C().value.padded(to: 8, radix: 16)

  package init() {}

  /// - Parameter resolved: a config in full, as YAML.
  /// - Returns: eight hexadecimal digits.
  /// - Throws: the failures of reading.
  package mutating func callAsFunction(of resolved: String) throws -> String {
    try checksum(of: try ConfigFile.tree(of: resolved, named: "config").dataTexts())
  }

  /// The same of the weights that a config names.
  package mutating func weights(of resolved: String) throws -> String {
    try checksum(of: try ConfigFile.tree(of: resolved, named: "config").weightTexts())
  }

  private mutating func checksum(of texts: [(key: String, text: String)]) throws -> String {
    var checksum = CRC32C()
    for (key, text) in texts {
      guard let kind = try File.kind(at: text), kind != .other else { continue }
      let value = try known[text] ?? Self.checksum(of: text, kind)
      known[text] = value
      checksum.add("\(key) \(value)\n")
    }
    return checksum.value.padded(to: 8, radix: 16)
  }

  private static func checksum(of path: String, _ kind: File.Kind) throws -> UInt32 {
    var checksum = CRC32C()
    if kind == .folder { try add(folder: path, "", depth: 0, to: &checksum) } else { try add(file: path, "", to: &checksum) }
    return checksum.value
  }

  private static func add(folder: String, _ name: String, depth: Int, to checksum: inout CRC32C) throws {
    guard depth < deepest else { throw Failure(.badData, at: folder, "more than \(deepest) folders in each other, or a link to one above") }
    for entry in try Folder.entries(in: folder) {
      let place = Path.join(folder, entry.name)
      switch entry.kind {
      case .file: try add(file: place, Path.join(name, entry.name), to: &checksum)
      case .folder: try add(folder: place, Path.join(name, entry.name), depth: depth + 1, to: &checksum)
      case .special, .brokenLink: continue
      }
    }
  }

  private static func add(file: String, _ name: String, to checksum: inout CRC32C) throws {
    let bytes = try File.bytes(at: file)
    checksum.add("\(name) \(bytes.count)\n")
    bytes.withUnsafeBytes { checksum.update($0) }
  }
}

extension CRC32C {
  fileprivate mutating func add(_ text: String) { Array(text.utf8).withUnsafeBytes { update($0) } }
}
