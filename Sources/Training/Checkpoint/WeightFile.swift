import Base
import Foundation

/// Where the weights are that a user points at.
public enum WeightFile {
  /// The part of a checkpoint that holds the weights, if its task does not name another.
  public static let standardPart = "model"

  /// The file of a part in a checkpoint's folder: `model.safetensors`.
  static func name(of part: String) -> String { "\(part).safetensors" }

  /// The weight file behind a path: the file itself, that of a checkpoint folder, or that of the best checkpoint of a run folder
  /// (the last one if none was judged best). A checkpoint is verified, also when one of its files is named.
  /// - Throws: `.missingInput` if there is nothing, `.badData` if a checkpoint is damaged.
  public static func locate(_ path: String, part: String = standardPart) throws -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Failure(.missingInput, at: path, "there is no such weight file, checkpoint or run folder")
    }
    guard isFolder.boolValue else {
      let parent = File.folder(of: path)
      if FileManager.default.fileExists(atPath: "\(parent)/\(CheckpointManifest.name)"),
         CheckpointStore.step(ofFolder: (parent as NSString).lastPathComponent) != nil {
        _ = try Checkpoint(folder: parent)
      }
      return path
    }
    if CheckpointStore.step(ofFolder: (path as NSString).lastPathComponent) != nil {
      let checkpoint = try Checkpoint(folder: path)
      let name = name(of: part)
      guard checkpoint.files[name] != nil else { throw Failure(.badData, at: path, "this checkpoint holds no \(name)") }
      return "\(path)/\(name)"
    }
    let store = CheckpointStore(runFolder: path)
    guard let step = store.step(of: .best) ?? store.step(of: .last) else {
      throw Failure(.missingInput, at: path, "this folder holds no checkpoint",
                    remedy: "Name a .safetensors or .pth file, a checkpoint or a run folder.")
    }
    return try locate(store.path(step: step), part: part)
  }
}
