import Foundation
import Testing

/// Training of HRNet with batch statistics, flips, rotation and scale: however it is interrupted, and whoever reads the data, it ends with
/// the same bytes.
@Suite struct PoseResumeTests {
  private static let steps = 12

  private static func workplace() throws -> Workplace {
    let place = try Workplace()
    try place.preparePose(plan: "steps: \(steps), log_every: 5, evaluate_every: 6, save_every: 3")
    return place
  }

  private static func train(_ place: Workplace, _ options: String...) throws -> Outcome {
    try place.apus(["train", "pose.yaml", "--work-dir", "run", "--resume", "auto"] + options)
  }

  /// The run without any interruption.
  private static let reference = Result {
    let place = try workplace()
    expectSuccess(try train(place))
    return try Trace(place, run: "run", step: steps)
  }

  @Test func theReferenceTrains() throws {
    let reference = try Self.reference.get()
    #expect(reference.rows.count == 5 && Set(reference.rows).count == 5)
    for name in ["loss", "accuracy", "grad_norm"] { #expect(reference.rows[0].contains("\"\(name)\":"), "\(reference.rows[0])") }
    #expect(reference.rows.contains { $0.contains("\"split\":\"val\"") && $0.contains("\"AP\":") && $0.contains("\"truths\":4.0") })
  }

  @Test(arguments: [3, 6, 9]) func stoppedAndResumed(step: Int) throws {
    let place = try Self.workplace()
    let first = try Self.train(place, "--steps", "\(step)")
    #expect(first.exit == 0, "\(first.errors)")
    let resumed = try Self.train(place)
    #expect(resumed.exit == 0 && resumed.errors.contains("resuming run after step \(step)"), "\(resumed.errors)")
    let found = try Trace(place, run: "run", step: Self.steps), reference = try Self.reference.get()
    expectEqualBytes(found.model, reference.model, "model.safetensors")
    expectEqualBytes(found.optimizer, reference.optimizer, "optimizer.safetensors")
  }

  @Test func killedAndResumed() throws {
    let place = try Self.workplace()
    let step = Int.random(in: 2...7), pause = UInt32.random(in: 0...20_000)
    print("kill -9 after the checkpoint of step \(step), \(pause) microseconds later")
    let command = try place.start("train", "pose.yaml", "--work-dir", "run", "--set", "plan.save_every=1", "--set", "plan.keep_last=20")
    let deadline = Date(timeIntervalSinceNow: 100)
    while command.isRunning, !place.exists("\(Trace.checkpoint("run", step))/MANIFEST.json"), Date() < deadline { usleep(1000) }
    try #require(command.isRunning, "the process ended before it could be killed")
    usleep(pause)
    command.send(SIGKILL)
    #expect(try command.wait().signal == SIGKILL)
    let resumed = try Self.train(place)  // warns that save_every was another
    #expect(resumed.exit == 0 && resumed.errors.contains("resuming run after step "), "\(resumed.errors)")
    try Trace(place, run: "run", step: Self.steps).expectEqual(Self.reference.get())
  }

  @Test(arguments: [["--threads", "2", "--set", "train.workers=3"], ["--set", "train.workers=0"]])
  func threadsAndWorkersChangeNothing(option: [String]) throws {
    let place = try Self.workplace()
    expectSuccess(try place.apus(["train", "pose.yaml", "--work-dir", "run"] + option))
    try Trace(place, run: "run", step: Self.steps).expectEqual(Self.reference.get())
  }

  /// The other tests could not fail if nothing were drawn.
  @Test(arguments: ["augmentation.flip_probability=0", "augmentation.scale_factor=0", "augmentation.rotation_probability=0", "plan.seed=7"])
  func everyRandomSourceIsInUse(option: String) throws {
    let place = try Self.workplace()
    expectSuccess(try Self.train(place, "--set", option))
    #expect(try Trace(place, run: "run", step: Self.steps).model != Self.reference.get().model)
  }
}
