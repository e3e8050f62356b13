import Base
import Foundation
import Tensors

/// The one training loop of all recipes.
///
/// ```swift
/// let opened = try RunFolder.open(request, environment: facts)
/// var trainer = try Trainer(recipe, plan: config.plan, opened: opened, console: Console())
/// exit(try trainer.run().exitCode)
/// ```
public struct Trainer<R: Recipe> {
  public private(set) var recipe: R
  /// Updates done.
  public var step: Int { state.step }
  private let plan: Plan
  private let stages: Stages?
  private let folder: RunFolder
  private let store: CheckpointStore
  private let console: Console
  private let stop: () -> Int32?
  private let time: TimeSource
  private let log: MetricLog
  private var state: TrainerState
  private var record: RunRecord
  private var pace = Pace()
  private let began: Double

  /// Restores the recipe from the checkpoint, if there is one, and opens the logs.
  /// - Parameters:
  ///   - stop: asked between two steps; a signal number ends the run after a save.
  ///   - store: where checkpoints go; tests pass one on a failing disk.
  public init(_ recipe: R, plan: Plan, opened: RunFolder.Opened, console: Console, store: CheckpointStore? = nil,
              stop: @escaping () -> Int32? = { StopSignal.requested }, time: TimeSource = .system) throws {
    (self.recipe, self.plan, self.folder, self.console) = (recipe, plan, opened.folder, console)
    (self.stop, self.time, self.store) = (stop, time, store ?? opened.folder.store)
    began = time.steady()
    stages = recipe.stages
    state = TrainerState(seed: plan.seed)
    if let checkpoint = opened.checkpoint {
      state = try TrainerState(checkpoint)
      try Trainer.requireSameStage(state, stages, checkpoint)
      try Trainer.restore(&self.recipe, from: checkpoint)
    }
    try opened.folder.writeSettings()
    record = RunRecord(started: TimeSource.stamp(time.wall()), resumedFrom: opened.checkpoint?.step, step: state.step, steps: plan.steps)
    try console.record(to: "\(folder.path)/train.log")
    for note in opened.notes { note.hasPrefix("warning: ") ? console.warning(String(note.dropFirst(9))) : console.note(note) }
    // The pointers before the logs: killed in between, the run continues from here again and finds the rows to drop.
    if let checkpoint = opened.checkpoint {
      try Trainer.restorePointers(of: self.store, from: checkpoint, best: state.best?.step)
    }
    log = try MetricLog(folder: folder.path, names: ["lr"] + recipe.trainMetrics + recipe.evaluationMetrics, resumedAt: state.step,
                        isResumed: opened.checkpoint != nil, time: time)
    if state.seed != plan.seed { console.warning("the run began with seed \(state.seed), the config now says \(plan.seed)") }
    state.seed = plan.seed
    try record.write(to: folder.path)
  }

  /// The recipe only knows the names of the files.
  private static func restore(_ recipe: inout R, from checkpoint: Checkpoint) throws {
    do {
      try recipe.restore(checkpoint.files.filter { ![TrainerState.fileName, "config.yaml"].contains($0.key) }, at: checkpoint.step)
    } catch let failure as Failure {
      let place = failure.place.isEmpty ? checkpoint.path : "\(checkpoint.path)/\(failure.place)"
      throw Failure(failure.kind, at: place, failure.problem,
                    remedy: "The config that it was trained with: \(checkpoint.path)/config.yaml. To start from these weights: --load-from.")
    }
  }

  /// The optimiser's state belongs to the stage that the checkpoint was written in.
  private static func requireSameStage(_ state: TrainerState, _ stages: Stages?, _ checkpoint: Checkpoint) throws {
    let expected = state.step > 0 ? stages?.name(after: state.step) : nil
    guard state.stage != expected else { return }
    func words(_ stage: String?) -> String { stage.map { "in the stage '\($0)'" } ?? "outside of any stage" }
    throw Failure(.badData, at: checkpoint.path, "step \(state.step) was trained \(words(state.stage)); the config has it \(words(expected))",
                  remedy: "The config that it was trained with: \(checkpoint.path)/config.yaml. To start from these weights: --load-from.")
  }

  /// The pointers may be of a future that was given up, or one save behind.
  private static func restorePointers(of store: CheckpointStore, from checkpoint: Checkpoint, best: Int?) throws {
    guard store.steps.contains(checkpoint.step) else { return }  // continued from the checkpoint of another run folder
    try store.point(.last, at: checkpoint.step)
    if let best, store.steps.contains(best) { try store.point(.best, at: best) } else { store.remove(.best) }
  }

  /// Trains to the last step of the plan, or until something asks to stop.
  /// - Throws: `Failure(.diverged)` if the loss is no longer finite (the checkpoints stay as they are), `.inputOutput` if the
  ///   disk is full, and what the recipe throws.
  public mutating func run() throws -> RunOutcome {
    try recordingFailures { trainer in
      let outcome = try trainer.loop()
      let ending = outcome == .completed ? "done: " : "saved and stopped; continue with --resume auto: "
      trainer.console.note("\(ending)step \(trainer.state.step) of \(trainer.plan.steps)")
      try trainer.close(outcome == .completed ? .completed : .stopped, exit: outcome.exitCode)
      return outcome
    }
  }

  /// Profiles `count` steps, after some that warm up, and ends the run there: nothing is logged, evaluated or saved.
  ///
  /// Writes `trace.json` to the run folder. A signal ends the profile early.
  /// - Throws: `Failure(.usage)` if the plan has not so many steps left, and as `run`.
  public mutating func profile(steps count: Int, warmingUp: Int = 3) throws -> ProfileReport {
    let left = plan.steps - state.step
    guard count >= 1, count + warmingUp <= left else {
      throw Failure(.usage, at: "--profile", "\(count) steps and \(warmingUp) to warm up, but the plan has \(left) left",
                    remedy: "Choose 1 or more, and more with --steps.")
    }
    return try recordingFailures { trainer in
      for _ in 0..<warmingUp where trainer.stop() == nil { _ = try trainer.learn() }
      var done = 0
      Profiler.start()
      while done < count, trainer.stop() == nil {
        _ = try Profiler.span("step") { try trainer.learn() }
        done += 1
      }
      let report = ProfileReport(Profiler.stop(), steps: done)
      let place = "\(trainer.folder.path)/trace.json"
      try AtomicFile.write(ProfileTrace(report.profile, title: "apus train").json(), to: place)
      trainer.console.note("profiled \(done) steps after \(warmingUp); \(place) opens in ui.perfetto.dev")
      try trainer.close(.stopped, exit: 0)
      return report
    }
  }

  private mutating func recordingFailures<Result>(_ body: (inout Trainer) throws -> Result) throws -> Result {
    do {
      return try body(&self)
    } catch {
      let failure = error as? Failure
      record.problem = "\(error)"
      try? close(failure?.kind == .diverged ? .diverged : .failed, exit: failure?.kind.exitCode ?? 1)
      throw error
    }
  }

  private mutating func loop() throws -> RunOutcome {
    if state.step == 0 && plan.evaluateFirst { _ = try evaluate() }
    if state.step >= plan.steps { console.note("the plan's \(plan.steps) steps are done already") }
    let ends = Set(stages?.ends ?? [])
    if let stages, state.step < plan.steps, !ends.contains(state.step) { console.note(stages.announcement(at: state.step)) }
    while state.step < plan.steps {
      if let stages, ends.contains(state.step) { console.note(stages.announcement(at: state.step)) }
      let report = try learn()
      let isEnd = ends.contains(state.step)
      if isEnd || plan.logs(at: state.step) { try write(report) }
      let isBest = isEnd || plan.evaluates(at: state.step) ? try evaluate() : false
      let isSaved = isEnd || isBest || plan.saves(at: state.step)
      if isSaved { try save(best: isBest) }
      if state.step < plan.steps, let outcome = interruption() {
        if !isSaved { try save(best: false) }
        return outcome
      }
    }
    return .completed
  }

  private func interruption() -> RunOutcome? {
    if let signal = stop() { return .stopped(signal: signal) }
    return plan.maxHours > 0 && time.steady() - began >= plan.maxHours * 3600 ? .outOfTime : nil
  }

  /// One update.
  private mutating func learn() throws -> StepReport {
    let start = time.steady()
    let report: StepReport
    do {
      report = try recipe.step(at: state.step)
    } catch let failure as Failure where failure.kind == .diverged {
      throw diverged(at: state.step + 1, "\(failure.place): \(failure.problem)")
    }
    state.step += 1
    (state.epoch, state.stage) = (report.epoch, stages?.name(after: state.step))
    record.step = state.step
    state.interval.add(report.metrics)
    pace.add(seconds: time.steady() - start, report)
    if let metric = report.nonFiniteMetric {
      try write(report)
      throw diverged(at: state.step, "\(metric.name) is \(metric.value)")
    }
    console.show(pace.status(step: state.step, of: plan.steps, report), isLogStep: false)
    return report
  }

  /// The failure of a step whose numbers are no longer finite, which the recipe or the loop found.
  private func diverged(at step: Int, _ reason: String) -> Failure {
    let parameter = recipe.nonFiniteParameter().map { "the parameter '\($0)' is not finite" } ?? "all parameters are still finite"
    let last = store.step(of: .last).map { "the checkpoint of step \($0) is sound" } ?? "there is no checkpoint yet"
    return Failure(.diverged, at: folder.path, "training diverged at step \(step): \(reason); \(parameter)",
                   remedy: "lower the learning rate or clip the gradient, then start again; \(last)")
  }

  /// The row of a log interval.
  private mutating func write(_ report: StepReport) throws {
    var values: Metrics = ["lr": report.learningRate]
    for metric in state.interval.means { values[metric.name] = metric.value }
    try log.append(MetricEvent(split: "train", step: state.step, epoch: state.epoch, values: values, clock: pace.clock(wall: time.wall())))
    var status = pace.status(step: state.step, of: plan.steps, report)
    status.metrics = state.interval.means
    console.show(status, isLogStep: true)
    state.interval = MetricSums()
    pace.startInterval()
  }

  /// Evaluates and logs; whether the score is the best so far.
  private mutating func evaluate() throws -> Bool {
    console.activity("evaluating at step \(state.step) …")
    let start = time.steady()
    MemoryPool.trim()  // an evaluation has other sizes than training: neither keeps what only the other needs
    defer { MemoryPool.trim() }
    guard let report = try recipe.evaluate(at: state.step), let score = report.metrics[report.score] else { return false }
    let clock: Metrics = ["wall": time.wall(), "time": time.steady() - start]
    try log.append(MetricEvent(split: "val", step: state.step, epoch: state.epoch, values: report.metrics, clock: clock))
    for picture in report.pictures { try keep(picture) }
    // Before the first step there is nothing of ours to save.
    let older = state.best.flatMap { $0.stage == state.stage ? $0.value : nil }
    let isBest = state.step > 0 && score.isFinite && (older.map { report.lowerIsBetter ? score < $0 : score > $0 } ?? true)
    if isBest { state.best = TrainerState.Best(metric: report.score, value: score, step: state.step, stage: state.stage) }
    let numbers = report.metrics.map { "\($0.name): \(StatusText.number($0.value))" }.joined(separator: " ")
    console.note("Iter(val) [\(state.step)/\(plan.steps)] \(numbers)\(isBest ? " (best)" : "")")
    return isBest
  }

  private func keep(_ picture: EvaluationReport.Picture) throws {
    let place = "\(folder.path)/vis/\(CheckpointStore.folderName(step: state.step))/\(picture.name).png"
    try File.createFolder((place as NSString).deletingLastPathComponent)
    try AtomicFile.write(picture.png, to: place)
    try log.append(picture: picture.png, tag: "val/\(picture.name)", step: state.step)
  }

  private mutating func save(best: Bool) throws {
    console.activity("saving step \(state.step) …")
    let files = try recipe.checkpointFiles()
    try log.synchronize()
    let own = [CheckpointFile(name: TrainerState.fileName, bytes: try state.json()),
               CheckpointFile(name: "config.yaml", bytes: Array(folder.configYAML.utf8))]
    try store.save(step: state.step, files: files + own, best: best)
    store.prune(keepLast: plan.keepLast, current: state.step, milestones: stages?.ends ?? [])
    try record.write(to: folder.path)
  }

  private mutating func close(_ end: RunRecord.State, exit: Int32) throws {
    console.finish()
    (record.state, record.exit, record.ended) = (end, Int(exit), TimeSource.stamp(time.wall()))
    try record.write(to: folder.path)
  }
}
