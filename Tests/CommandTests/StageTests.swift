import Base
import Foundation
import Networks
import Testing
import WeightFiles

/// Training in stages: `configs/raft/standard-generated.yaml`, shortened.
@Suite(.serialized) struct StageTests {
  /// One folder for all tests, which run one after the other.
  private struct Shared: @unchecked Sendable {
    let place: Workplace
  }

  private static let config = "\(Workplace.checkout)/configs/raft/standard-generated.yaml"

  /// The steps at which the stages end.
  private static let ends = [7, 12, 17, 20]

  private static let options = [
    "stages.0.steps=7", "stages.1.steps=5", "stages.2.steps=5", "stages.3.steps=3", "model.dropout=0.1", "train.iterations=1",
    "inference.iterations=1", "validation.limit=1", "train.add_noise=true", "plan.log_every=3", "plan.evaluate_every=8",
    "plan.save_every=4", "plan.threads=1", "plan.keep_last=30",
  ].flatMap { ["--set", $0] }

  /// A folder with the config and generated data in all five layouts.
  private static func workplace() throws -> Workplace {
    let place = try Workplace()
    let sets = [("flying_chairs", "chairs", 6), ("flying_things", "things", 2), ("sintel", "sintel", 3), ("kitti", "kitti", 4), ("hd1k", "hd1k", 2)]
    for (layout, name, count) in sets {
      let outcome = try place.apus("synth", "flow", "--layout", layout, "--out", "generated/\(name)", "--count", "\(count)", "--frames", "3",
                                   "--seed", "1", "--height", "144", "--width", "176", "--validation", "0.34")
      try #require(outcome.exit == 0, "\(outcome.errors)")
    }
    return place
  }

  private static func train(_ place: Workplace, _ run: String, _ more: [String] = []) throws -> Outcome {
    try place.apus(["train", config, "--work-dir", run, "--resume", "auto"] + options + more)
  }

  /// The run without any interruption.
  private static let shared: Result<Shared, any Error> = Result {
    let place = try workplace()
    expectSuccess(try train(place, "run"))
    return Shared(place: place)
  }

  private static func reference() throws -> Workplace { try shared.get().place }

  /// The weights, the optimiser and the loop's state at a step, and the rows of the log without the clock.
  private static func expectEqual(_ a: Workplace, _ runA: String, _ b: Workplace, _ runB: String, step: Int) throws {
    for name in ["model.safetensors", "optimizer.safetensors", "state.json"] {
      let file = "checkpoints/\(folder(step))/\(name)"
      expectEqualBytes(try a.bytes("\(runA)/\(file)"), try b.bytes("\(runB)/\(file)"), file)
    }
    func rows(_ place: Workplace, _ run: String) throws -> [String] {
      try place.text("\(run)/metrics.jsonl").split(separator: "\n").map { $0.components(separatedBy: ",\"wall\"")[0] }
    }
    #expect(try rows(a, runA) == rows(b, runB))
  }

  private static func folder(_ step: Int) -> String { "step_000000" + (step < 10 ? "0" : "") + "\(step)" }

  @Test func theReferenceGoesThroughAllStages() throws {
    let place = try Self.reference()
    for (end, name) in zip(Self.ends, ["chairs", "things", "sintel", "kitti"]) {
      #expect(try place.text("run/checkpoints/\(Self.folder(end))/state.json").contains("\"stage\" : \"\(name)\""))
    }
    let log = try place.text("run/train.log")
    #expect(log.contains("stage 'sintel' (3 of 4): steps 13 to 17"))
    // The optimiser of each stage counts its own updates.
    let optimizer = try Safetensors(at: place.path("run/checkpoints/\(Self.folder(16))/optimizer.safetensors"))
    #expect(optimizer.metadata["step"] == "4")
    // Each stage has a learning rate curve of its own, here a rising one with the peaks of the published recipe.
    let rates = try place.text("run/metrics.jsonl").matches(of: #/"split":"train","step":(\d+).*?"lr":([0-9.e-]+)/#).compactMap { Double($0.2) }
    #expect(rates.count == 9 && (rates.max() ?? 0) < 4e-4)
  }

  /// Killed after steps on both sides of the boundaries, and continued.
  @Test func killedAcrossTheBoundariesAndResumed() throws {
    let place = try Self.workplace()
    for end in [Self.ends[0], Self.ends[1], Self.ends[2]] {
      let step = end + Int.random(in: -1...1), pause = UInt32.random(in: 0...50_000)
      print("kill -9 near step \(step), \(pause) microseconds after its checkpoint or log row")
      let command = try place.start(["train", Self.config, "--work-dir", "run", "--resume", "auto"] + Self.options + ["--set", "plan.save_every=1"])
      let deadline = Date(timeIntervalSinceNow: 100)
      while command.isRunning, !place.exists("run/checkpoints/\(Self.folder(step))/MANIFEST.json"), Date() < deadline { usleep(2000) }
      try #require(command.isRunning, "the process ended before it could be killed")
      usleep(pause)
      command.send(SIGKILL)
      #expect(try command.wait().signal == SIGKILL)
    }
    let outcome = try Self.train(place, "run")  // warns that save_every was another
    #expect(outcome.exit == 0, "\(outcome.errors)")
    try Self.expectEqual(place, "run", Self.reference(), "run", step: 20)
  }

  /// From the checkpoint exactly at the end of a stage.
  @Test(arguments: [0, 2]) func resumedExactlyAtABoundary(stage: Int) throws {
    let reference = try Self.reference(), run = "resumed-\(stage)"
    let checkpoint = "run/checkpoints/\(Self.folder(Self.ends[stage]))"
    let outcome = try reference.apus(["train", Self.config, "--work-dir", run, "--resume", checkpoint] + Self.options)
    expectSuccess(outcome)
    for name in ["model.safetensors", "optimizer.safetensors"] {
      let file = "checkpoints/\(Self.folder(20))/\(name)"
      expectEqualBytes(try reference.bytes("\(run)/\(file)"), try reference.bytes("run/\(file)"), file)
    }
  }

  @Test func workersChangeNothing() throws {
    let reference = try Self.reference()
    expectSuccess(try Self.train(reference, "workers", ["--set", "train.workers=3", "--threads", "2"]))
    try Self.expectEqual(reference, "workers", reference, "run", step: 20)
  }

  /// A stage is what a run of its own would be that starts from the weights of the one before.
  @Test func aStageEqualsARunOfItsOwn() throws {
    let reference = try Self.reference()
    try reference.write("things.yaml", """
      base: \(Workplace.checkout)/configs/raft/standard.yaml
      model: {variant: small}
      data: {format: flying_things, root: generated/things}
      validation: {root: generated/sintel}
      augmentation: {preset: things, crop_height: 128, crop_width: 160}
      train: {batch_size: 2}
      optimizer: {learning_rate: 1.25e-4}
      plan: {steps: 5}
      stages: []
      """)
    expectSuccess(try reference.apus(["train", "things.yaml", "--work-dir", "alone", "--load-from", "run/checkpoints/\(Self.folder(7))"]
                                       + Self.options.dropFirst(8)))  // all but the steps of the stages
    for name in ["model.safetensors", "optimizer.safetensors"] {
      let alone = try reference.bytes("alone/checkpoints/\(Self.folder(5))/\(name)")
      expectEqualBytes(alone, try reference.bytes("run/checkpoints/\(Self.folder(12))/\(name)"), name)
    }
  }

  @Test func errorsOfEveryStageComeAtOnce() throws {
    let place = try Workplace()
    try place.write("bad.yaml", """
      task: optical_flow
      loss: {gama: 0.8}
      stages:
      - {name: chairs, steps: 10, optimizer: {weight_decay: -1}}
      - {name: chairs, steps: 0, augmentation: {preset: thing}}
      - name: mixed
        steps: 5
        data:
          mixture:
          - {format: kitti, root: k, repeat: 0}
          - {format: hd1k, root: h, augmentation: {crop_height: 128, hue: 2}}
        augmentation: {kind: sparse, crop_width: 100}
      """)
    let outcome = try place.apus("config", "check", "bad.yaml")
    expectFailure(
      outcome, 64, "bad.yaml:2:8: unknown key 'loss.gama'", "Did you mean 'gamma'?",
      "bad.yaml:4:55: 'stages.0.optimizer.weight_decay' is -1.0; allowed: 0 or more",
      "bad.yaml:5:10: 'stages.1.name' is chairs; allowed: a name that no stage before has",
      "bad.yaml:5:25: 'stages.1.steps' is 0; allowed: 1 to 1000000000",
      "bad.yaml:5:51: 'stages.1.augmentation.preset': expected one of chairs, things, sintel, sintel_kitti, sintel_hd1k, kitti, found text 'thing'. "
        + "Did you mean 'things'?",
      "bad.yaml:10:40: 'stages.2.data.mixture.0.repeat' is 0; allowed: 1 to 1000000",
      "bad.yaml:11:59: 'stages.2.data.mixture.1.augmentation.crop_height' is 128; allowed: not to be set here",
      "bad.yaml:11:69: 'stages.2.data.mixture.1.augmentation.hue' is 2.0; allowed: 0 to 0.5",
      "bad.yaml:12:44: 'stages.2.augmentation.crop_width' is 100; allowed: a multiple of 8, at least 128")
  }

  @Test func theConfigShowsWhatEachStageHas() throws {
    let outcome = try Workplace().apus("config", "show", "\(Workplace.checkout)/configs/raft/standard.yaml")
    expectSuccess(outcome)
    let lines = outcome.output.split(separator: "\n").map { $0.split(separator: "#")[0].trimmingCharacters(in: .whitespaces) }
    func section(_ name: String) -> ArraySlice<String> {
      let start = lines.firstIndex(of: "- name: \(name)") ?? 0
      return lines[start...].prefix(while: { $0 == "- name: \(name)" || !$0.hasPrefix("- name: ") })
    }
    #expect(lines.contains("steps: 350000"))
    for (stage, expected) in [
      ("chairs", ["crop_height: 368", "learning_rate: 0.0004", "batch_size: 10"]),
      ("things", ["crop_width: 720", "minimum_scale: -0.4", "batch_size: 6"]),
      ("sintel", ["repeat: 200", "minimum_scale: -0.5", "gamma: 0.85"]),
      ("kitti", ["kind: sparse", "horizontal_flip_probability: 0.0", "weight_decay: 1.0e-05"]),
    ] {
      for line in expected { #expect(section(stage).contains(line), "\(line) in the stage \(stage)") }
    }
  }

  /// Data of a later stage that is missing is told at the start, not weeks later.
  @Test func missingDataOfALaterStageIsToldAtTheStart() throws {
    let reference = try Self.reference()
    let outcome = try Self.train(reference, "never", ["--set", "stages.3.data.root=nix"])
    expectFailure(outcome, 66, "nix: there is no such folder", "'stages.3.data.root' names it", "--set stages.3.data.root=FOLDER")
    #expect(!reference.exists("never"))
  }
}
