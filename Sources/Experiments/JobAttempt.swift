import Base
import Foundation
import Training

/// One go at a job: training to the end of its budget, then the evaluation of the last checkpoint. Where nothing is trained, the
/// evaluation alone.
final class JobAttempt {
  enum End {
    /// The finite numbers of the evaluation.
    case finished([String: Double])
    /// Saved, for the job was asked to stop.
    case stopped
    case failed(String)
  }

  private let job: PlannedJob
  private let threads: Int
  private let program: String
  private let lock: FolderLock
  private var process: ChildProcess
  private var isEvaluating: Bool
  private var lastMeasurement = Date()
  /// The job's record, with what came of it so far.
  private(set) var record: JobRecord

  private var isTimed: Bool { record.budget.minutes != nil }

  /// Starts the training or goes on with it; if that is over, starts the evaluation.
  /// - Parameters:
  ///   - record: of the job; written.
  ///   - twin: a job of the same training that is over, whose weights are judged; nil: the job trains its own.
  ///   - lock: of the job, held as long as this value lives.
  init(_ job: PlannedJob, _ record: JobRecord, twin: PlannedJob?, threads: Int, program: String, lock: FolderLock) throws {
    var record = record
    let isEvaluatedOnly = twin != nil || record.budget.isEmpty
    if isEvaluatedOnly { try AtomicFile.write(job.resolved, to: Path.join(job.folder, "config.yaml")) }
    record.weights = twin.map { "../../\($0.job.path)" }
    if let twin { record.step = try CheckpointStore(runFolder: twin.folder).step(of: .last) }
    let isTrained = try isEvaluatedOnly || record.step != nil && CheckpointStore(runFolder: job.folder).step(of: .last) == record.step
    if !isTrained { record.step = nil }
    try record.write(to: job.folder)
    let command = try isTrained ? Self.evaluation(job, record, threads: threads) : Self.training(job, record, threads: threads)
    (self.job, self.record, self.threads, self.program, self.lock, isEvaluating) = (job, record, threads, program, lock, isTrained)
    process = try command.started(program, in: job.folder)
  }

  /// A command with the file that takes its output.
  private struct Command {
    let arguments: [String]
    var output: String?

    func started(_ program: String, in folder: String) throws -> ChildProcess {
      try ChildProcess(program, arguments, output: output, errors: Path.join(folder, "job.log"))
    }
  }

  /// `apus train` with the variant's values as options, so that the run folder's `overrides.txt` tells what the variant is.
  private static func training(_ job: PlannedJob, _ record: JobRecord, threads: Int) -> Command {
    var arguments = ["train", job.job.variant.request.path]
    for setting in job.job.variant.allSettings { arguments += ["--set", setting] }
    if let steps = record.budget.steps { arguments += ["--steps", "\(steps)"] }
    if let minutes = record.budget.minutes {
      arguments += ["--set", "plan.max_hours=\(max(minutes / 60 - record.seconds / 3600, 1e-6))"]
    }
    arguments += ["--seed", "\(job.job.seed)", "--work-dir", job.folder, "--resume", "auto"]
    return Command(arguments: arguments + ["--threads", "\(threads)", "--progress", "plain"])
  }

  private static func evaluation(_ job: PlannedJob, _ record: JobRecord, threads: Int) throws -> Command {
    var arguments = ["evaluate", Path.join(job.folder, "config.yaml")]
    if !record.budget.isEmpty {
      let store = CheckpointStore(runFolder: record.weights.map { Path.normalized(Path.join(job.folder, $0)) } ?? job.folder)
      guard let step = try store.step(of: .last) else { throw Failure(.badData, at: job.folder, "the training left no checkpoint") }
      arguments += ["--weights", store.path(step: step)]
    }
    arguments += ["--threads", "\(threads)", "--json", "--samples", Path.join(job.folder, JobRecord.samplesName)]
    return Command(arguments: arguments, output: Path.join(job.folder, outputName))
  }

  private static let outputName = "evaluation.json"

  /// Whether no training is at work in a run folder.
  static func isFree(_ folder: String) -> Bool {
    guard (try? File.exists(Path.join(folder, "run.lock"))) == true else { return true }
    return (try? FolderLock(folder: folder)) != nil
  }

  func stop(_ signal: Int32) { process.send(signal) }

  /// Looks whether the process at work has ended, and begins what comes next.
  /// - Returns: nil as long as there is something to wait for.
  func advance(isStopping: Bool) throws -> End? {
    guard let end = process.end else {
      if Date().timeIntervalSince(lastMeasurement) > 1 {
        process.measureMemory()
        lastMeasurement = Date()
        if isTimed, !isEvaluating { try noteTime() }
      }
      return nil
    }
    record.seconds += process.seconds
    record.memory = max(record.memory ?? 0, process.memory)
    let isDone = end == .exit(0) || (isTimed && !isEvaluating && end == .exit(RunOutcome.outOfTime.exitCode))
    if isStopping, !(isEvaluating && isDone) { return .stopped }
    guard isDone else { return .failed((isEvaluating ? "evaluation: " : "training: ") + process.message) }
    if isEvaluating { return .finished(try metrics()) }
    isEvaluating = true
    let command = try Self.evaluation(job, record, threads: threads)
    record.step = try CheckpointStore(runFolder: job.folder).step(of: .last)
    try record.write(to: job.folder)
    process = try command.started(program, in: job.folder)
    return nil
  }

  /// A budget in minutes goes on where it was, also after a process that was killed.
  private func noteTime() throws {
    var record = record
    record.seconds += process.seconds
    try record.write(to: job.folder)
  }

  /// Whether its training is still at work.
  var isTraining: Bool { !isEvaluating }

  /// The activity in words, such as `step 120 of 300`.
  var progress: String {
    if isEvaluating { return "evaluating" }
    let rows = ((try? File.text(at: Path.join(job.folder, MetricHistory.fileName))) ?? "").split(separator: "\n")
    let step = rows.last.flatMap { $0.firstMatch(of: #/"step":(\d+)/#) }.map { String($0.1) } ?? "0"
    return "step \(step)" + (record.budget.steps.map { " of \($0)" } ?? "")
  }

  /// The finite numbers of the evaluation.
  private func metrics() throws -> [String: Double] {
    let evaluation = Path.join(job.folder, Self.outputName)
    let bytes = try File.bytes(at: evaluation)
    guard let numbers = try? JSONDecoder().decode([String: Double?].self, from: Data(bytes)) else {
      throw Failure(.badData, at: evaluation, "this is not the result of an evaluation")
    }
    return numbers.compactMapValues { $0 }
  }
}
