import Foundation
import Testing

/// A training of 12 steps in the folder `run`: however it is interrupted, and whoever reads the data, it ends with the same bytes.
struct ShortTraining: Sendable {
  static let steps = 12

  /// Log intervals, evaluations and saves that do not coincide.
  static let plan = "steps: \(steps), log_every: 5, evaluate_every: 6, save_every: 3"

  /// The run without any interruption.
  let reference: Result<Trace, any Error>
  private let config: String
  private let prepare: @Sendable (Workplace) throws -> Void

  /// Trains once without any interruption.
  /// - Parameters:
  ///   - config: the config's file name.
  ///   - prepare: writes it and the data.
  init(_ config: String, prepare: @escaping @Sendable (Workplace) throws -> Void) {
    self.config = config
    self.prepare = prepare
    reference = Result {
      let place = try Self.workplace(prepare)
      expectSuccess(try Self.train(place, config, []))
      return try Trace(place, run: "run", step: Self.steps)
    }
  }

  /// A new folder, ready to train in.
  func workplace() throws -> Workplace { try Self.workplace(prepare) }

  /// Starts or continues the run.
  func train(_ place: Workplace, _ options: String...) throws -> Outcome { try Self.train(place, config, options) }

  private static func workplace(_ prepare: (Workplace) throws -> Void) throws -> Workplace {
    let place = try Workplace()
    try prepare(place)
    return place
  }

  private static func train(_ place: Workplace, _ config: String, _ options: [String]) throws -> Outcome {
    try place.apus(["train", config, "--work-dir", "run", "--resume", "auto"] + options)
  }

  // MARK: Expectations

  /// - Parameter names: values in the first row of the log.
  func expectRows(with names: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let rows = try reference.get().rows
    // 2 intervals of 5 steps and the last 2 steps, and 2 evaluations.
    #expect(rows.count == 5 && Set(rows).count == 5, sourceLocation: sourceLocation)
    for name in names { #expect(rows[0].contains("\"\(name)\":"), "\(name) in \(rows[0])", sourceLocation: sourceLocation) }
  }

  /// Stops after a step and continues.
  func expectSameWhenStopped(after step: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let place = try workplace()
    let first = try train(place, "--steps", "\(step)")
    #expect(first.exit == 0, "\(first.errors)", sourceLocation: sourceLocation)
    let resumed = try train(place)
    #expect(resumed.exit == 0 && resumed.errors.contains("resuming run after step \(step)"), "\(resumed.errors)",
            sourceLocation: sourceLocation)
    let found = try Trace(place, run: "run", step: Self.steps)
    let expected = try reference.get()
    expectEqualBytes(found.model, expected.model, "model.safetensors", sourceLocation: sourceLocation)
    expectEqualBytes(found.optimizer, expected.optimizer, "optimizer.safetensors", sourceLocation: sourceLocation)
  }

  /// Kills the process at a random moment and continues.
  func expectSameWhenKilled(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let place = try workplace()
    let step = Int.random(in: 2...7)
    let pause = UInt32.random(in: 0...20_000)
    print("kill -9 after the checkpoint of step \(step), \(pause) microseconds later")
    let command = try place.start("train", config, "--work-dir", "run", "--set", "plan.save_every=1", "--set", "plan.keep_last=20")
    let deadline = Date(timeIntervalSinceNow: 100)
    while command.isRunning, !place.exists("\(Trace.checkpoint("run", step))/MANIFEST.json"), Date() < deadline { usleep(1000) }
    try #require(command.isRunning, "the process ended before it could be killed", sourceLocation: sourceLocation)
    usleep(pause)
    command.send(SIGKILL)
    #expect(try command.wait().signal == SIGKILL, sourceLocation: sourceLocation)
    let resumed = try train(place)  // warns that save_every was another
    #expect(resumed.exit == 0 && resumed.errors.contains("resuming run after step "), "\(resumed.errors)", sourceLocation: sourceLocation)
    try Trace(place, run: "run", step: Self.steps).expectEqual(reference.get(), sourceLocation: sourceLocation)
  }

  static let threadsAndWorkers = [["--threads", "2", "--set", "train.workers=3"], ["--set", "train.workers=0"]]

  /// Trains in one go with further options.
  func expectSame(with options: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let place = try workplace()
    expectSuccess(try place.apus(["train", config, "--work-dir", "run"] + options), sourceLocation: sourceLocation)
    try Trace(place, run: "run", step: Self.steps).expectEqual(reference.get(), sourceLocation: sourceLocation)
  }

  /// Trains with another value of the config: other weights are the result.
  func expectOther(with setting: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let place = try workplace()
    expectSuccess(try train(place, "--set", setting), sourceLocation: sourceLocation)
    #expect(try Trace(place, run: "run", step: Self.steps).model != reference.get().model, sourceLocation: sourceLocation)
  }
}
