import Base
import Foundation
import Training

/// The limits within which jobs run side by side.
public struct JobLimits: Sendable {
  /// Cores for all jobs together.
  public var cores: Int
  /// Threads of each job.
  public var threads: Int
  /// Bytes for all jobs together; nil: whatever they take.
  public var memory: Int?
  /// Whether the first job that fails ends the experiment.
  public var failsFast = false

  public init(cores: Int = ProcessInfo.processInfo.activeProcessorCount, threads: Int? = nil) {
    self.cores = cores
    self.threads = threads ?? cores
  }

  /// Jobs that may run at one time, as far as cores go.
  var places: Int { max(1, cores / max(1, threads)) }
}

/// Runs jobs side by side, each as `apus train` and then `apus evaluate` in processes of their own.
final class JobRunner {
  /// The way the jobs ended.
  struct Outcome {
    var failed: [PlannedJob] = []
    /// The signal that ended it early.
    var signal: Int32?
  }

  private struct Running {
    let job: PlannedJob
    let attempt: JobAttempt
    let memory: Int
  }

  private let experiment: Experiment
  private let limits: JobLimits
  private let program: String
  private let say: (String) -> Void
  /// The memory of a job before any of its kind was measured, bytes, by variant.
  private let estimates: [String: Int]
  private var measured: [String: Int] = [:]
  /// All jobs of the experiment.
  private let all: [PlannedJob]
  private var waiting: [PlannedJob]
  private var running: [Running] = []
  private var outcome = Outcome()
  private let total: Int
  private var done: Int
  /// When a job whose folder is in use is looked at again.
  private var nextLook = Date.distantPast
  private var nextReport = Date(timeIntervalSinceNow: 60)
  /// Whether a job has ended since results were gathered, and when they may be again: that takes its time where there are many jobs.
  private var hasNews = false
  private var nextGathering = Date.distantPast
  private var isStopping = false

  /// - Parameters:
  ///   - jobs: all of the experiment, finished ones included.
  ///   - only: the one that is to be run; nil: all.
  ///   - program: the executable.
  ///   - estimates: bytes of a job by variant; empty: memory does not count.
  ///   - say: told lines for the user.
  init(_ experiment: Experiment, _ jobs: [PlannedJob], only: PlannedJob? = nil, _ limits: JobLimits, program: String,
       estimates: [String: Int], say: @escaping (String) -> Void) {
    (self.experiment, self.limits, self.program, self.estimates, self.say) = (experiment, limits, program, estimates, say)
    all = jobs
    waiting = only.map { [$0] } ?? jobs.filter { !$0.isFinished }
    total = jobs.count
    done = jobs.count(where: \.isFinished)
    for job in jobs { if let memory = job.record?.memory { note(memory, of: job) } }
  }

  /// Runs to the end of all jobs, or until a signal asks to stop.
  /// - Parameter gather: gathers results while others are at work; called once a minute at most, and not after the last job.
  /// - Throws: the failures of writing records; what goes wrong within a job is the job's own.
  func run(_ gather: () throws -> Void) throws -> Outcome {
    while !running.isEmpty || !waiting.isEmpty {
      if let signal = StopSignal.requested, outcome.signal == nil {
        outcome.signal = signal
        stopAll(signal)
      }
      try startWhatFits()
      try lookAfterRunning()
      if hasNews, Date() >= nextGathering, !running.isEmpty || !waiting.isEmpty {
        try gather()
        (hasNews, nextGathering) = (false, Date(timeIntervalSinceNow: 60))
      }
      if Date() >= nextReport, !running.isEmpty {
        say("at work: " + running.map { "\($0.job.job.title) (\($0.attempt.progress))" }.joined(separator: "; "))
        nextReport = Date(timeIntervalSinceNow: 60)
      }
      usleep(20_000)
    }
    return outcome
  }

  private func stopAll(_ signal: Int32) {
    isStopping = true
    waiting = []
    for item in running { item.attempt.stop(signal) }
    if !running.isEmpty { say("stopping: \(running.count) \(running.count == 1 ? "job saves" : "jobs save") and end") }
  }

  // MARK: Starting

  private func startWhatFits() throws {
    guard !isStopping, Date() >= nextLook else { return }
    while running.count < limits.places, let index = waiting.firstIndex(where: { !isInTraining($0) }), fits(waiting[index]) {
      let next = waiting.remove(at: index)
      do {
        guard try start(next) else {
          // A process of an earlier start is still saving there.
          waiting.append(next)
          nextLook = Date(timeIntervalSinceNow: 1)
          return
        }
      } catch let failure as Failure {
        // The record is left as it is: another process may be at work on this job.
        note(failureOf: next, record(of: next), "\(failure)")
      }
    }
  }

  /// Whether the training of a job is at work as that of another one.
  private func isInTraining(_ job: PlannedJob) -> Bool {
    running.contains { $0.attempt.isTraining && $0.job.sharesTraining(with: job) }
  }

  /// A job of the same training that is over; nil if there is none, or the job has begun one of its own.
  private func twin(of job: PlannedJob) throws -> PlannedJob? {
    guard experiment.budget.steps != nil, try CheckpointStore(runFolder: job.folder).steps.isEmpty else { return nil }
    return try all.first { other in
      guard other.number != job.number, other.sharesTraining(with: job), let record = try JobRecord(folder: other.folder) else {
        return false
      }
      guard let step = record.step, record.weights == nil, record.config == other.config, record.data == other.data else { return false }
      return try CheckpointStore(runFolder: other.folder).step(of: .last) == step
    }
  }

  private func fits(_ job: PlannedJob) -> Bool {
    guard let limit = limits.memory, !running.isEmpty else { return true }
    return running.reduce(memory(of: job)) { $0 + $1.memory } <= limit
  }

  /// Bytes: measured of the variant if it ran before, else estimated.
  private func memory(of job: PlannedJob) -> Int {
    let variant = job.job.variant.name
    return measured[variant] ?? estimates[variant] ?? measured.values.max() ?? 0
  }

  private func note(_ mebibytes: Int, of job: PlannedJob) {
    measured[job.job.variant.name] = max(measured[job.job.variant.name] ?? 0, mebibytes << 20)
  }

  private func record(of job: PlannedJob) -> JobRecord {
    var record = job.record ?? JobRecord(config: job.config, data: job.data, budget: experiment.budget)
    (record.config, record.data, record.budget) = (job.config, job.data, experiment.budget)
    (record.status, record.message, record.metrics) = (.started, nil, [:])
    return record
  }

  /// - Returns: false if another process is at work in the run folder.
  private func start(_ job: PlannedJob) throws -> Bool {
    try File.createFolder(job.folder)
    let lock = try FolderLock(folder: job.folder, file: "job.lock", what: "job")
    // Another start may have finished it since this one read how the jobs stand.
    var job = job
    job.record = try JobRecord(folder: job.folder)
    guard !job.isFinished else {
      done += 1
      return true
    }
    let record = record(of: job)
    guard JobAttempt.isFree(job.folder) else {
      say("\(job.job.title): a training is still at work in \(job.folder); waiting for it to end")
      return false
    }
    let twin = try twin(of: job)
    let attempt = try JobAttempt(job, record, twin: twin, threads: limits.threads, program: program, lock: lock)
    let first = experiment.budget.isEmpty ? "evaluating" : "training"
    let words = twin.map { "evaluating the weights of \($0.job.title)" } ?? (job.record == nil ? first : "going on")
    say("[\(job.number)/\(total)] \(job.job.title): \(words)")
    running.append(Running(job: job, attempt: attempt, memory: memory(of: job)))
    return true
  }

  // MARK: Ending

  private func lookAfterRunning() throws {
    for index in running.indices.reversed() {
      let item = running[index]
      do {
        guard let end = try item.attempt.advance(isStopping: isStopping) else { continue }
        running.remove(at: index)
        try close(item, end)
      } catch let failure as Failure {
        item.attempt.stop(SIGTERM)
        running.remove(at: index)
        try fail(item.job, item.attempt.record, "\(failure)")
      }
    }
  }

  private func close(_ item: Running, _ end: JobAttempt.End) throws {
    defer { withExtendedLifetime(item.attempt) {} }  // it holds the lock of the job
    hasNews = true
    var record = item.attempt.record
    note(record.memory ?? 0, of: item.job)
    switch end {
    case .finished(let metrics):
      (record.status, record.metrics) = (.finished, metrics)
      try record.write(to: item.job.folder)
      done += 1
      let numbers = experiment.metrics.prefix(3).compactMap { kind in metrics[kind.name].map { "\(kind.name) \(TableNumber.text($0))" } }
      let time = StatusText.duration(record.seconds)
      let result = ((record.step.map { ["\($0) steps"] } ?? []) + numbers).joined(separator: ", ") + " (\(time))"
      say("[\(item.job.number)/\(total)] \(item.job.job.title): \(result); \(done) of \(total) done")
    case .stopped:
      try record.write(to: item.job.folder)
    case .failed(let message):
      try fail(item.job, record, message)
    }
  }

  private func fail(_ job: PlannedJob, _ record: JobRecord, _ message: String) throws {
    var record = record
    (record.status, record.message) = (.failed, message)
    try record.write(to: job.folder)
    note(failureOf: job, record, message)
  }

  private func note(failureOf job: PlannedJob, _ record: JobRecord, _ message: String) {
    var job = job
    job.record = record
    outcome.failed.append(job)
    say("[\(job.number)/\(total)] \(job.job.title): failed: \(message)")
    if limits.failsFast, !isStopping { stopAll(SIGTERM) }
  }
}
