import Base
import WeightFiles

/// The weights that a user points at: a file, or the one of a checkpoint.
public struct WeightFile: Sendable {
  /// The file, as messages name it.
  public let path: String
  /// The step of the checkpoint that it belongs to; nil for a file of its own.
  public let step: Int?
  /// The verified content of a checkpoint's file, so that it stays what it is if the run that still trains deletes it; nil for a file of
  /// its own, which is to be read from `path`.
  public let bytes: [UInt8]?

  /// The part of a checkpoint that holds the weights, if its task does not name another.
  public static let standardPart = "model"

  /// The file of a part in a checkpoint's folder: `model.safetensors`.
  static func name(of part: String) -> String { "\(part).safetensors" }

  /// The weight file behind a path: the file itself, that of a checkpoint folder, or that of the best checkpoint of a run folder.
  ///
  /// Of a run folder without a best checkpoint the last one is taken, and if the chosen one is damaged the newest that is sound. A
  /// checkpoint is verified in full, also when one of its files is named.
  /// - Parameters:
  ///   - part: the part of the checkpoint.
  ///   - note: told which checkpoint of a run folder was taken, and in lines that begin with `warning: ` which ones were passed over.
  /// - Throws: `.missingInput` if there is nothing, `.badData` if a checkpoint is damaged, `.inputOutput` if one cannot be read.
  public static func open(_ path: String, part: String = standardPart, note: (String) -> Void = { _ in }) throws -> WeightFile {
    switch try File.kind(at: path) {
    case nil: throw Failure(.missingInput, at: path, "there is no such weight file, checkpoint or run folder")
    case .folder?:
      guard Checkpoint.step(ofFolder: Path.name(path)) != nil else { return try ofRun(path, name(of: part), note) }
      return try WeightFile(Checkpoint(folder: path), name(of: part))
    case .file?, .other?:
      let parent = File.folder(of: path)
      guard Checkpoint.step(ofFolder: Path.name(parent)) != nil, try File.exists("\(parent)/\(CheckpointManifest.name)") else {
        return WeightFile(path: path, step: nil, bytes: nil)
      }
      return try WeightFile(Checkpoint(folder: parent), Path.name(path))
    }
  }

  /// The path of `open`.
  /// - Throws: as `open`.
  public static func locate(_ path: String, part: String = standardPart) throws -> String { try open(path, part: part).path }

  /// The arrays in it.
  /// - Parameters:
  ///   - key: which dictionary of a `.pth` file.
  ///   - warn: told what is left out.
  /// - Throws: the failures of reading; see `StateDictionary.init(at:key:warn:)`.
  public func stateDictionary(key: String? = nil, warn: (String) -> Void = { _ in }) throws -> StateDictionary {
    try bytes.map { try StateDictionary(bytes: $0, name: path, key: key, warn: warn) } ?? StateDictionary(at: path, key: key, warn: warn)
  }

  private init(path: String, step: Int?, bytes: [UInt8]?) {
    self.path = path
    self.step = step
    self.bytes = bytes
  }

  private init(_ checkpoint: Checkpoint, _ name: String) throws {
    guard let bytes = checkpoint.files[name] else { throw Failure(.badData, at: checkpoint.path, "this checkpoint holds no \(name)") }
    self.init(path: "\(checkpoint.path)/\(name)", step: checkpoint.step, bytes: bytes)
  }

  private static func ofRun(_ folder: String, _ name: String, _ note: (String) -> Void) throws -> WeightFile {
    let store = CheckpointStore(runFolder: folder)
    var unusable: Set<Int> = []
    var first: Failure?
    var tries = 0
    while let choice = try choice(in: store, besides: unusable) {
      do {
        let file = try WeightFile(Checkpoint(folder: store.path(step: choice.step)), name)
        let part = name == Self.name(of: standardPart) ? "" : ", its \(Path.stem(name))"
        note("weights: the \(first == nil ? choice.why : "newest sound") checkpoint of \(folder), step \(choice.step)\(part)")
        return file
      } catch let failure as Failure where failure.kind == .badData {
        tries += 1
        // A run that still trains may delete or replace what was chosen while it is read: look again what there is now.
        let isGone = try !File.exists(store.path(step: choice.step))
        if tries < 4, isGone || tries == 1 { continue }
        unusable.insert(choice.step)
        tries = 0
        first = first ?? failure
        note("warning: \(failure); looking for another checkpoint")
      }
    }
    throw first ?? Failure(.missingInput, at: folder, "this folder holds no checkpoint",
                           remedy: "Name a .safetensors or .pth file, a checkpoint or a run folder.")
  }

  private static func choice(in store: CheckpointStore, besides unusable: Set<Int>) throws -> (step: Int, why: String)? {
    let pointers: [(CheckpointStore.Pointer, String)] = [(.best, "best"), (.last, "last")]
    for (pointer, why) in pointers where unusable.isEmpty {
      if let step = try store.step(of: pointer) { return (step, why) }
    }
    return try store.steps.last { !unusable.contains($0) }.map { ($0, "newest") }
  }
}
