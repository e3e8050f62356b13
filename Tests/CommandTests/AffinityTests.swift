import Foundation
import Testing

/// Training of the learned affinity: however it is interrupted, and whoever reads the data, it ends with the same bytes.
@Suite struct AffinityResumeTests {
  private static let training = ShortTraining("affinity.yaml") { try $0.prepareAffinity(plan: ShortTraining.plan) }

  @Test func theReferenceTrains() throws {
    try Self.training.expectRows(with: ["loss", "accuracy", "grad_norm"])
    let rows = try Self.training.reference.get().rows
    #expect(rows.contains { $0.contains("\"split\":\"val\"") && $0.contains("\"AP\":") && $0.contains("\"overlap_top1\":") })
  }

  @Test(arguments: [3, 6, 9]) func stoppedAndResumed(step: Int) throws { try Self.training.expectSameWhenStopped(after: step) }

  @Test func killedAndResumed() throws { try Self.training.expectSameWhenKilled() }

  @Test(arguments: ShortTraining.threadsAndWorkers) func threadsAndWorkersChangeNothing(option: [String]) throws {
    try Self.training.expectSame(with: option)
  }

  /// The other tests could not fail if nothing were drawn.
  @Test(arguments: ["noise.jitter=0", "noise.miss_rate=0", "pairs.false_rate=0", "plan.seed=7"])
  func everyRandomSourceIsInUse(option: String) throws { try Self.training.expectOther(with: option) }
}

/// What the affinity learns, and what is refused.
@Suite struct AffinityTests {
  @Test func itLearnsWhoIsWho() throws {
    let place = try Workplace()
    try place.prepareAffinity(plan: "steps: 200, log_every: 50, evaluate_every: 0, save_every: 200")
    expectSuccess(try place.apus("train", "affinity.yaml", "--work-dir", "run", "--set", "train.batch_size=32"))
    let outcome = try place.apus("evaluate", "run/config.yaml", "--weights", "run", "--json")
    try #require(outcome.exit == 0, "\(outcome.errors)")
    let numbers = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Double])
    #expect(try #require(numbers["AP"]) > 85 && numbers["AP"] ?? 0 > numbers["overlap_AP"] ?? 100, "\(numbers)")
    #expect(try #require(numbers["top1"]) > 85 && numbers["pairs"] ?? 0 > 500)
  }

  @Test func mistakesAreNamed() throws {
    let place = try Workplace()
    try place.prepareAffinity(plan: "steps: 1, log_every: 1, evaluate_every: 0, save_every: 1")
    func train(_ setting: String) throws -> Outcome { try place.apus("train", "affinity.yaml", "--set", setting) }
    expectFailure(try train("data.root="), 64, "data.root", "leaves nothing to learn from")
    expectFailure(try train("pairs.longest_gap=0"), 64, "pairs.longest_gap", "1 to 1000 frames")
    try place.write("tracks/train/A/det/det.txt", "1,-1,900,900,10,10,0.5\n2,-1,900,900,10,10,0.5\n")
    expectFailure(try train("noise.jitter=0"), 65, "no detection lies on a box of the ground truth")
    try place.remove("tracks/train/A/det/det.txt")
    expectFailure(try train("noise.jitter=0"), 66, "det.txt")
  }
}
