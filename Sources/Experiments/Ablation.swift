import Base
import Foundation
import Tasks
import Training

/// `apus ablate`: plans an experiment, runs what is missing, and writes its tables.
///
/// The folder of the runs holds a run folder for each job, `<variant>/seed-<n>`, each with its `job.json`, `samples.csv` and
/// `evaluation.json` beside what `apus train` writes; and `results.json`, `table.md`, `table.csv` and `table.tex`. Jobs that differ in how
/// weights are used, but not in their training, are trained once.
public struct Ablation {
  public let experiment: Experiment
  /// The folder of the runs.
  public let out: String
  private let jobs: [PlannedJob]

  /// Plans all jobs, and reads how they stand.
  /// - Parameter out: the folder of the runs; nil: `work_dirs/experiments/<name>`.
  /// - Throws: `.usage` listing what is wrong with the spec; `.badData` if config or data of a job that is begun have changed since; the
  ///   failures of reading.
  public init(spec: String, out: String?) throws {
    experiment = try Experiment(spec: spec)
    let out = out ?? "work_dirs/experiments/\(experiment.name)"
    self.out = out
    guard !out.isEmpty else { throw Failure(.usage, at: "--out ''", "expected a folder") }
    var checksum = DataChecksum()
    jobs = try experiment.jobs.enumerated().map { index, job in
      let resolved = try job.resolvedConfig()
      let folder = Path.join(out, job.path)
      return PlannedJob(
        job: job, number: index + 1, folder: folder, resolved: resolved, training: try Job.trainingChecksum(of: resolved),
        weights: try checksum.weights(of: resolved), data: try checksum(of: resolved), record: try JobRecord(folder: folder))
    }
    let changes = try jobs.compactMap { try $0.change(experiment.budget) }
    guard changes.isEmpty else {
      throw Failure(
        changes.contains(where: \.isOfData) ? .badData : .usage, at: out,
        "jobs that are finished or begun are of another spec or other data; nothing of them was touched", items: changes.map(\.text),
        remedy: "Take the change back, choose another --out, or remove the folders of these jobs.")
    }
    try requireOwnFolder()
    for resolved in Set(jobs.map(\.resolved)) { try DataPlaces(of: resolved).requireApart(out, option: "--out") }
  }

  /// - Throws: `.usage` if the folder holds the results of another experiment.
  private func requireOwnFolder() throws {
    guard try File.exists(Path.join(out, ExperimentResult.fileName)) else { return }
    let before = try ExperimentResult(folder: out).variants.map(\.name)
    guard !before.isEmpty, !before.contains(where: experiment.variants.map(\.name).contains) else { return }
    throw Failure(.usage, at: out, "these are the results of another experiment, of the variants \(someOf(before, atMost: 6))",
                  remedy: "Choose another --out.")
  }

  public var jobCount: Int { jobs.count }

  /// The arguments of the command that makes the experiment again.
  public var command: String { "apus ablate \(experiment.specPath.quotedShell)" }

  // MARK: The plan

  /// The plan as a table, with how every job stands.
  public func plan(_ limits: JobLimits) -> String {
    let seeds = experiment.seeds.map(String.init).joined(separator: ", ")
    let finished = jobs.count(where: \.isFinished)
    var table = TextTable(["job", "variant", "seed", "settings", "state"], rightAligned: [0, 2])
    for job in jobs {
      let variant = job.job.variant
      table.add(["\(job.number)", variant.name, "\(job.job.seed)", variant.settings.joined(separator: " "), job.state])
    }
    return """
      \(experiment.question.isEmpty ? experiment.name : experiment.question)

      base       \(experiment.base)
      baseline   \(experiment.baseline)
      seeds      \(seeds)
      budget     \(experiment.budget.words) each
      metrics    \(experiment.metrics.map(\.name).joined(separator: ", "))
      runs       \(out)
      at once    \(limits.places) of \(limits.threads) \(limits.threads == 1 ? "thread" : "threads") each
      jobs       \(jobs.count), \(finished) finished

      \(table.text)
      """
  }

  // MARK: Running

  /// Runs every job that is not finished, and writes results and tables.
  /// - Parameters:
  ///   - program: the executable that trains and evaluates.
  ///   - say: told lines for the user.
  /// - Returns: the exit code: 0; 1 if a job failed; that of the signal that stopped it.
  /// - Throws: `.cannotCreate` if another process runs this experiment; the failures of writing.
  public func run(_ limits: JobLimits, program: String, say: @escaping (String) -> Void) throws -> Int32 {
    try File.createFolder(out)
    let lock = try FolderLock(folder: out, file: "ablate.lock", what: "experiment", remedy: "Wait until it ends, or choose another --out.")
    defer { withExtendedLifetime(lock) {} }
    try AtomicFile.removeLeftovers(in: out)
    try writeTables()
    let runner = JobRunner(
      experiment, jobs, limits, program: program, estimates: try estimates(limits, say), say: say)
    let outcome = try runner.run { try writeTables() }
    try writeTables()
    tellReport(say)
    if let signal = outcome.signal {
      say("stopped; the same command goes on where it was")
      return StopSignal.exitCode(for: signal)
    }
    guard !outcome.failed.isEmpty else { return 0 }
    let names = someOf(outcome.failed.map(\.job.title), atMost: 12)
    say("\(outcome.failed.count) of \(jobs.count) jobs failed: \(names); the same command tries them again")
    return 1
  }

  /// Runs one job, as a task of a batch system does.
  /// - Parameter number: from 1, as the plan has it.
  /// - Throws: `.usage` if there is no such job.
  public func run(job number: Int, _ limits: JobLimits, program: String, say: @escaping (String) -> Void) throws -> Int32 {
    guard let job = jobs.first(where: { $0.number == number }) else {
      throw Failure(.usage, at: "--job \(number)", "the experiment has the jobs 1 to \(jobs.count)")
    }
    guard !job.isFinished else {
      say("\(job.job.title) is finished already")
      return 0
    }
    try writeTables()
    let outcome = try JobRunner(experiment, jobs, only: job, limits, program: program, estimates: [:], say: say).run {}
    try writeTables()
    if let signal = outcome.signal { return StopSignal.exitCode(for: signal) }
    return outcome.failed.isEmpty ? 0 : 1
  }

  /// What each variant will take, bytes, where that counts.
  /// - Throws: `.usage` if one takes more than there may be.
  private func estimates(_ limits: JobLimits, _ say: (String) -> Void) throws -> [String: Int] {
    guard let limit = limits.memory else { return [:] }
    var estimates: [String: Int] = [:]
    for job in jobs where !job.isFinished && estimates[job.job.variant.name] == nil {
      let variant = job.job.variant
      guard let task = variant.task as? any LearningTask.Type else { continue }
      let bytes = try task.trainingMemory(variant.request)
      estimates[variant.name] = bytes
      guard bytes <= limit else {
        throw Failure(
          .usage, at: "--memory", "a job of '\(variant.name)' takes about \(bytes >> 20) MiB, and all together may take \(limit >> 20) MiB",
          remedy: "Give more, or make the batch smaller.")
      }
    }
    let words = estimates.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value >> 20) MiB" }
    if !words.isEmpty { say("memory by estimate: \(words.joined(separator: ", "))") }
    return estimates
  }

  // MARK: Results

  /// Writes the page with the plots beside the tables; what keeps it from that is told, and costs no result.
  private func tellReport(_ say: (String) -> Void) {
    do {
      _ = try ReportRequest.writeExperiment(folder: out, to: out)
      say("report: \(Path.join(out, ReportRequest.pageName))")
    } catch {
      say("there is no report: \(error)")
    }
  }

  /// Gathers what every job has to say, and writes `results.json` and the tables.
  private func writeTables() throws {
    let result = try results()
    try result.write(to: out)
    for (name, text) in ExperimentTable(result).files { try AtomicFile.write(text, to: Path.join(out, name)) }
  }

  /// The results of the jobs as they stand on the disk.
  public func results() throws -> ExperimentResult {
    let metrics = experiment.metrics.map { kind in
      ExperimentResult.Metric(name: kind.name, unit: kind.unit, meaning: kind.meaning, better: kind.better)
    }
    var result = ExperimentResult(
      name: experiment.name, question: experiment.question, command: command, baseline: experiment.baseline, metrics: metrics,
      budget: experiment.budget)
    result.variants = try experiment.variants.map { variant in
      let seeds = try jobs.filter { $0.job.variant.name == variant.name }.map { try seed(of: $0) }
      return .init(name: variant.name, label: variant.spec.label, overrides: variant.settings, paper: variant.spec.figures, seeds: seeds)
    }
    // Metrics that nobody asked for and no network gives, such as those of heads that it does not have.
    let isBegun = result.variants.contains { !$0.finished.isEmpty }
    if experiment.choosesAllMetrics, isBegun {
      result.metrics.removeAll { metric in result.variants.allSatisfy { $0.values(of: metric.name).isEmpty } }
    }
    try result.summarize { run in
      let path = Path.join(out, run, JobRecord.samplesName)
      guard let text = try File.bytesIfPresent(at: path) else {
        throw Failure(.badData, at: path, "the numbers of this job's samples are gone",
                      remedy: "Remove the folder \(Path.join(out, run)), and the job is run anew.")
      }
      return try SampleTable(csv: String(decoding: text, as: UTF8.self), at: path)
    }
    result.notes += sharingNotes()
    return result
  }

  /// Which variants are trained once for all.
  private func sharingNotes() -> [String] {
    let first = jobs.filter { $0.job.seed == experiment.seeds.first }
    return first.indices.compactMap { index in
      let owner = first[..<index].first { $0.sharesTraining(with: first[index]) }
      guard !experiment.budget.isEmpty, let owner else { return nil }
      let labels = (first[index].job.variant.spec.label, owner.job.variant.spec.label)
      return "\(labels.0): trained once for it and \(labels.1), which differ in 'inference' only"
    }
  }

  private func seed(of job: PlannedJob) throws -> ExperimentResult.Seed {
    var seed = ExperimentResult.Seed(seed: job.job.seed, status: .missing, run: job.job.path)
    guard let record = try JobRecord(folder: job.folder) else { return seed }
    (seed.step, seed.seconds, seed.data) = (record.step, record.seconds, record.data)
    seed.weights = record.weights.map { Path.normalized(Path.join(job.job.path, $0)) }
    switch record.status {
    case .started: break
    case .failed: (seed.status, seed.message) = (.failed, record.message)
    case .finished:
      (seed.status, seed.metrics) = (.finished, record.metrics)
      seed.samples = Path.join(job.job.path, JobRecord.samplesName)
    }
    return seed
  }
}
