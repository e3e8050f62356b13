import Foundation
import Testing

/// Training of the motion network: however it is interrupted, and whoever reads the data, it ends with the same bytes.
@Suite struct MotionResumeTests {
  private static let training = ShortTraining("motion.yaml") { try $0.prepareMotion(plan: ShortTraining.plan) }

  @Test func theReferenceTrains() throws {
    try Self.training.expectRows(with: ["loss", "grad_norm"])
    let rows = try Self.training.reference.get().rows
    #expect(rows.contains { $0.contains("\"split\":\"val\"") && $0.contains("\"IoU_10\":") && $0.contains("\"kalman_error_1\":") })
  }

  @Test(arguments: [3, 6, 9]) func stoppedAndResumed(step: Int) throws { try Self.training.expectSameWhenStopped(after: step) }

  @Test func killedAndResumed() throws { try Self.training.expectSameWhenKilled() }

  @Test(arguments: ShortTraining.threadsAndWorkers) func threadsAndWorkersChangeNothing(option: [String]) throws {
    try Self.training.expectSame(with: option)
  }

  /// The other tests could not fail if nothing were drawn.
  @Test(arguments: ["noise.jitter=0", "noise.miss_rate=0", "plan.seed=7"])
  func everyRandomSourceIsInUse(option: String) throws { try Self.training.expectOther(with: option) }
}

/// What the motion network learns, and what is refused.
@Suite struct MotionTests {
  @Test func itLearnsTracksThatCanBeTold() throws {
    let place = try Workplace()
    try place.prepareMotion(plan: "steps: 250, log_every: 50, evaluate_every: 0, save_every: 250")
    let options = ["--set", "noise.jitter=0", "--set", "noise.miss_rate=0", "--set", "model.hidden=24", "--set", "train.batch_size=16"]
    expectSuccess(try place.apus(["train", "motion.yaml", "--work-dir", "run"] + options))
    let outcome = try place.apus("evaluate", "run/config.yaml", "--weights", "run", "--json", "--set", "validation.split=train")
    try #require(outcome.exit == 0, "\(outcome.errors)")
    let numbers = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Double])
    for (name, least) in [("IoU_1", 88.0), ("IoU_5", 52)] { #expect(try #require(numbers[name]) > least, "\(name) in \(numbers)") }
    // The tracks turn, which no straight line foretells.
    for other in ["velocity", "kalman"] {
      #expect(try #require(numbers["IoU_5"]) > 8 + #require(numbers["\(other)_IoU_5"]), "\(other): \(numbers)")
    }
    let table = try place.apus("evaluate", "run/config.yaml", "--weights", "run", "--samples", "samples.csv")
    expectSuccess(table)
    #expect(table.output.contains("by the Kalman filter"))
    #expect(try place.text("samples.csv").hasPrefix("sample,IoU_1,error_1"))
  }

  @Test func mistakesAreNamed() throws {
    let place = try Workplace()
    try place.prepareMotion(plan: "steps: 1, log_every: 1, evaluate_every: 0, save_every: 1")
    func train(_ setting: String) throws -> Outcome { try place.apus("train", "motion.yaml", "--set", setting) }
    expectFailure(try train("data.root=nowhere"), 66, "nowhere")
    expectFailure(try train("data.root="), 64, "data.root", "leaves nothing to learn from")
    expectFailure(try train("window.history=60"), 65, "no track of 1 sequences has 62 frames in a row")
    expectFailure(try train("noise.jitter=2"), 64, "noise.jitter", "0 to 0.5")
    expectFailure(try train("noise.longest_miss=10"), 64, "window.history", "more than noise.longest_miss")
    let sound = try place.apus("data", "check", "motion.yaml")
    #expect(sound.exit == 0 && sound.output.contains("training set: 1 sequences, 40 frames, 5 tracks, 200 boxes"), "\(sound.output)")
    try place.write("tracks/train/A/gt/gt.txt", "1,1,5,5,10,10,1,1,1\n1,1,6,5,10,10,1,1,1\n")
    expectFailure(try place.apus("train", "motion.yaml"), 65, "gt.txt:2", "the id 1 is in frame 1 already, in line 1")
    let broken = try place.apus("data", "check", "motion.yaml")
    #expect(broken.exit == 65 && broken.output.contains("gt.txt:2"), "\(broken.output)\(broken.errors)")
  }
}
