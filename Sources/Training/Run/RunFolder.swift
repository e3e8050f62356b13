import Base
import Foundation

/// What the command line asks of a run folder.
public struct RunRequest: Sendable {
  public enum Resume: Sendable, Equatable {
    /// A fresh run.
    case never
    /// Continue the newest run of this config that has a sound checkpoint; without one, start afresh.
    case auto
    /// Continue from this run folder, or from this one checkpoint (`…/checkpoints/step_00012000`).
    case from(String)
  }

  /// The config file; its name without extension is the "config stem".
  public let configPath: String
  /// The whole config as text, for the run folder and every checkpoint.
  public let resolvedYAML: String
  public var overrides: [ConfigOverride] = []
  /// `--work-dir`: the run folder *itself*, without a stamped folder inside.
  public var workDirectory: String?
  public var resume = Resume.never
  /// Where run folders go without `--work-dir`: `work_dirs/<config stem>/<UTC stamp>-<hash6>`.
  public var root = "work_dirs"

  public init(configPath: String, resolvedYAML: String) {
    (self.configPath, self.resolvedYAML) = (configPath, resolvedYAML)
  }

  /// `chairs` for `configs/raft/chairs.yaml`.
  public var stem: String { ((configPath as NSString).lastPathComponent as NSString).deletingPathExtension }

  var stemFolder: String { "\(root)/\(stem)" }
}

/// The folder of one run, locked while this value lives.
///
/// It holds `config.yaml` (resolved), `overrides.txt`, `env.json`, `run.json`, `train.log`, `metrics.jsonl`, `metrics.csv`,
/// `events.out.tfevents.*`, `checkpoints/step_…`, the pointers `last_checkpoint` and `best_checkpoint`, and `vis/`.
public final class RunFolder {
  /// A folder made ready, and what to continue from.
  public struct Opened {
    public let folder: RunFolder
    /// nil: a fresh run.
    public let checkpoint: Checkpoint?
    /// What the user should be told: where the run goes, what it continues, what was passed over.
    public let notes: [String]
  }

  public let path: String
  let configYAML: String
  private let overrides, environment: String
  private let lock: RunLock
  /// Records the run as failed where the process ends because of a failure that nothing can catch.
  private let registration: ProcessExit.Registration

  public var store: CheckpointStore { CheckpointStore(runFolder: path) }

  private init(path: String, _ request: RunRequest, _ environment: EnvironmentFacts, lock: RunLock) throws {
    (self.path, self.lock) = (path, lock)
    configYAML = request.resolvedYAML
    overrides = request.overrides.map { $0.option + "\n" }.joined()
    self.environment = try environment.json()
    registration = ProcessExit.onFailure { RunRecord.fail(with: $0, in: path) }
  }

  /// Writes `config.yaml`, `overrides.txt` and `env.json`. To be called when the checkpoint is known to fit: one that does not leaves the
  /// folder as it was.
  package func writeSettings() throws {
    try AtomicFile.write(configYAML, to: "\(path)/config.yaml")
    try AtomicFile.write(overrides, to: "\(path)/overrides.txt")
    try AtomicFile.write(environment, to: "\(path)/env.json")
  }

  /// Finds or creates the run folder, and locks it.
  /// - Throws: `Failure(.missingInput)` or `.badData` if the checkpoint asked for is not there or damaged; `.cannotCreate` if
  ///   the folder is locked by another process, or holds a run that nobody asked to continue.
  public static func open(_ request: RunRequest, environment: EnvironmentFacts, time: TimeSource = .system) throws -> Opened {
    var notes: [String] = []
    let (path, lock, checkpoint) = try place(request, time: time, notes: &notes)
    let folder = try RunFolder(path: path, request, environment, lock: lock)
    if let checkpoint {
      notes.append("resuming \(path) after step \(checkpoint.step)")
      notes += folder.changes(to: request.resolvedYAML)
    } else {
      notes.append("starting a new run in \(path)")
    }
    return Opened(folder: folder, checkpoint: checkpoint, notes: notes)
  }

  private typealias Place = (path: String, lock: RunLock, checkpoint: Checkpoint?)

  private static func place(_ request: RunRequest, time: TimeSource, notes: inout [String]) throws -> Place {
    switch request.resume {
    case .never:
      return try fresh(request, time: time)
    case .auto:
      for path in request.workDirectory.map({ [$0] }) ?? runs(in: request.stemFolder) {
        guard FileManager.default.fileExists(atPath: path) else { continue }
        try File.createFolder(path)  // refuses a file
        let lock = try RunLock(folder: path)
        let store = CheckpointStore(runFolder: path)
        store.removePartial()
        if let checkpoint = store.newestSound(warn: { notes.append("warning: \($0)") }) { return (path, lock, checkpoint) }
      }
      notes.append("no checkpoint to resume from in \(request.workDirectory ?? request.stemFolder)")
      return try fresh(request, time: time, mayHoldRun: true)
    case .from(let source):
      return try continuing(from: source, request, notes: &notes)
    }
  }

  /// A new folder, or the given one, which must not hold a run already unless that is allowed.
  private static func fresh(_ request: RunRequest, time: TimeSource, mayHoldRun: Bool = false) throws -> Place {
    if let path = request.workDirectory {
      try File.createFolder(path)
      let lock = try RunLock(folder: path)
      let holdsRun = ["metrics.jsonl", "checkpoints", RunRecord.name].contains { FileManager.default.fileExists(atPath: "\(path)/\($0)") }
      guard mayHoldRun || !holdsRun else {
        throw Failure(.cannotCreate, at: path, "this folder already holds a run",
                      remedy: "continue it with --resume auto, or choose another --work-dir")
      }
      return (path, lock, nil)
    }
    let digits = String(CRC32C.of(Array(request.resolvedYAML.utf8)), radix: 16)
    let hash = (String(repeating: "0", count: 8 - digits.count) + digits).prefix(6)
    let name = "\(request.stemFolder)/\(TimeSource.stamp(time.wall()))-\(hash)"
    var path = name, number = 1
    while FileManager.default.fileExists(atPath: path) {
      number += 1
      path = "\(name)-\(number)"
    }
    try File.createFolder(path)
    return (path, try RunLock(folder: path), nil)
  }

  private static func continuing(from source: String, _ request: RunRequest, notes: inout [String]) throws -> Place {
    let source = source.count > 1 && source.hasSuffix("/") ? String(source.dropLast()) : source
    let expected = "a run folder, a checkpoint folder (…/checkpoints/step_…) or 'auto'"
    guard FileManager.default.fileExists(atPath: source) else {
      throw Failure(.missingInput, at: source, "there is no such folder", remedy: "--resume takes \(expected)")
    }
    let isCheckpoint = CheckpointStore.step(ofFolder: (source as NSString).lastPathComponent) != nil
    let home = isCheckpoint ? (source as NSString).deletingLastPathComponent.parentFolder : source
    // Before the lock, which would leave a file in a folder that is no run.
    guard isCheckpoint || FileManager.default.fileExists(atPath: "\(home)/checkpoints") else {
      throw Failure(.missingInput, at: source, "there is no checkpoint in it", remedy: "--resume takes \(expected)")
    }
    let path = request.workDirectory ?? home
    try File.createFolder(path)
    let lock = try RunLock(folder: path)
    let store = CheckpointStore(runFolder: home)
    if path == home { store.removePartial() }
    if isCheckpoint {
      do {
        return (path, lock, try Checkpoint(folder: source))
      } catch let failure as Failure {
        throw withAlternative(failure, to: source, in: store)
      }
    }
    guard let checkpoint = store.newestSound(warn: { notes.append("warning: \($0)") }) else {
      throw Failure(.badData, at: source, "this run folder has no sound checkpoint", remedy: "start afresh without --resume")
    }
    return (path, lock, checkpoint)
  }

  /// The failure with a remedy that names the newest sound checkpoint beside the damaged one.
  private static func withAlternative(_ failure: Failure, to source: String, in store: CheckpointStore) -> Failure {
    let others = store.steps.filter { store.path(step: $0) != source }.reversed()
    let sound = others.first { (try? Checkpoint(folder: store.path(step: $0))) != nil }
    let remedy = sound.map { "resume from \(store.path(step: $0))" } ?? "there is no other sound checkpoint in \(store.folder)"
    return Failure(failure.kind, at: failure.place, failure.problem, remedy: remedy)
  }

  /// The run folders of a config, newest first: their names begin with the time.
  private static func runs(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let runs = names.filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)/config.yaml") }
    // Numeric, so that the tenth run of one second (`…-10`) comes after the ninth.
    return runs.sorted { $0.compare($1, options: .numeric) == .orderedDescending }.map { "\(folder)/\($0)" }
  }

  /// Which lines of the config are new since the folder was last used.
  private func changes(to yaml: String) -> [String] {
    guard let bytes = try? File.bytes(at: "\(path)/config.yaml") else { return [] }
    let before = Set(String(decoding: bytes, as: UTF8.self).split(separator: "\n"))
    let new = yaml.split(separator: "\n").filter { !before.contains($0) }.map { $0.trimmingCharacters(in: .whitespaces) }
    return new.isEmpty ? [] : ["warning: the config has changed since this run began: \(new.joined(separator: "; "))"]
  }
}

extension String {
  fileprivate var parentFolder: String {
    let parent = (self as NSString).deletingLastPathComponent
    return parent.isEmpty ? "." : parent
  }
}
