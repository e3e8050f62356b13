import Base
import Foundation
import Training

/// A recipe of two numbers: momentum descent on a noisy parabola. Everything depends on the step and the saved state alone.
private struct Descent: Recipe {
  var x = 5.0
  var momentum = 0.0
  /// Options of the command line, by name.
  let options: [String: Int]

  var trainMetrics: [MetricKind] { [.loss(), .gradientNorm()] }
  var evaluationMetrics: [MetricKind] { [MetricKind("distance", "from the best", better: .lower)] }

  mutating func step(at step: Int) throws -> StepReport {
    if step == options["broken"] { throw Failure(.badData, at: "data/00007.png", "this file is damaged") }
    if step == options["slow"] { for _ in 0..<600 { sleep(1) } }
    if let pause = options["pause"] { usleep(UInt32(pause) * 1000) }
    var random = Random(seed: 1, stream: .noise, epoch: step / 10, sample: step)
    let gradient = x + 0.1 * random.normal()
    momentum = 0.9 * momentum + gradient
    x -= 0.1 / Double(step + 1) * momentum
    return StepReport(epoch: step / 10, samples: 4, learningRates: ["lr": 0.1 / Double(step + 1)], metrics: ["loss": x * x / 2, "grad_norm": abs(gradient)])
  }

  mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    for _ in 0..<(options["judging"] ?? 0) {  // milliseconds
      if monitor.isCancelled() { throw EvaluationCancelled() }
      usleep(1000)
    }
    // Worse again after step 8, so that the best is not the last.
    return EvaluationReport(metrics: ["distance": abs(Double(step) - 8) + abs(x)], pictures: [.init(name: "picture", png: [0x89])])
  }

  func checkpointFiles() throws -> [CheckpointFile] {
    [CheckpointFile(name: "x.txt", bytes: Array("\(x)".utf8)), CheckpointFile(name: "momentum.txt", bytes: Array("\(momentum)".utf8)),
     CheckpointFile(name: "ballast", bytes: Array(repeating: 7, count: options["ballast"] ?? 0))]
  }

  mutating func restore(_ files: [String: [UInt8]], at step: Int) throws {
    guard let x = Double(String(decoding: files["x.txt"] ?? [], as: UTF8.self)),
          let momentum = Double(String(decoding: files["momentum.txt"] ?? [], as: UTF8.self)) else {
      throw Failure(.badData, at: "x.txt", "not a checkpoint of this recipe")
    }
    self.x = x
    self.momentum = momentum
  }
}

/// A training run in a process of its own, for tests that kill it, starve it and break its disk: `Trial FOLDER [name=number]...`
@main
private enum Trial {
  static func main() {
    StopSignal.ignoreWriteSignals()
    StopSignal.install()
    do {
      exit(try run(in: CommandLine.arguments[1], CommandLine.arguments.dropFirst(2)))
    } catch let failure as Failure {
      FileHandle.standardError.write(Data("error: \(failure)\n".utf8))
      exit(failure.kind.exitCode)
    } catch {
      exit(1)
    }
  }

  private static func run(in folder: String, _ arguments: ArraySlice<String>) throws -> Int32 {
    var options: [String: Int] = [:]
    for argument in arguments {
      let parts = argument.split(separator: "=")
      options[String(parts[0])] = Int(parts[1])
    }
    var plan = Plan()
    plan.steps = options["steps"] ?? 13
    plan.logEvery = 3
    plan.evaluateEvery = 4
    plan.saveEvery = 5
    plan.keepLast = 2
    var request = RunRequest(configPath: "trial.yaml", resolvedYAML: "plan:\n  steps: 13\n")
    request.workDirectory = folder
    request.resume = .auto
    let opened = try RunFolder.open(request, environment: .gathered(isa: "portable", threads: 1))
    var trainer = try Trainer(Descent(options: options), plan: plan, opened: opened, console: Console(.plain))
    return try trainer.run().exitCode
  }
}
