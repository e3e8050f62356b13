import Base

/// The checkpoints of one run folder: `checkpoints/step_00012000/…` and the pointers `last_checkpoint` and `best_checkpoint`.
///
/// A checkpoint is written into a folder `….partial`, flushed, and renamed; the pointer follows. So whatever happens, the
/// pointer names a complete checkpoint. What cannot be read (no permission, a broken disk) throws; it is never taken for missing, and
/// nothing is deleted because of it.
public struct CheckpointStore: Sendable {
  /// The text files in the run folder that name a checkpoint.
  public enum Pointer: String, Sendable, CaseIterable {
    case last = "last_checkpoint"
    case best = "best_checkpoint"
  }

  public let runFolder: String
  private let write: @Sendable ([UInt8], String) throws -> Void
  /// Throws if the folder at this path is no longer the one that the run began in; asked before anything in it is changed.
  private let requireOwn: @Sendable () throws -> Void

  /// - Parameter write: puts bytes durably into a file; tests replace it to see what a failing disk does.
  public init(runFolder: String, write: @escaping @Sendable ([UInt8], String) throws -> Void = { try AtomicFile.write($0, to: $1) }) {
    self.init(runFolder: runFolder, write: write, requireOwn: {})
  }

  init(runFolder: String, write: @escaping @Sendable ([UInt8], String) throws -> Void = { try AtomicFile.write($0, to: $1) },
       requireOwn: @escaping @Sendable () throws -> Void) {
    (self.runFolder, self.write, self.requireOwn) = (runFolder, write, requireOwn)
  }

  public var folder: String { "\(runFolder)/checkpoints" }

  /// `step_00012000`.
  public static func folderName(step: Int) -> String { Checkpoint.folderName(step: step) }

  public func path(step: Int) -> String { "\(folder)/\(Checkpoint.folderName(step: step))" }

  /// The steps of all folders that are not partial, ascending; whether they are sound shows when they are read.
  /// - Throws: `.inputOutput` if the folder cannot be listed.
  public var steps: [Int] { get throws { try File.entries(of: folder).compactMap(Checkpoint.step(ofFolder:)).sorted() } }

  // MARK: Writing

  /// Writes a checkpoint and lets `last_checkpoint` name it; with `best`, `best_checkpoint` as well.
  /// - Throws: `Failure(.inputOutput)` on a full disk; the partial folder is then removed and the pointers are as before.
  public func save(step: Int, files: [CheckpointFile], best: Bool = false) throws {
    try requireOwn()
    let partial = path(step: step) + ".partial"
    do {
      try File.removeTree(partial)
      try File.createFolder(partial)
      for file in files {
        require(CheckpointManifest.isPlainName(file.name), "checkpoint: '\(file.name)' is not a plain file name")
        try write(file.bytes, "\(partial)/\(file.name)")
      }
      try write(try CheckpointManifest(step: step, files: files).json(), "\(partial)/\(CheckpointManifest.name)")
      try Checkpoint.verify(folder: partial, step: step)
      try requireOwn()
      try replace(path(step: step), with: partial)
    } catch {
      guard (try? requireOwn()) != nil else { throw error }
      try? File.removeTree(partial)
      throw explained(error)
    }
    try point(.last, at: step)
    if best { try point(.best, at: step) }
  }

  /// Renames `partial`, which is known to be sound, to `path`. A folder already there (of steps that a resume from an older checkpoint
  /// repeats) is moved aside first, so that at every moment one of the two can be found.
  private func replace(_ path: String, with partial: String) throws {
    let aside = path + ".replaced"
    try File.removeTree(aside)
    let hasOlder = try File.move(path, to: aside)
    do {
      guard try File.move(partial, to: path) else { throw Failure(.inputOutput, at: partial, "the finished folder is gone") }
    } catch {
      if hasOlder { _ = try? File.move(aside, to: path) }
      throw error
    }
    File.synchronize(folder: folder)
    if hasOlder { try File.removeTree(aside) }
  }

  private func explained(_ error: any Error) -> any Error {
    guard let failure = error as? Failure, failure.kind == .inputOutput else { return error }
    let last = try? step(of: .last)  // only for the message
    let good = last.map { "the checkpoint of step \($0) is untouched" } ?? "there is no older checkpoint"
    let isFull = failure.problem.contains("disk full")
    let cure = isFull ? "free some space on this disk, then " : failure.remedy.isEmpty ? "" : "\(failure.remedy) Then "
    return failure.told(remedy: "\(cure)continue with --resume auto; \(good)")
  }

  // MARK: Pointers

  /// The content of a pointer: no file, a file without the name of a checkpoint, or the step that it names.
  private enum Target: Equatable {
    case nothing, unclear
    case step(Int)
  }

  private func target(of pointer: Pointer) throws -> Target {
    guard let bytes = try File.bytesIfPresent(at: "\(runFolder)/\(pointer.rawValue)") else { return .nothing }
    let line = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    return Checkpoint.step(ofFolder: Path.name(line)).map { .step($0) } ?? .unclear
  }

  /// The step that a pointer names; nil if there is no such pointer, or it does not name a checkpoint.
  /// - Throws: `.inputOutput` if it cannot be read.
  public func step(of pointer: Pointer) throws -> Int? {
    if case .step(let step) = try target(of: pointer) { step } else { nil }
  }

  /// Lets a pointer name a step; the text is the path relative to the run folder.
  public func point(_ pointer: Pointer, at step: Int) throws {
    try requireOwn()
    try write(Array("checkpoints/\(Checkpoint.folderName(step: step))\n".utf8), "\(runFolder)/\(pointer.rawValue)")
  }

  func remove(_ pointer: Pointer) throws {
    try requireOwn()
    try File.removeTree("\(runFolder)/\(pointer.rawValue)")
  }

  // MARK: Reading

  /// The checkpoint that `last_checkpoint` names or, if that one is damaged, the newest older one that is sound; nil if there is none.
  /// - Parameter warn: told about each damaged checkpoint that was passed over.
  /// - Throws: `.inputOutput` if one cannot be read: whether it is sound is then not known.
  public func newestSound(warn: (String) -> Void) throws -> Checkpoint? {
    let steps = try self.steps
    var pointed: Int?
    switch try target(of: .last) {
    case .step(let step): pointed = step
    case .nothing, .unclear:
      if !steps.isEmpty { warn("\(runFolder)/last_checkpoint is missing or names no checkpoint; trying the newest checkpoint") }
    }
    var candidates = steps.filter { $0 <= pointed ?? .max }
    if let pointed, !candidates.contains(pointed) { candidates.append(pointed) }
    for step in candidates.sorted(by: >) {
      do {
        return try Checkpoint(folder: path(step: step))
      } catch let failure as Failure where failure.kind == .badData {
        warn("\(failure); trying an older checkpoint")
      }
    }
    return nil
  }

  /// True if checkpoints were written here, sound or not: a folder or a pointer is there.
  /// - Throws: `.inputOutput` if that cannot be found out.
  func holdsAny() throws -> Bool {
    if try !steps.isEmpty { return true }
    return try Pointer.allCases.contains { try target(of: $0) != .nothing }
  }

  // MARK: Deleting

  /// Deletes what is no longer needed: all but the newest `count` checkpoints up to step `current`, those a pointer names and those of
  /// `milestones` up to there, and later ones, whose steps a resume from an
  /// older checkpoint repeats.
  ///
  /// Only what is known to be a checkpoint of this program goes: not one whose manifest cannot be read or that holds other files, and of
  /// the later ones not those that are damaged, for something of them may be saved. If a pointer is not understood, all stay.
  /// - Parameter superseded: a checkpoint that does not count among the newest.
  /// - Throws: `.inputOutput` if the folder or a pointer cannot be read; nothing is deleted then.
  public func prune(keepLast count: Int, current: Int, milestones: [Int] = [], superseded: Int? = nil) throws {
    try requireOwn()
    let steps = try self.steps
    var kept = Set(steps.filter { $0 <= current && $0 != superseded }.suffix(count) + milestones.filter { $0 <= current })
    for pointer in Pointer.allCases {
      switch try target(of: pointer) {
      case .nothing: break
      case .unclear: return
      case .step(let step): kept.insert(step)
      }
    }
    for step in steps where !kept.contains(step) && isDisposable(step: step, isLater: step > current) {
      // Renamed first, so that a half-deleted folder is never taken for a checkpoint.
      let leaving = path(step: step) + ".partial"
      if (try? File.removeTree(leaving)) != nil, (try? File.move(path(step: step), to: leaving)) == true { try? File.removeTree(leaving) }
    }
  }

  private func isDisposable(step: Int, isLater: Bool) -> Bool {
    let folder = path(step: step)
    guard let manifest = try? CheckpointManifest(folder: folder, expectedStep: step), let names = try? File.entries(of: folder) else {
      return false
    }
    let own = Set(manifest.files.map(\.name) + [CheckpointManifest.name])
    guard names.allSatisfy({ own.contains($0) || AtomicFile.isTemporary($0) }) else { return false }
    return !isLater || (try? Checkpoint.verify(folder: folder, step: step)) != nil
  }

  /// Deletes the partial folders that a killed run left behind. A checkpoint that was moved aside for its successor goes too if that one
  /// is sound, and comes back if it never arrived.
  /// - Throws: `.inputOutput` if the folder cannot be listed, or a successor cannot be read.
  public func removePartial() throws {
    for name in try File.entries(of: folder) {
      if name.hasSuffix(".partial"), Checkpoint.step(ofFolder: String(name.dropLast(".partial".count))) != nil {
        try requireOwn()
        try File.removeTree("\(folder)/\(name)")
      } else if name.hasSuffix(".replaced"), let step = Checkpoint.step(ofFolder: String(name.dropLast(".replaced".count))) {
        try requireOwn()
        try settle("\(folder)/\(name)", ofStep: step)
      }
    }
  }

  private func settle(_ aside: String, ofStep step: Int) throws {
    let successor = path(step: step)
    guard try File.exists(successor) else {
      _ = try File.move(aside, to: successor)  // the only copy
      return
    }
    do {
      try Checkpoint.verify(folder: successor, step: step)
      try File.removeTree(aside)
    } catch let failure as Failure where failure.kind == .badData {
      // Neither is thrown away: a user may still want the older one.
    }
  }
}
