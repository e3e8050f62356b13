import Base
import Foundation
import Tasks
import Training

/// A run folder as `apus train` leaves it, read for a report. Nothing in it is changed.
struct ReportedRun: Sendable {
  /// How the run stands.
  enum State: Sendable, Equatable {
    case completed, stopped, failed, diverged, running
    /// It says that it is running, but no process of this machine holds its folder.
    case killed
    /// There is no `run.json`.
    case unknown
  }

  /// The path as it was named.
  let folder: String
  /// A name that tells it from the other runs of the report.
  var name: String
  let task: TaskName
  let config: ResolvedConfig
  /// The options that were laid over the config file, one each.
  let options: [String]
  let record: RunRecord?
  let state: State
  let environment: [(name: String, value: String)]
  /// Nil if nothing has been logged.
  let history: MetricHistory?

  /// - Throws: `.missingInput` for a folder that is no run, `.badData` naming the file and line that is damaged, `.usage` for a config that
  ///   cannot be read.
  init(folder: String) throws {
    let configFile = Path.join(folder, "config.yaml")
    guard try File.kind(at: configFile) == .file else {
      throw Failure(.missingInput, at: folder, "this is no run folder: it has no config.yaml",
                    remedy: "Name folders that 'apus train' or 'apus ablate' made, such as work_dirs/CONFIG/RUN.")
    }
    let request = ConfigRequest(configFile)
    self.folder = folder
    name = [Path.name(Path.folder(folder)), Path.name(folder)].filter { !$0.isEmpty && $0 != "/" }.joined(separator: "/")
    task = try TaskName.named(in: configFile, overrides: [])
    config = try task.task.tracedConfig(request)
    let optionsFile = try File.bytesIfPresent(at: Path.join(folder, "overrides.txt")) ?? []
    options = String(decoding: optionsFile, as: UTF8.self).split(separator: "\n").map(String.init)
    record = try File.exists(Path.join(folder, "run.json")) ? RunRecord(folder: folder) : nil
    state = Self.state(record, folder)
    environment = try EnvironmentInfo.facts(runFolder: folder)
    let log = Path.join(folder, MetricHistory.fileName)
    let history = try File.exists(log) ? MetricHistory(runFolder: folder) : nil
    self.history = history?.rows.isEmpty == true ? nil : history
  }

  private static func state(_ record: RunRecord?, _ folder: String) -> State {
    switch record?.state {
    case nil: .unknown
    case .completed?: .completed
    case .stopped?: .stopped
    case .failed?: .failed
    case .diverged?: .diverged
    case .running?: FolderLock.isTaken(folder: folder) ? .running : .killed
    }
  }

  /// Steps that were done, by the last row of the log or the record, whichever tells more.
  var step: Int { max(history?.lastStep ?? 0, record?.step ?? 0) }

  /// How the run stands, in words.
  var stateText: String {
    let progress = record.map { "step \(step) of \($0.steps)" } ?? "step \(step)"
    switch state {
    case .completed: return "completed"
    case .stopped: return "stopped at \(progress), can be resumed"
    case .failed: return "failed at \(progress)"
    case .diverged: return "diverged at \(progress)"
    case .running: return "still running, \(progress)"
    case .killed:
      let isHere = record?.host == ProcessInfo.processInfo.hostName
      return "killed at \(progress)" + (isHere ? "" : ", or running on another machine")
    case .unknown: return "\(progress), no run.json"
    }
  }

  /// The best and the last value of a metric that was logged, both with their steps; nil if there is no finite one.
  func score(_ kind: MetricKind, split: String) -> Score? {
    let values = history?.values(of: kind.name, split: split).filter { $0.value.isFinite } ?? []
    guard let first = values.first, let last = values.last else { return nil }
    let best = values.dropFirst().reduce(first) { kind.isBetter($1.value, than: $0.value) ? $1 : $0 }
    return Score(best: best.value, bestStep: best.step, last: last.value, lastStep: last.step, count: values.count)
  }

  struct Score: Sendable {
    let best: Double
    let bestStep: Int
    let last: Double
    let lastStep: Int
    /// Rows that have the metric.
    let count: Int
  }

  /// The pictures of the last evaluation that drew any: paths in natural order, and the step as it is written.
  func lastPictures() throws -> (step: String, paths: [String])? {
    let folder = Path.join(folder, "vis")
    guard try File.kind(at: folder) == .folder else { return nil }
    for step in try Folder.folders(in: folder).reversed() {
      let place = Path.join(folder, step)
      let names = try Folder.files(in: place) { ["png", "jpg", "jpeg"].contains(Path.fileExtension($0)) }
      if !names.isEmpty { return (step, names.map { Path.join(place, $0) }) }
    }
    return nil
  }

  /// The names that tell paths apart: what is left without the folders that all have in common at the beginning, at least the last one.
  static func names(of paths: [String]) -> [String] {
    let parts = paths.map { Path.normalized($0).split(separator: "/").map(String.init) }
    var common = 0
    while let first = parts.first, common < first.count - 1, parts.allSatisfy({ $0.count > common + 1 && $0[common] == first[common] }) {
      common += 1
    }
    return zip(paths, parts).map { path, parts in parts.isEmpty ? path : parts.dropFirst(common).joined(separator: "/") }
  }
}
