import Base
import Foundation
import Networks
import Tensors
import Testing
import Training

/// A small convolutional network that learns to answer 1.
private struct TinyRecipe: Recipe {
  let conv: Conv2d, norm = BatchNorm2d(8), head: Linear
  let optimizer: SGD
  let images: Tensor
  var trainMetrics: [MetricKind] { [.loss()] }
  var evaluationMetrics: [MetricKind] { [] }

  init() throws {
    var random = Random(seed: 5, stream: .test)
    conv = Conv2d(3, 8, kernel: 3, Convolution(padding: 1), &random)
    head = Linear(8, 1, &random)
    images = .uniform([2, 16, 20, 3], from: -1, to: 1, &random)
    let named = conv.parameters() + norm.parameters().map { ("norm." + $0.name, $0.parameter) }
      + head.parameters().map { ("head." + $0.name, $0.parameter) }
    optimizer = try SGD(named.map { ($0.0, $0.1) }, SGD.Config(momentum: 0.9))
  }

  var parameters: [Tensor] { optimizer.parameters.map { $0.parameter.value.detached() } }

  /// In a function of its own: the activations belong to nothing but the graph when it returns.
  @inline(never) private func loss() -> Tensor {
    let x = norm(conv(images), Pass(.training)).relu().mean([1, 2])
    let y = x.matmul(head.weight.value), answer = head.bias.map { y + $0.value } ?? y
    return (answer - 1).squared().mean()
  }

  mutating func step(at step: Int) throws -> StepReport {
    let loss = loss()
    let gradients = loss.gradients()
    Profiler.span("optimizer") { optimizer.step(gradients, learningRate: 0.01) }
    return StepReport(samples: 2, learningRates: ["lr": 0.01], metrics: ["loss": loss.item])
  }

  mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? { nil }
  func checkpointFiles() throws -> [CheckpointFile] { [] }
  mutating func restore(_ files: [String: [UInt8]], at step: Int) throws {}
}

/// The profiler belongs to the process, so each of these tests runs in one of its own.
@Suite struct ProfileTests {
  /// A trainer in a new folder; the folder is deleted with the second value.
  private static func trainer() throws -> (Trainer<TinyRecipe>, ToyRun) {
    let run = try ToyRun()
    return (try Trainer(TinyRecipe(), plan: run.plan, opened: try RunFolder.open(run.request, environment: ToyRun.facts),
                        console: ToyRun.quiet, stop: { nil }), run)
  }

  @Test func everyOpIsListed() async {
    await #expect(processExitsWith: .success) {
      var (trainer, run) = try ProfileTests.trainer()
      let report = try trainer.profile(steps: 4)
      func row(_ kind: Profile.Event.Kind, _ name: String) -> ProfileReport.Row {
        // Ops with products are listed by the algorithm, too: "convolution, direct".
        guard let row = report.rows.first(where: { $0.kind == kind && ($0.name == name || $0.name.hasPrefix("\(name), ")) }) else {
          stop("no row \(kind) \(name)")
        }
        return row
      }
      for name in ["convolution", "normalize", "add", "relu", "sum", "matmul", "square"] {
        require(row(.forward, name).calls >= 4 && row(.backward, name).calls >= 4, name)
      }
      let conv = row(.forward, "convolution")
      require(conv.calls == 4 && row(.backward, "convolution").calls == 4 && row(.span, "optimizer").calls == 4, "calls")
      require(conv.flops == 4 * 2 * (2 * 16 * 20 * 8) * 9 * 3, "flops \(conv.flops)")
      require(row(.backward, "convolution").flops == conv.flops, "the images need no gradient")
      require(row(.backward, "relu").saved >= 4 * (2 * 16 * 20 * 8) * 4, "relu keeps its output, not \(row(.backward, "relu").saved)")
      require(row(.backward, "add").saved < 4 * 2 * 16 * 20 * 8, "add keeps nothing")
      require(conv.allocated >= 4 * (2 * 16 * 20 * 8) * 4, "allocated")
      require(report.rows.allSatisfy { $0.duration >= 0 && $0.calls > 0 }, "rows")
      let shares = report.rows.reduce(0) { $0 + $1.share }
      require(abs(shares - 1) < 1e-9, "the shares sum to \(shares)")
      require(report.table.contains(#/forward +convolution, .* 1 /#) && report.table.contains(#/backward +all ops/#), report.table)
      require(try RunRecord(folder: run.path).state == .stopped && RunRecord(folder: run.path).exit == 0, "record")
      try require(run.store.steps.isEmpty && trainer.step == 7, "nothing is saved")
    }
  }

  @Test func theTraceHasEveryEvent() async {
    await #expect(processExitsWith: .success) {
      var (trainer, run) = try ProfileTests.trainer()
      let report = try trainer.profile(steps: 2)
      let file = try JSONSerialization.jsonObject(with: Data(try run.text("trace.json").utf8))
      let events = (file as? [String: Any])?["traceEvents"] as? [[String: Any]] ?? []
      let complete = events.filter { $0["ph"] as? String == "X" }
      require(complete.count == report.profile.events.count && complete.count > 40, "\(complete.count) events")
      for event in complete {
        let isSound = event["name"] is String && event["pid"] is Int && event["tid"] is Int && event["args"] is [String: Any]
          && (event["ts"] as? Double ?? -1) >= 0 && (event["dur"] as? Double ?? -1) >= 0
        require(isSound, "\(event)")
      }
      let conv = complete.first { $0["name"] as? String == "convolution" }?["args"] as? [String: Any] ?? [:]
      require(conv["inputs"] as? String == "[2, 16, 20, 3] [3, 3, 3, 8] [8]" && conv["outputs"] as? String == "[2, 16, 20, 8]", "\(conv)")
      require(complete.contains { $0["name"] as? String == "convolution backward" }, "backward")
      // Ops lie inside their step, one after the other.
      var end = 0
      for event in report.profile.events where event.kind != .span {
        require(event.start >= end, "\(event.name) overlaps")
        end = event.start + event.duration
      }
    }
  }

  @Test func profilingChangesNoBits() async {
    await #expect(processExitsWith: .success) {
      var (profiled, a) = try ProfileTests.trainer()
      _ = try profiled.profile(steps: 4)
      var plain = try TinyRecipe()
      for step in 0..<7 { _ = try plain.step(at: step) }
      require(zip(profiled.recipe.parameters, plain.parameters).allSatisfy { $0.isIdentical(to: $1) }, "weights differ")
      withExtendedLifetime(a) {}
    }
  }

  @Test func nothingIsCollectedBefore() async {
    await #expect(processExitsWith: .success) {
      var recipe = try TinyRecipe()
      _ = try recipe.step(at: 0)
      Profiler.start()
      let profile = Profiler.stop()
      require(profile.events.map(\.name) == ["loop"], "\(profile.events)")
    }
  }

  @Test func aPlanThatIsTooShortIsRefused() throws {
    var (trainer, run) = try Self.trainer()
    #expect { try trainer.profile(steps: 11) } throws: {
      ($0 as? Failure)?.kind == .usage && "\($0)".contains("11 steps and 3 to warm up, but the plan has 13 left")
    }
    withExtendedLifetime(run) {}
  }
}
