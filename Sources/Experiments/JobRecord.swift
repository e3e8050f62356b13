import Base
import Foundation
import Training

/// `job.json` in a job's run folder: what the job is of, and how it stands. Written whole; once it says `finished`, nothing touches it.
struct JobRecord: Codable, Sendable, Equatable {
  enum Status: String, Codable, Sendable { case started, finished, failed }

  var status = Status.started
  /// The checksums of the resolved config with its budget, and of the data.
  var config: String
  var data: String
  var budget: ExperimentResult.Budget
  /// The run folder whose last weights are judged, relative to the job's; nil: the job's own.
  var weights: String?
  /// Updates after which the training was over; nil before.
  var step: Int?
  /// Seconds of training and evaluation so far.
  var seconds = 0.0
  /// The most memory that its processes took, MiB.
  var memory: Int?
  /// The finite numbers of the evaluation.
  var metrics: [String: Double] = [:]
  /// The error of a failed job.
  var message: String?

  static let fileName = "job.json"
  static let samplesName = "samples.csv"

  init(config: String, data: String, budget: ExperimentResult.Budget) { (self.config, self.data, self.budget) = (config, data, budget) }

  /// The record of a run folder; nil if there is none.
  /// - Throws: `.badData` if it is something else, `.inputOutput` if it cannot be read.
  init?(folder: String) throws {
    let path = Path.join(folder, Self.fileName)
    guard let bytes = try File.bytesIfPresent(at: path) else { return nil }
    guard let record = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else {
      throw Failure(.badData, at: path, "this is not the record of a job", remedy: "Remove the folder \(folder), and the job is run anew.")
    }
    self = record
  }

  func write(to folder: String) throws {
    try AtomicFile.write(Array(try JSONEncoder.ofFiles.encode(self)) + [UInt8(ascii: "\n")], to: Path.join(folder, Self.fileName))
  }

  /// The checksum of a resolved config.
  static func checksum(of resolved: String) -> String { CRC32C.of(Array(resolved.utf8)).padded(to: 8, radix: 16) }
}

/// A job with where it runs, what it is of, and how it stands.
struct PlannedJob: Sendable {
  let job: Job
  /// Its number, from 1.
  let number: Int
  /// The run folder.
  let folder: String
  let resolved: String
  /// The checksum of what its training depends on.
  let training: String
  /// The checksum of the weights that the config names.
  let weights: String
  let data: String
  var record: JobRecord?

  var config: String { JobRecord.checksum(of: weights == DataChecksum.nothing ? resolved : resolved + weights) }
  var isFinished: Bool { record?.status == .finished }

  /// The word of the plan's table.
  var state: String {
    switch record?.status {
    case .finished: "finished"
    case .failed: "failed"
    case .started: "begun"
    case nil: ""
    }
  }

  /// Whether the two have the same weights.
  func sharesTraining(with other: PlannedJob) -> Bool { training == other.training && data == other.data }

  /// What has changed since the job was begun.
  struct Change {
    /// In words.
    let text: String
    /// Whether the data are others, too.
    let isOfData: Bool
  }

  /// What has changed since the job was begun; nil if nothing has, or nothing of it is there to be kept.
  func change(_ budget: ExperimentResult.Budget) throws -> Change? {
    guard let record else { return nil }
    let hasWork = try isFinished || !CheckpointStore(runFolder: folder).steps.isEmpty
    guard hasWork else { return nil }
    var changes: [String] = []
    if record.config != config {
      let keys = try changedKeys()
      changes.append(keys.isEmpty ? "the weights that it names are others" : keys.joined(separator: "; "))
    }
    if record.budget != budget, record.budget.minutes != nil || budget.minutes != nil {
      changes.append("budget: \(record.budget.words) -> \(budget.words)")
    }
    if record.data != data {
      changes.append(data == DataChecksum.nothing
        ? "its data are not there; paths in a config are taken from the current folder"
        : "the data are others: checksum \(record.data) -> \(data)")
    }
    guard !changes.isEmpty else { return nil }
    return Change(text: "\(job.title): \(changes.joined(separator: "; "))", isOfData: record.data != data)
  }

  /// The keys in which the run's config differs from that of the spec, but for those that change no result.
  private func changedKeys() throws -> [String] {
    let place = Path.join(folder, "config.yaml")
    guard let text = try File.bytesIfPresent(at: place) else { return [] }
    let before = try ConfigFile.tree(of: String(decoding: text, as: UTF8.self), named: place)
    let changes = ConfigChange.between(before, try ConfigFile.tree(of: resolved, named: "config"))
    return changes.filter { !["plan.threads", "plan.max_hours"].contains($0.key) }.map(\.description)
  }
}

extension ExperimentResult.Budget {
  /// `300 steps`, `10 minutes`, `no training`.
  var words: String { steps.map { "\($0) steps" } ?? minutes.map { "\($0) minutes" } ?? "no training" }
}
