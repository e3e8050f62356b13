import Base
import Foundation

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
  /// - Throws: `Failure(.badData)` naming the file that is missing, of another size, or damaged.
  public init(folder path: String) throws {
    guard let step = CheckpointStore.step(ofFolder: (path as NSString).lastPathComponent) else {
      throw Failure(.badData, at: path, "expected a checkpoint folder named step_ and a number")
    }
    let manifest = try CheckpointManifest(folder: path, expectedStep: step)
    var files: [String: [UInt8]] = [:]
    for entry in manifest.files { files[entry.name] = try manifest.verifiedBytes(of: entry, in: path) }
    (self.step, self.path, self.files) = (step, path, files)
  }
}

/// The checkpoints of one run folder: `checkpoints/step_00012000/…` and the pointers `last_checkpoint` and `best_checkpoint`.
///
/// A checkpoint is written into a folder `….partial`, flushed, and renamed; the pointer follows. So whatever happens, the
/// pointer names a complete checkpoint.
public struct CheckpointStore: Sendable {
  /// The text files in the run folder that name a checkpoint.
  public enum Pointer: String, Sendable, CaseIterable {
    case last = "last_checkpoint"
    case best = "best_checkpoint"
  }

  public let runFolder: String
  private let write: @Sendable ([UInt8], String) throws -> Void

  /// - Parameter write: puts bytes durably into a file; tests replace it to see what a failing disk does.
  public init(runFolder: String, write: @escaping @Sendable ([UInt8], String) throws -> Void = { try AtomicFile.write($0, to: $1) }) {
    (self.runFolder, self.write) = (runFolder, write)
  }

  public var folder: String { "\(runFolder)/checkpoints" }

  /// `step_00012000`.
  public static func folderName(step: Int) -> String {
    let digits = String(step)
    return "step_" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  static func step(ofFolder name: String) -> Int? {
    guard name.hasPrefix("step_"), let step = Int(name.dropFirst(5)), step >= 0, folderName(step: step) == name else { return nil }
    return step
  }

  public func path(step: Int) -> String { "\(folder)/\(CheckpointStore.folderName(step: step))" }

  /// The steps of all folders that are not partial, ascending; whether they are sound shows when they are read.
  public var steps: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap(CheckpointStore.step(ofFolder:)).sorted()
  }

  /// Writes a checkpoint and lets `last_checkpoint` name it; with `best`, `best_checkpoint` as well.
  /// - Throws: `Failure(.inputOutput)` on a full disk; the partial folder is then removed and the pointers are as before.
  public func save(step: Int, files: [CheckpointFile], best: Bool = false) throws {
    let partial = path(step: step) + ".partial"
    do {
      try? FileManager.default.removeItem(atPath: partial)
      try File.createFolder(partial)
      for file in files {
        guard CheckpointManifest.isPlainName(file.name) else { stop("checkpoint: '\(file.name)' is not a plain file name") }
        try write(file.bytes, "\(partial)/\(file.name)")
      }
      try write(try CheckpointManifest(step: step, files: files).json(), "\(partial)/\(CheckpointManifest.name)")
      try replace(path(step: step), with: partial)
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw explained(error)
    }
    try point(.last, at: step)
    if best { try point(.best, at: step) }
  }

  /// Renames `partial` to `path`; a folder already there (of a future that was given up) is moved aside first.
  private func replace(_ path: String, with partial: String) throws {
    let aside = path + ".replaced"
    try? FileManager.default.removeItem(atPath: aside)
    _ = rename(path, aside)
    guard rename(partial, path) == 0 else {
      let reason = String(cString: strerror(errno))
      _ = rename(aside, path)
      throw Failure(.inputOutput, at: path, "cannot rename the finished checkpoint: \(reason)")
    }
    File.synchronize(folder: folder)
    try? FileManager.default.removeItem(atPath: aside)
  }

  private func explained(_ error: any Error) -> any Error {
    guard let failure = error as? Failure, failure.kind == .inputOutput else { return error }
    let good = step(of: .last).map { "the checkpoint of step \($0) is untouched" } ?? "there is no older checkpoint"
    return Failure(failure.kind, at: failure.place, failure.problem,
                   remedy: "free some space on this disk, then continue with --resume auto; \(good)")
  }

  /// The step that a pointer names; nil if there is no such pointer or it is unreadable.
  public func step(of pointer: Pointer) -> Int? {
    guard let bytes = try? File.bytes(at: "\(runFolder)/\(pointer.rawValue)"), let text = String(validating: bytes, as: UTF8.self) else {
      return nil
    }
    let path = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return CheckpointStore.step(ofFolder: (path as NSString).lastPathComponent)
  }

  /// Lets a pointer name a step; the text is the path relative to the run folder.
  public func point(_ pointer: Pointer, at step: Int) throws {
    try write(Array("checkpoints/\(CheckpointStore.folderName(step: step))\n".utf8), "\(runFolder)/\(pointer.rawValue)")
  }

  func remove(_ pointer: Pointer) { unlink("\(runFolder)/\(pointer.rawValue)") }

  /// The checkpoint that `last_checkpoint` names or, if that one is damaged, the newest older one that is sound.
  /// - Parameter warn: told about each damaged checkpoint that was passed over.
  public func newestSound(warn: (String) -> Void) -> Checkpoint? {
    let pointed = step(of: .last)
    if pointed == nil, !steps.isEmpty { warn("\(runFolder)/last_checkpoint is missing or unreadable; trying the newest checkpoint") }
    var candidates = steps.filter { $0 <= pointed ?? .max }
    if let pointed, !candidates.contains(pointed) { candidates.append(pointed) }
    for step in candidates.sorted(by: >) {
      do {
        return try Checkpoint(folder: path(step: step))
      } catch {
        warn("\(error); trying an older checkpoint")
      }
    }
    return nil
  }

  /// Deletes what is no longer needed: all but the newest `count` checkpoints up to step `current`, those a pointer names and those of
  /// `milestones` up to there, and later ones, which belong to a future that was given up. What cannot be deleted stays.
  /// - Parameter superseded: a checkpoint that does not count among the newest.
  public func prune(keepLast count: Int, current: Int, milestones: [Int] = [], superseded: Int? = nil) {
    let kept = Set(steps.filter { $0 <= current && $0 != superseded }.suffix(count) + milestones.filter { $0 <= current } + Pointer.allCases.compactMap(step(of:)))
    for step in steps where !kept.contains(step) {
      // Renamed first, so that a half-deleted folder is never taken for a checkpoint.
      let leaving = path(step: step) + ".partial"
      try? FileManager.default.removeItem(atPath: leaving)
      if rename(path(step: step), leaving) == 0 { try? FileManager.default.removeItem(atPath: leaving) }
    }
  }

  /// Deletes the partial folders that a killed run left behind.
  public func removePartial() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasSuffix(".partial") || name.hasSuffix(".replaced") {
      // A crash between the two renames of `replace` leaves the only copy aside: put it back.
      let original = "\(folder)/\(name.dropLast(".replaced".count))"
      if name.hasSuffix(".replaced"), !FileManager.default.fileExists(atPath: original), rename("\(folder)/\(name)", original) == 0 { continue }
      try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
  }
}
