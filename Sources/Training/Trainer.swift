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
  private var pace = StepTimer()
  private let began: Double
  /// The stage at work.
  private var stage = 0
  /// The step of a checkpoint that was written for the sake of its evaluation only, which did not find it the best.
  private var superseded: Int?
  /// The step of the newest checkpoint that holds this run's state: 0 before the first.
  private var savedStep: Int
  /// Seconds that the last step took.
  private var stepSeconds = 0.0

  /// Restores the recipe from the checkpoint, if there is one, and opens the logs.
  /// - Parameters:
  ///   - stop: asked between two steps; a signal number ends the run after a save.
  ///   - store: where checkpoints go; tests pass one on a failing disk.
  public init(_ recipe: R, plan: Plan, opened: RunFolder.Opened, console: Console, store: CheckpointStore? = nil,
              stop: @escaping () -> Int32? = { StopSignal.requested }, time: TimeSource = .system) throws {
    self.recipe = recipe
    self.plan = plan.resolved(total: recipe.steps)
    self.folder = opened.folder
    self.console = console
    self.stop = stop
    self.time = time
    self.store = store ?? opened.folder.store
    began = time.steady()
    stages = recipe.stages
    state = TrainerState(seed: plan.seed)
    savedStep = opened.checkpoint?.step ?? 0
    var notes = opened.notes
    if let checkpoint = opened.checkpoint {
      state = try TrainerState(checkpoint)
      try state.requireMetrics(of: recipe.trainMetrics, checkpoint)
      try Trainer.requireSameStage(state, stages, checkpoint)
      stage = stages?.index(ofUpdate: max(state.step - 1, 0)) ?? 0
    }
    notes += try self.recipe.enter(stage: stage, isResuming: opened.checkpoint != nil)
    if let checkpoint = opened.checkpoint { try Trainer.restore(&self.recipe, from: checkpoint) }
    try opened.folder.writeSettings()
    record = RunRecord(
      started: TimeSource.stamp(time.wall()), resumedFrom: opened.checkpoint?.step, step: state.step, steps: self.plan.steps)
    try console.record(to: "\(folder.path)/train.log")
    for note in notes { note.hasPrefix("warning: ") ? console.warning(String(note.dropFirst(9))) : console.note(note) }
    // The pointers before the logs: killed in between, the run continues from here again and finds the rows to drop.
    if let checkpoint = opened.checkpoint {
      try Trainer.restorePointers(of: self.store, from: checkpoint, best: state.best?.step)
    }
    log = try MetricLog(folder: folder.path, names: recipe.rateNames + (recipe.trainMetrics + recipe.evaluationMetrics).map(\.name),
                        resumedAt: state.step, isResumed: opened.checkpoint != nil, time: time)
    if state.seed != plan.seed { console.warning("the run began with seed \(state.seed), the config now says \(plan.seed)") }
    state.seed = plan.seed
    if let change = state.products?.warning(continuingWith: .current) { console.warning(change) }
    state.products = .current
    try folder.write(record)
  }

  /// Restores the recipe; adds the checkpoint's path to its errors.
  private static func restore(_ recipe: inout R, from checkpoint: Checkpoint) throws {
    do {
      try recipe.restore(checkpoint.files.filter { ![TrainerState.fileName, "config.yaml"].contains($0.key) }, at: checkpoint.step)
    } catch let failure as Failure {
      let place = failure.place.isEmpty ? checkpoint.path : "\(checkpoint.path)/\(failure.place)"
      throw failure.told(
        at: place,
        remedy: "The config that it was trained with: \(checkpoint.path)/config.yaml. To start from these weights: --load-from.")
    }
  }

  /// The optimiser's state belongs to the stage that the checkpoint was written in.
  private static func requireSameStage(_ state: TrainerState, _ stages: Stages?, _ checkpoint: Checkpoint) throws {
    let expected = state.step > 0 ? stages?.name(after: state.step) : nil
    guard state.stage != expected else { return }
    func words(_ stage: String?) -> String { stage.map { "in the stage '\($0)'" } ?? "outside of any stage" }
    throw Failure(.badData, at: checkpoint.path,
                  "step \(state.step) was trained \(words(state.stage)); the config has it \(words(expected))",
                  remedy: "The config that it was trained with: \(checkpoint.path)/config.yaml. To start from these weights: --load-from.")
  }

  /// After resuming from an older checkpoint, last/best may name later steps; after a crash, an earlier one. Resets both.
  private static func restorePointers(of store: CheckpointStore, from checkpoint: Checkpoint, best: Int?) throws {
    let steps = try store.steps
    guard steps.contains(checkpoint.step) else { return }  // continued from the checkpoint of another run folder
    try store.point(.last, at: checkpoint.step)
    if let best, steps.contains(best) { try store.point(.best, at: best) } else { try store.remove(.best) }
  }

  /// Trains to the last step of the plan, or until something asks to stop.
  /// - Throws: `Failure(.diverged)` if the loss is no longer finite (the checkpoints stay as they are), `.inputOutput` if the
  ///   disk is full, and what the recipe throws.
  public mutating func run() throws -> RunOutcome {
    try recordingFailures { trainer in
      let outcome = try trainer.loop()
      let ending = outcome == .completed ? "done: " : "saved and stopped; continue with --resume auto: "
      let (step, planned) = (trainer.state.step, trainer.plan.steps)
      trainer.console.note("\(ending)step \(step) of \(planned)\(step > planned ? " planned now" : "")")
      try trainer.close(outcome == .completed ? .completed : .stopped, exit: outcome.exitCode)
      return outcome
    }
  }

  /// Profiles `count` steps, after some that warm up, and ends the run there: nothing is logged, evaluated or saved.
  ///
  /// Writes `trace.json` to the run folder. A signal ends the profile early.
  /// - Throws: `Failure(.usage)` if the plan has not so many steps left, and as `run`.
  public mutating func profile(steps count: Int, warmingUp: Int = 3) throws -> ProfileReport {
    try recordingFailures { trainer in
      let left = trainer.plan.steps - trainer.state.step
      guard count >= 1, warmingUp < left, count <= left - warmingUp else {
        throw Failure(.usage, at: "--profile", "\(count) steps and \(warmingUp) to warm up, but the plan has \(left) left",
                      remedy: "Choose 1 or more, and more with --steps.")
      }
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

  /// Does what the process is there for; however it ends, `run.json` tells it.
  private mutating func recordingFailures<Result>(_ body: (inout Trainer) throws -> Result) throws -> Result {
    Watchdog.begin(folder, saved: record)
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
    if try !completeEvaluation(), let signal = stop() { return .stopped(signal: signal) }
    if state.step >= plan.steps { console.note("the plan's \(plan.steps) steps are done already") }
    let ends = Set(stages?.ends ?? [])
    if let stages, state.step < plan.steps, !ends.contains(state.step) { console.note(stages.announcement(at: state.step)) }
    while state.step < plan.steps {
      try enterStage()
      let report = try learn()
      let isEnd = ends.contains(state.step)
      if isEnd || plan.logs(at: state.step) { try write(report) }
      let isJudged = isEnd || plan.evaluates(at: state.step)
      // Saved first: an evaluation may take long, and whatever happens to it, the steps are safe.
      if isJudged || plan.saves(at: state.step) { try save() }
      if isJudged, try !evaluate(), let signal = stop() { return .stopped(signal: signal) }
      if state.step < plan.steps, let outcome = interruption() {
        if !isJudged && !plan.saves(at: state.step) { try save() }
        return outcome
      }
    }
    return .completed
  }

  /// Begins the stage of the next update, if it is not at work.
  private mutating func enterStage() throws {
    guard let stages, case let next = stages.index(ofUpdate: state.step), next != stage else { return }
    console.note(stages.announcement(at: state.step))
    for note in try recipe.enter(stage: next, isResuming: false) { console.note(note) }
    stage = next
  }

  /// The evaluation that belongs to the step where this process starts: the one before the first step or, after a resume, that of the
  /// checkpoint. If the log has its row already, it is not repeated.
  /// - Returns: whether it was completed, or nothing was to do.
  private mutating func completeEvaluation() throws -> Bool {
    guard state.step > 0 else { return plan.evaluateFirst ? try evaluate() : true }
    guard plan.evaluates(at: state.step) || (stages?.ends ?? []).contains(state.step) else { return true }
    guard let row = log.keptMetrics(split: "val", step: state.step) else { return try evaluate() }
    try settle(row)
    return true
  }

  private func interruption() -> RunOutcome? {
    if let signal = stop() { return .stopped(signal: signal) }
    return plan.maxHours > 0 && time.steady() - began >= plan.maxHours * 3600 ? .outOfTime : nil
  }

  /// One update.
  private mutating func learn() throws -> StepReport {
    let start = time.steady()
    try folder.requireOwn()
    enter(.step)
    let report: StepReport
    do {
      report = try recipe.step(at: state.step)
    } catch let failure as Failure where failure.kind == .diverged {
      throw diverged(at: state.step + 1, "\(failure.place): \(failure.problem)")
    } catch let failure as Failure where [.badData, .missingInput, .inputOutput].contains(failure.kind) {
      saveBeforeFailing()
      throw failure
    }
    state.step += 1
    stepSeconds = time.steady() - start
    (state.epoch, state.stage) = (report.epoch, stages?.name(after: state.step))
    record.step = state.step
    state.interval.add(report.metrics)
    pace.add(seconds: time.steady() - start, report)
    let kinds = recipe.trainMetrics
    if let unknown = report.metrics.first(where: { kinds[$0.name] == nil }) {
      Base.stop("training: the step reports '\(unknown.name)', which the recipe does not declare among \(kinds.map(\.name))")
    }
    if let metric = report.metrics.first(where: { !$0.value.isFinite && kinds[$0.name]?.mustBeFinite == true }) {
      try write(report)
      throw diverged(at: state.step, "\(metric.name) is \(metric.value)")
    }
    console.show(pace.status(step: state.step, of: plan.steps, report), isLogStep: false)
    return report
  }

  /// Keeps the steps that were done when the data of the next one cannot be read: a recipe reads them before it changes anything.
  private mutating func saveBeforeFailing() {
    guard state.step > savedStep else { return }
    do {
      try save()
      console.note("saved step \(state.step) before giving up")
    } catch {
      console.warning("the last steps cannot be saved: \(error)")
    }
  }

  private func enter(_ phase: Watchdog.Phase) { Watchdog.enter(phase, isSaved: state.step == savedStep, usual: stepSeconds) }

  /// The failure of a step whose numbers are no longer finite, which the recipe or the loop found.
  private func diverged(at step: Int, _ reason: String) -> Failure {
    let parameter = recipe.nonFiniteParameter().map { "the parameter '\($0)' is not finite" } ?? "all parameters are still finite"
    let last = (try? store.step(of: .last)).map { "the checkpoint of step \($0) is sound" } ?? "there is no checkpoint yet"
    return Failure(.diverged, at: folder.path, "training diverged at step \(step): \(reason); \(parameter)",
                   remedy: "lower the learning rate or clip the gradient, then start again; \(last)")
  }

  /// The row of a log interval.
  private mutating func write(_ report: StepReport) throws {
    let means = state.interval.means(of: recipe.trainMetrics)
    var values = report.learningRates
    for metric in means { values[metric.name] = metric.value }
    try log.append(MetricEvent(split: "train", step: state.step, epoch: state.epoch, values: values, clock: pace.clock(wall: time.wall())))
    var status = pace.status(step: state.step, of: plan.steps, report)
    status.metrics = means
    console.show(status, isLogStep: true)
    state.interval = MetricSums()
    pace.startInterval()
  }

  /// Evaluates and logs. What was saved before stays whatever happens.
  /// - Returns: false if it was asked to stop before it was done; a resume runs it again.
  private mutating func evaluate() throws -> Bool {
    console.activity("evaluating at step \(state.step) …")
    enter(.evaluating)
    let start = time.steady()
    MemoryPool.trim()  // an evaluation has other sizes than training: neither keeps what only the other needs
    defer { MemoryPool.trim() }
    let report: EvaluationReport?
    do {
      report = try recipe.evaluate(at: state.step, monitor())
    } catch is EvaluationCancelled {
      console.note("the evaluation at step \(state.step) was given up; it is repeated when the run goes on")
      return false
    }
    guard let report else {
      _ = try settle([:])  // no validation set
      return true
    }
    for warning in report.warnings { console.warning(warning) }
    for picture in report.pictures { try keep(picture) }
    // The row comes last: once it stands in the log, the evaluation is complete.
    let clock: Metrics = ["wall": time.wall(), "time": time.steady() - start]
    try log.append(MetricEvent(split: "val", step: state.step, epoch: state.epoch, values: report.metrics, clock: clock))
    let isBest = try settle(report.metrics)
    let numbers = report.metrics.map { "\($0.name): \(StatusText.number($0.value))" }.joined(separator: " ")
    console.note("Iter(val) [\(state.step)/\(plan.steps)] \(numbers)\(isBest ? " (best)" : "")")
    return true
  }

  private func monitor() -> EvaluationMonitor {
    var count = CountStatus("evaluating at step \(state.step):")
    return EvaluationMonitor(
      report: { [console] done, total in console.show(&count, done, of: total) }, isCancelled: { [stop] in stop() != nil })
  }

  /// Notes the score of an evaluation; if it is the best so far, `best_checkpoint` names this step.
  @discardableResult
  private mutating func settle(_ metrics: Metrics) throws -> Bool {
    // Before the first step there is nothing of ours to keep.
    guard state.step > 0 else { return false }
    let older = state.best.flatMap { $0.stage == state.stage ? $0.value : nil }
    if let kind = recipe.evaluationMetrics.first(where: { $0.better != nil }), let score = metrics[kind.name], score.isFinite,
       older.map({ kind.isBetter(score, than: $0) }) ?? true {
      state.best = TrainerState.Best(metric: kind.name, value: score, step: state.step, stage: state.stage)
      try log.synchronize()
      try store.point(.best, at: state.step)
      return true
    }
    let isWanted = plan.saves(at: state.step) || (stages?.ends ?? []).contains(state.step)
    superseded = isWanted ? nil : state.step
    return false
  }

  private func keep(_ picture: EvaluationReport.Picture) throws {
    let place = "\(folder.path)/vis/\(CheckpointStore.folderName(step: state.step))/\(picture.name).png"
    try folder.requireOwn()
    try File.createFolder(File.folder(of: place))
    try AtomicFile.write(picture.png, to: place)
    try log.append(picture: picture.png, tag: "val/\(picture.name)", step: state.step)
  }

  private mutating func save() throws {
    console.activity("saving step \(state.step) …")
    try folder.requireOwn()
    enter(.saving)
    let files = try recipe.checkpointFiles()
    try log.synchronize()
    let own = [CheckpointFile(name: TrainerState.fileName, bytes: try state.json()),
               CheckpointFile(name: "config.yaml", bytes: Array(folder.configYAML.utf8))]
    try store.save(step: state.step, files: files + own)
    savedStep = state.step
    Watchdog.saved(record)
    try store.prune(keepLast: plan.keepLast, current: state.step, milestones: stages?.ends ?? [], superseded: superseded)
    superseded = nil
    try folder.write(record)
  }

  private mutating func close(_ end: RunRecord.State, exit: Int32) throws {
    console.finish()
    Watchdog.end()
    (record.state, record.exit, record.ended) = (end, Int(exit), TimeSource.stamp(time.wall()))
    try folder.write(record)
  }
}
