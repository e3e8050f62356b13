import Base
import Foundation
import Synchronization
import Training

/// Counts the moments at which a run may die, and lets it die at one of them.
final class Fate: Sendable {
  struct Killed: Error {}

  private let count = Atomic<Int>(0)
  private let last: Int

  init(dyingAt last: Int = .max) { self.last = last }

  var moments: Int { count.load(ordering: .relaxed) }

  func pass() throws {
    if count.add(1, ordering: .relaxed).oldValue >= last { throw Killed() }
  }
}

/// Momentum descent on a noisy parabola, in plain numbers; everything it does depends on the step and the saved state alone.
struct ToyRecipe: Recipe {
  var x = 5.0
  var momentum = 0.0
  var seed: UInt64 = 1
  var fate = Fate()
  /// The step at which the parameter becomes NaN.
  var diverging = Int.max
  /// The step at which the recipe itself finds a gradient that is not finite.
  var failing = Int.max
  /// A loss that every third step has; its values by step.
  var penalty: ((Int) -> Double)?
  var hasValidation = true
  /// Whether an evaluation asks three times if it shall stop.
  var asksDuringEvaluation = false
  /// In stages, each of which begins without momentum.
  var stages: Stages?

  var trainMetrics: [MetricKind] { [.loss(), .gradientNorm()] + (penalty == nil ? [] : [.loss("penalty")]) }
  var evaluationMetrics: [MetricKind] { [MetricKind("epe", "distance from the best", better: .lower)] }

  mutating func enter(stage index: Int, isResuming: Bool) throws -> [String] {
    momentum = 0
    return []
  }

  mutating func step(at step: Int) throws -> StepReport {
    try fate.pass()
    if step == failing { throw Failure(.diverged, at: "toy.x", "the gradient of this parameter is infinite or not a number") }
    var random = Random(seed: seed, stream: .noise, epoch: step / 10, sample: step)
    let gradient = x + 0.1 * random.normal()
    momentum = 0.9 * momentum + gradient
    let rate = 0.1 / Double(step + 1)
    x -= rate * momentum
    if step == diverging { x = .nan }
    var metrics: Metrics = ["loss": x * x / 2, "grad_norm": abs(gradient)]
    if let penalty, step % 3 == 0 { metrics["penalty"] = penalty(step) }
    return StepReport(epoch: step / 10, samples: 4, learningRates: ["lr": rate], dataSeconds: 0.001, metrics: metrics)
  }

  mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    try fate.pass()
    guard hasValidation else { return nil }
    for done in 0..<3 where asksDuringEvaluation {
      if monitor.isCancelled() { throw EvaluationCancelled() }
      monitor.report(done + 1, 3)
    }
    // Worse again after step 8, so that the best is not the last.
    let error = abs(Double(step) - 8) + abs(x)
    return EvaluationReport(metrics: ["epe": error], pictures: [.init(name: "flow", png: [0x89])])
  }

  func checkpointFiles() throws -> [CheckpointFile] {
    try fate.pass()
    return [CheckpointFile(name: "model.txt", bytes: Array("\(x)".utf8)), CheckpointFile(name: "optimizer.txt", bytes: Array("\(momentum)".utf8))]
  }

  mutating func restore(_ files: [String: [UInt8]], at step: Int) throws {
    guard Set(files.keys) == ["model.txt", "optimizer.txt"],
          let x = Double(String(decoding: files["model.txt"] ?? [], as: UTF8.self)),
          let momentum = Double(String(decoding: files["optimizer.txt"] ?? [], as: UTF8.self)) else {
      throw Failure(.badData, at: "toy", "not a toy checkpoint")
    }
    (self.x, self.momentum) = (x, momentum)
  }

  func nonFiniteParameter() -> String? { x.isFinite ? nil : "toy.x" }
}

/// One run folder in a temporary place, and the ways to run in it.
struct ToyRun {
  let folder: TemporaryFolder
  var plan = Plan()
  var path: String { "\(folder.path)/run" }
  var store: CheckpointStore { CheckpointStore(runFolder: path) }

  init() throws {
    folder = try TemporaryFolder()
    (plan.steps, plan.logEvery, plan.evaluateEvery, plan.saveEvery, plan.keepLast) = (13, 3, 4, 5, 2)
  }

  var request: RunRequest {
    var request = RunRequest(configPath: "configs/toy.yaml", resolvedYAML: "plan:\n  steps: 13\n")
    request.workDirectory = path
    return request
  }

  static let facts = EnvironmentInfo.gathered(isa: "portable", threads: 1)
  static var quiet: Console {
    Console(.none, terminal: .init(isTerminal: false, hasColour: false, isUnicode: false, width: { 80 }, write: { _ in }))
  }

  /// Opens the folder and trains; writes of checkpoints are moments of fate too.
  @discardableResult
  func train(_ recipe: ToyRecipe = ToyRecipe(), resume: RunRequest.Resume = .auto, stop: @escaping () -> Int32? = { nil },
             console: Console = quiet) throws -> (recipe: ToyRecipe, outcome: RunOutcome) {
    var request = request
    request.resume = resume
    let opened = try RunFolder.open(request, environment: ToyRun.facts)
    let fate = recipe.fate
    let store = CheckpointStore(runFolder: path) { bytes, path in
      try fate.pass()
      try AtomicFile.write(bytes, to: path)
    }
    var trainer = try Trainer(recipe, plan: plan, opened: opened, console: console, store: store, stop: stop)
    let outcome = try trainer.run()
    return (trainer.recipe, outcome)
  }

  /// Trains in a run folder of another process, for child processes that come to an end on the way.
  /// - Parameter answer: to the question whether to stop, given its number from 1.
  static func train(at path: String, answer: @escaping (_ question: Int) -> Int32?) throws {
    let child = try ToyRun()
    var request = child.request
    request.workDirectory = path
    let opened = try RunFolder.open(request, environment: facts)
    var question = 0
    var trainer = try Trainer(ToyRecipe(), plan: child.plan, opened: opened, console: quiet, stop: {
      question += 1
      return answer(question)
    })
    _ = try trainer.run()
  }

  func text(_ name: String) throws -> String { try folder.text("run/\(name)") }

  /// The rows of `metrics.jsonl` without the clock.
  func rows() throws -> [String] {
    try text("metrics.jsonl").split(separator: "\n").map { String($0.prefix(upTo: $0.range(of: ",\"wall\"")?.lowerBound ?? $0.endIndex)) }
  }

  func append(_ text: String, to name: String) throws {
    let place = "\(path)/\(name)"
    guard let handle = FileHandle(forWritingAtPath: place) else { return }
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }
}
