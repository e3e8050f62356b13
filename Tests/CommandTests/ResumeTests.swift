import Base
import Foundation
import Testing

/// Training of 40 steps, interrupted in every way and continued, ends with the same bytes as training in one go.
@Suite struct ResumeTests {
  /// Log intervals, evaluations and saves that do not coincide; noise and dropout, so that every random stream is in use.
  private static func workplace() throws -> Workplace {
    let place = try Workplace(plan: "steps: 40, log_every: 3, evaluate_every: 10, save_every: 4",
                              train: "batch_size: 2, iterations: 1, add_noise: true")
    try place.generatePairs()
    return place
  }

  private static let options = ["--set", "model.dropout=0.1"]

  /// The run without any interruption.
  private static let reference = Result {
    let place = try workplace()
    expectSuccess(try place.apus(["train", "config.yaml", "--work-dir", "run"] + options))
    return try Trace(place, run: "run", step: 40)
  }

  @Test func theReferenceTrains() throws {
    let reference = try Self.reference.get()
    // 13 intervals of 3 steps and the last step, and 4 evaluations.
    #expect(reference.rows.count == 18)
    #expect(reference.table.split(separator: "\n").count == 19)
    #expect(Set(reference.rows).count == 18)
  }

  @Test func killedTwiceAndResumed() throws {
    let place = try Self.workplace()
    let first = Int.random(in: 11...20), second = Int.random(in: first + 4...32), pause = UInt32.random(in: 0...100_000)
    print("kill -9 after the rows of steps \(first) and \(second), \(pause) microseconds later")
    for step in [first, second] {
      let command = try place.start(["train", "config.yaml", "--work-dir", "run", "--resume", "auto"] + Self.options)
      try waitForStep(step, of: command, log: place.path("run/metrics.jsonl"))
      usleep(pause)
      command.send(SIGKILL)
      #expect(try command.wait().signal == SIGKILL)
      #expect(try place.text("run/run.json").contains("\"running\""))
    }
    let outcome = try place.apus(["train", "config.yaml", "--work-dir", "run", "--resume", "auto"] + Self.options)
    expectSuccess(outcome)
    #expect(outcome.errors.contains("resuming run after step "))
    try Trace(place, run: "run", step: 40).expectEqual(Self.reference.get())
    #expect(try place.names(in: "run/checkpoints").allSatisfy { !$0.contains("partial") })
  }

  /// A signal, and the exit code of a run that saved and stopped for it.
  @Test(arguments: [(15, 143), (2, 130), (10, 75)] as [(Int32, Int)])  // SIGTERM, SIGINT, SIGUSR1
  func aSignalSavesAndStops(signal: Int32, code: Int) throws {
    let place = try Self.workplace(), step = Int.random(in: 11...30)
    print("signal \(signal) after the row of step \(step)")
    let arguments = ["train", "config.yaml", "--resume", "auto"] + Self.options  // without a work directory
    let command = try place.start(arguments)
    let run = try waitForFolder(in: place.path("work_dirs/config"), of: command)
    try waitForStep(step, of: command, log: place.path("work_dirs/config/\(run)/metrics.jsonl"))
    command.send(signal)
    let outcome = try command.wait()
    #expect(outcome.exit == Int32(code) && !outcome.errors.contains("error"), "\(outcome.errors)")
    #expect(outcome.errors.contains("saved and stopped; continue with --resume auto"))
    let record = try JSONSerialization.jsonObject(with: Data(place.bytes("work_dirs/config/\(run)/run.json"))) as? [String: Any]
    #expect(record?["state"] as? String == "stopped" && record?["exit"] as? Int == code)
    let saved = try #require(record?["step"] as? Int)
    #expect(try place.text("work_dirs/config/\(run)/last_checkpoint") == "checkpoints/step_000000\(saved)\n")
    let resumed = try place.apus(arguments)
    expectSuccess(resumed)
    #expect(resumed.errors.contains("resuming work_dirs/config/\(run) after step \(saved)"))
    try Trace(place, run: "work_dirs/config/\(run)", step: 40).expectEqual(Self.reference.get())
  }

  @Test func theTimeLimitSavesAndStops() throws {
    let place = try Workplace()
    try place.generatePairs()
    let outcome = try place.apus("train", "config.yaml", "--work-dir", "run", "--set", "plan.max_hours=1e-9")
    #expect(outcome.exit == 75, "\(outcome.errors)")
    #expect(try place.text("run/last_checkpoint") == "checkpoints/step_00000001\n")
  }

  @Test(arguments: [["--threads", "2", "--set", "train.workers=3"], ["--set", "train.workers=0"]])
  func threadsAndWorkersChangeNothing(option: [String]) throws {
    let place = try Self.workplace()
    expectSuccess(try place.apus(["train", "config.yaml", "--work-dir", "run"] + Self.options + option))
    try Trace(place, run: "run", step: 40).expectEqual(Self.reference.get())
  }

  @Test func resumingWhatIsDoneChangesNothing() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let before = try place.bytes("run/checkpoints/step_00000004/model.safetensors"), rows = try place.text("run/metrics.csv")
    let outcome = try place.apus("train", "config.yaml", "--work-dir", "run", "--resume", "auto")
    expectSuccess(outcome)
    #expect(outcome.errors.contains("the plan's 4 steps are done already"))
    expectEqualBytes(try place.bytes("run/checkpoints/step_00000004/model.safetensors"), before, "model.safetensors")
    #expect(try place.text("run/metrics.csv") == rows)
  }

  // MARK: Waiting

  /// Waits until the log has a row of this step or a later one.
  private func waitForStep(_ step: Int, of command: Command, log: String) throws {
    try wait(for: "step \(step)", of: command) {
      guard let text = try? File.text(at: log) else { return false }
      let steps = text.matches(of: #/"step":(\d+)/#).compactMap { Int($0.1) }
      return (steps.last ?? 0) >= step
    }
  }

  private func waitForFolder(in folder: String, of command: Command) throws -> String {
    var name: String?
    try wait(for: "a run folder", of: command) {
      name = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.first
      return name != nil
    }
    return try #require(name)
  }

  private func wait(for what: Comment, of command: Command, _ isReached: () throws -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: 60)
    while try !isReached() {
      try #require(command.isRunning && Date() < deadline, "the process ended, or a minute passed, before \(what)")
      usleep(2000)
    }
    try #require(command.isRunning, "the process ended before it could be interrupted after \(what)")
  }
}
