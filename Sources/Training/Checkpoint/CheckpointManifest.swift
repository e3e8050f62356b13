import Base
import Foundation

/// `MANIFEST.json`: what a complete checkpoint folder must hold. It is written last, so its presence means "all was written".
struct CheckpointManifest: Codable, Equatable {
  struct Entry: Codable, Equatable {
    let name: String
    let bytes: Int
    /// Eight hexadecimal digits.
    let crc32c: String
  }

  static let name = "MANIFEST.json"
  static let currentVersion = 1

  var format = "apus-checkpoint"
  var version = currentVersion
  let step: Int
  let files: [Entry]

  init(step: Int, files: [CheckpointFile]) {
    self.step = step
    self.files = files.map { Entry(name: $0.name, bytes: $0.bytes.count, crc32c: CheckpointManifest.digits($0.bytes)) }
  }

  /// - Throws: `Failure(.badData)` if the folder has no manifest of this format, `.inputOutput` if it cannot be read.
  init(folder: String, expectedStep: Int) throws {
    let path = "\(folder)/\(CheckpointManifest.name)"
    let bytes: [UInt8]
    do {
      bytes = try File.bytes(at: path)
    } catch let failure as Failure where failure.kind == .missingInput {
      throw Failure(.badData, at: folder, "this is not a complete checkpoint: it has no \(CheckpointManifest.name)")
    }
    guard let manifest = try? JSONDecoder().decode(CheckpointManifest.self, from: Data(bytes)), manifest.format == "apus-checkpoint" else {
      throw Failure(.badData, at: path, "this is not the manifest of an Apus checkpoint")
    }
    guard manifest.version <= CheckpointManifest.currentVersion else {
      throw Failure(.badData, at: path, "the checkpoint has format version \(manifest.version), this program reads up to "
                    + "\(CheckpointManifest.currentVersion)", remedy: "use a newer version of apus")
    }
    guard manifest.step == expectedStep else {
      throw Failure(.badData, at: path, "the manifest is of step \(manifest.step), the folder of step \(expectedStep)")
    }
    if let strange = manifest.files.first(where: { !CheckpointManifest.isPlainName($0.name) }) {
      throw Failure(.badData, at: path, "'\(strange.name)' is not the name of a file in this folder")
    }
    self = manifest
  }

  func json() throws -> [UInt8] {
    return Array(try JSONEncoder.ofFiles.encode(self)) + [UInt8(ascii: "\n")]
  }

  /// The content of one file of the folder, checked against this manifest.
  func verifiedBytes(of entry: Entry, in folder: String) throws -> [UInt8] {
    let path = "\(folder)/\(entry.name)"
    let bytes: [UInt8]
    do {
      bytes = try File.bytes(at: path)
    } catch let failure as Failure where failure.kind == .missingInput {
      throw Failure(.badData, at: path, "this file of the checkpoint is missing")
    }
    guard bytes.count == entry.bytes else {
      throw Failure(.badData, at: path, "the file has \(bytes.count) bytes, the manifest says \(entry.bytes)")
    }
    let found = CheckpointManifest.digits(bytes)
    guard found == entry.crc32c else {
      throw Failure(.badData, at: path, "the file is damaged: its CRC-32C is \(found), the manifest says \(entry.crc32c)")
    }
    return bytes
  }

  static func isPlainName(_ name: String) -> Bool { !name.isEmpty && !name.contains("/") && !name.hasPrefix(".") && name != Self.name }

  private static func digits(_ bytes: [UInt8]) -> String { CRC32C.of(bytes).padded(to: 8, radix: 16) }
}
