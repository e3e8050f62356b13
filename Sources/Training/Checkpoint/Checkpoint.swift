import Base

/// One file of a checkpoint: a name without folders, and the content.
public struct CheckpointFile: Sendable, Equatable {
  public let name: String
  public let bytes: [UInt8]

  public init(name: String, bytes: [UInt8]) {
    (self.name, self.bytes) = (name, bytes)
  }
}

/// A checkpoint read back in full, every checksum verified.
public struct Checkpoint: Sendable, Equatable {
  /// Updates done when it was written.
  public let step: Int
  public let path: String
  public let files: [String: [UInt8]]

  /// The checkpoint in the folder `path`, named `step_…`.
  /// - Throws: `Failure(.badData)` naming the file that is missing, of another size, or damaged; `.inputOutput` if one cannot be read.
  public init(folder path: String) throws {
    guard let step = Checkpoint.step(ofFolder: Path.name(path)) else {
      throw Failure(.badData, at: path, "expected a checkpoint folder named step_ and a number")
    }
    let manifest = try CheckpointManifest(folder: path, expectedStep: step)
    var files: [String: [UInt8]] = [:]
    for entry in manifest.files { files[entry.name] = try manifest.verifiedBytes(of: entry, in: path) }
    (self.step, self.path, self.files) = (step, path, files)
  }

  /// Reads the files of a checkpoint as `init(folder:)` does, one after the other, and keeps nothing of them.
  static func verify(folder path: String, step: Int) throws {
    let manifest = try CheckpointManifest(folder: path, expectedStep: step)
    for entry in manifest.files { _ = try manifest.verifiedBytes(of: entry, in: path) }
  }

  /// `step_00012000`.
  static func folderName(step: Int) -> String { "step_" + step.padded(to: 8) }

  /// The step that a folder's name tells; nil if it is not the name of a checkpoint.
  static func step(ofFolder name: String) -> Int? {
    guard name.hasPrefix("step_"), let step = Int(name.dropFirst("step_".count)), step >= 0 else { return nil }
    return folderName(step: step) == name ? step : nil
  }
}
