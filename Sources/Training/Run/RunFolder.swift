import Base
import Foundation

/// The folder of one run, locked while this value lives.
///
/// It holds `config.yaml` (resolved), `overrides.txt`, `env.json`, `run.json`, `train.log`, `metrics.jsonl`, `metrics.csv`,
/// `events.out.tfevents.*`, `checkpoints/step_…`, the pointers `last_checkpoint` and `best_checkpoint`, and `vis/`.
public final class RunFolder: Sendable {
  /// A folder made ready, and what to continue from.
  public struct Opened {
    public let folder: RunFolder
    /// nil: a fresh run.
    public let checkpoint: Checkpoint?
    /// Messages for the user: the run's folder, what it continues, and damaged checkpoints that were passed over.
    public let notes: [String]
  }

  public let path: String
  let configYAML: String
  private let overrides: String
  private let environment: String
  private let lock: FolderLock
  /// Records the run as failed where the process ends because of a failure that nothing can catch.
  private let registration: ProcessExit.Registration

  public var store: CheckpointStore { CheckpointStore(runFolder: path) { [weak self] in try self?.requireOwn() } }

  private init(path: String, _ request: RunRequest, _ environment: EnvironmentInfo, lock: FolderLock) throws {
    (self.path, self.lock) = (path, lock)
    configYAML = request.resolvedYAML
    overrides = request.overrides.map { $0.option + "\n" }.joined()
    self.environment = try environment.json()
    registration = ProcessExit.onFailure { failure in
      if (try? lock.isHeld()) == true { RunRecord.fail(with: failure, in: path) }
    }
  }

  /// Writes `config.yaml`, `overrides.txt` and `env.json`. To be called when the checkpoint is known to fit: one that does not leaves the
  /// folder as it was.
  package func writeSettings() throws {
    try requireOwn()
    try AtomicFile.write(configYAML, to: "\(path)/config.yaml")
    try AtomicFile.write(overrides, to: "\(path)/overrides.txt")
    try AtomicFile.write(environment, to: "\(path)/env.json")
  }

  /// Checks that the folder at this path is still the one that the run began in, so that nothing is written into another's.
  /// - Throws: `.inputOutput` if it was moved, replaced or deleted.
  package func requireOwn() throws {
    guard try !lock.isHeld() else { return }
    let now = lock.presentFolder
    throw Failure(.inputOutput, at: path, "the run folder was moved, replaced or deleted while the run was going on"
                    + (now.map { "; it is now \($0)" } ?? ""),
                  remedy: now.map { "Continue it with --resume \($0)." } ?? "Start again; nothing more was written there.")
  }

  /// Writes `run.json`, into the run's own folder wherever it is now.
  func write(_ record: RunRecord) throws {
    guard try !lock.isHeld() else { return try record.write(to: path) }
    if let now = lock.presentFolder { try record.write(to: now) }
  }

  // MARK: Opening

  /// Finds or creates the run folder, and locks it.
  /// - Parameter beginning: called before a folder is made for a new run, and not if one is continued; what it throws leaves nothing
  ///   behind.
  /// - Throws: `Failure(.missingInput)` or `.badData` if the checkpoint asked for is not there or damaged, or if the run has checkpoints of
  ///   which none can be used; `.cannotCreate` if the folder is locked by another process, or holds a run that nobody asked to continue;
  ///   `.inputOutput` if it cannot be found out what is there.
  public static func open(
    _ request: RunRequest, environment: EnvironmentInfo, time: TimeSource = .system, beginning: () throws -> Void = {}
  ) throws -> Opened {
    var notes: [String] = []
    let place = try place(request, time: time, notes: &notes, beginning)
    let folder = try RunFolder(path: place.path, request, environment, lock: place.lock)
    if let checkpoint = place.checkpoint {
      notes.append("resuming \(folder.path) after step \(checkpoint.step)")
      notes += try folder.changes(to: request.resolvedYAML)
    } else {
      notes.append("starting a new run in \(folder.path)")
    }
    return Opened(folder: folder, checkpoint: place.checkpoint, notes: notes)
  }

  private struct Place {
    let path: String
    let lock: FolderLock
    var checkpoint: Checkpoint?
  }

  private static func place(
    _ request: RunRequest, time: TimeSource, notes: inout [String], _ beginning: () throws -> Void
  ) throws -> Place {
    switch request.resume {
    case .from(let source): return try continuing(from: source, request, notes: &notes)
    case .auto: if let place = try newest(request, notes: &notes) { return place }
    case .never: break
    }
    try beginning()
    return try fresh(request, time: time)
  }

  /// The newest run with a sound checkpoint; nil if no run has any checkpoint.
  private static func newest(_ request: RunRequest, notes: inout [String]) throws -> Place? {
    var unusable: String?
    for path in try request.workDirectory.map({ [$0] }) ?? runs(for: request) where try File.exists(path) {
      try File.createFolder(path)  // refuses a file
      let lock = try locked(path)
      defer { withExtendedLifetime(lock) {} }
      let store = try swept(path)
      if let checkpoint = try store.newestSound(warn: { notes.append("warning: \($0)") }) {
        return Place(path: path, lock: lock, checkpoint: checkpoint)
      }
      if try store.holdsAny() { unusable = unusable ?? path }
    }
    guard let unusable else {
      notes.append("no checkpoint to resume from in \(request.workDirectory ?? request.stemFolder)")
      return nil
    }
    // Starting over would bury what may still be saved.
    let reason = notes.first { $0.contains(unusable) }.map { ": \($0.dropFirst("warning: ".count))" } ?? ""
    throw Failure(.badData, at: unusable, "this run has checkpoints, but none that can be used\(reason)",
                  remedy: request.workDirectory == nil ? "To start afresh, leave --resume out."
                    : "To start afresh, choose another --work-dir or move this folder away.")
  }

  private static func locked(_ path: String) throws -> FolderLock {
    try FolderLock(folder: path, what: "run folder", remedy: "wait until it ends, or choose another --work-dir")
  }

  /// The checkpoints of a locked folder, after the leftovers of killed runs are gone.
  private static func swept(_ path: String) throws -> CheckpointStore {
    let store = CheckpointStore(runFolder: path)
    try store.removePartial()
    let pictures = "\(path)/vis"
    let folders = try File.entries(of: pictures).map { "\(pictures)/\($0)" }.filter { try File.kind(at: $0) == .folder }
    for folder in [path, store.folder, pictures] + folders { try AtomicFile.removeLeftovers(in: folder) }
    return store
  }

  /// A new folder, or the given one, which must not hold a run already unless it is one to be continued that never made a checkpoint.
  private static func fresh(_ request: RunRequest, time: TimeSource) throws -> Place {
    if let path = request.workDirectory {
      try File.createFolder(path)
      let lock = try locked(path)
      guard try request.resume == .auto || !holdsRun(path) else { throw occupied(path) }
      _ = try swept(path)
      return Place(path: path, lock: lock)
    }
    let hash = CRC32C.of(Array(request.resolvedYAML.utf8)).padded(to: 8, radix: 16).prefix(6)
    let name = "\(request.stemFolder)/\(TimeSource.stamp(time.wall()))-\(hash)"
    try File.createFolder(request.stemFolder)
    var path = name
    var number = 1
    while try !File.createNewFolder(path) {  // of two that start in one second, each gets its own
      number += 1
      path = "\(name)-\(number)"
    }
    return Place(path: path, lock: try locked(path))
  }

  /// True if a folder holds the work of a run, which a new run would overwrite: a checkpoint or a logged row.
  private static func holdsRun(_ path: String) throws -> Bool {
    if try CheckpointStore(runFolder: path).holdsAny() || !File.entries(of: "\(path)/checkpoints").isEmpty { return true }
    let log = "\(path)/\(MetricHistory.fileName)"
    return try File.exists(log) ? try !File.bytes(at: log, upTo: 1).isEmpty : false
  }

  private static func occupied(_ path: String) -> Failure {
    Failure(.cannotCreate, at: path, "this folder already holds a run",
            remedy: "continue it with --resume auto, or choose another --work-dir")
  }

  private static func continuing(from source: String, _ request: RunRequest, notes: inout [String]) throws -> Place {
    let source = source.count > 1 && source.hasSuffix("/") ? String(source.dropLast()) : source
    let expected = "a run folder, a checkpoint folder (…/checkpoints/step_…) or 'auto'"
    guard try File.exists(source) else {
      throw Failure(.missingInput, at: source, "there is no such folder", remedy: "--resume takes \(expected)")
    }
    let isCheckpoint = Checkpoint.step(ofFolder: Path.name(source)) != nil
    let home = isCheckpoint ? File.folder(of: File.folder(of: source)) : source
    // Before the lock, which would leave a file in a folder that is no run.
    guard try isCheckpoint || File.exists("\(home)/checkpoints") else {
      throw Failure(.missingInput, at: source, "there is no checkpoint in it", remedy: "--resume takes \(expected)")
    }
    let path = request.workDirectory ?? home
    try File.createFolder(path)
    let isHome = try File.isSame(path, home)
    let lock = try locked(path)
    guard try isHome || !holdsRun(path) else { throw occupied(path) }
    let store = isHome ? try swept(path) : CheckpointStore(runFolder: home)
    if isCheckpoint {
      do {
        return Place(path: path, lock: lock, checkpoint: try Checkpoint(folder: source))
      } catch let failure as Failure where failure.kind == .badData {
        throw withAlternative(failure, to: source, in: store)
      }
    }
    guard let checkpoint = try store.newestSound(warn: { notes.append("warning: \($0)") }) else {
      throw Failure(.badData, at: source, "this run folder has no sound checkpoint", remedy: "start afresh without --resume")
    }
    return Place(path: path, lock: lock, checkpoint: checkpoint)
  }

  /// The failure with a remedy that names the newest sound checkpoint beside the damaged one.
  private static func withAlternative(_ failure: Failure, to source: String, in store: CheckpointStore) -> Failure {
    let others = ((try? store.steps) ?? []).reversed().filter { store.path(step: $0) != source }  // only for the message
    let sound = others.first { (try? Checkpoint.verify(folder: store.path(step: $0), step: $0)) != nil }
    let remedy = sound.map { "resume from \(store.path(step: $0))" } ?? "there is no other sound checkpoint in \(store.folder)"
    return failure.told(remedy: remedy)
  }

  /// The run folders of a config, newest first: their names begin with the time. Those of another task are left out, for configs of two
  /// tasks may have one name.
  private static func runs(for request: RunRequest) throws -> [String] {
    let folder = request.stemFolder
    let task = task(in: Array(request.resolvedYAML.utf8))
    let runs = try File.entries(of: folder).filter { name in
      let config = "\(folder)/\(name)/config.yaml"
      guard try File.exists(config) else { return false }
      return (try? File.bytes(at: config)).flatMap(Self.task).map { $0 == task } ?? true
    }
    // In natural order, so that the tenth run of one second (`…-10`) comes after the ninth.
    return runs.sorted { Folder.precedes($1, $0) }.map { "\(folder)/\($0)" }
  }

  /// The task that a resolved config names; nil if it names none or is damaged.
  private static func task(in yaml: [UInt8]) -> String? {
    let tree = try? ConfigFile.tree(of: String(decoding: yaml, as: UTF8.self), named: "config.yaml")
    guard case .scalar(let name, _)? = tree?["task"]?.content else { return nil }
    return name
  }

  /// Warnings about keys of the config that changed since the folder was last used.
  private func changes(to yaml: String) throws -> [String] {
    let place = "\(path)/config.yaml"
    guard let bytes = try File.bytesIfPresent(at: place) else { return [] }
    guard let before = try? ConfigFile.tree(of: String(decoding: bytes, as: UTF8.self), named: place),
          let after = try? ConfigFile.tree(of: yaml, named: "config") else {
      return ["warning: \(place) is damaged; what has changed since then is not known"]
    }
    let changes = ConfigChange.between(before, after)
    guard !changes.isEmpty else { return [] }
    let schedule = changes.contains { $0.key == "plan.steps" } ? " (the learning rate's schedule follows)" : ""
    return ["warning: the config has changed since this run began: \(changes.map(\.description).joined(separator: "; "))\(schedule)"]
  }
}
