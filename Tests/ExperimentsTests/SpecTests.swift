import Base
import Experiments
import Foundation
import Testing

/// Specs over a shipped config: what is wrong is said with its place, all at once.
@Suite struct SpecTests {
  private static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path(percentEncoded: false)
  private static let base = "\(checkout)configs/raft/demo.yaml"

  private final class Place {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-spec-\(UUID().uuidString)/few").path(percentEncoded: false)
    var spec: String { "\(folder)/spec.yaml" }

    init(_ text: String) throws {
      try File.createFolder(folder)
      try AtomicFile.write(text, to: spec)
    }

    deinit { try? FileManager.default.removeItem(atPath: File.folder(of: folder)) }

    /// The message of the failure, without the folder.
    func message() throws -> String {
      let failure = #expect(throws: Failure.self) { try Experiment(spec: spec) }
      #expect(failure?.kind == .usage)
      return (failure?.description ?? "").replacing("\(folder)/", with: "")
    }
  }

  private static func spec(_ lines: String) -> String { "base: \(base)\nbudget: {steps: 3}\n\(lines)\n" }

  @Test func aSpecIsReadInFull() throws {
    let place = try Place(Self.spec("""
      question: How many?
      seeds: [3, 5]
      variants:
      - {name: few}
      - {name: more, label: More of them, set: {train: {iterations: 7}}}
      grid:
        train.iterations: [2, 3]
        inference.iterations: [4, 5]
      """))
    let experiment = try Experiment(spec: place.spec)
    #expect(experiment.name == "few" && experiment.question == "How many?" && experiment.baseline == "few" && experiment.seeds == [3, 5])
    #expect(experiment.budget == .init(steps: 3))
    let ablation = try Ablation(spec: place.spec, out: "\(place.folder)/out")
    #expect(ablation.jobCount == 12)
    let plan = ablation.plan(JobLimits(cores: 4, threads: 2))
    #expect(plan.contains("at once    2 of 2 threads each") && plan.contains("12, 0 finished"))
    #expect(plan.contains("train.iterations-3_inference.iterations-5     3  train.iterations=3 inference.iterations=5"), "\(plan)")
    #expect(!FileManager.default.fileExists(atPath: "\(place.folder)/out"), "a plan makes nothing")
    let variants = try ablation.results().variants
    #expect(variants.map(\.name).prefix(3) == ["few", "more", "train.iterations-2_inference.iterations-4"])
    #expect(variants[1].label == "More of them" && variants[1].overrides == ["train.iterations=7"])
    #expect(variants[0].seeds.map(\.status) == [.missing, .missing])
  }

  @Test(arguments: [
    ("variants: [{name: a, set: {train: {iteration: 2}}}]",
     "spec.yaml:3:47: unknown key 'train.iteration'. Known here: add_noise, batch_size, freeze_batch_norm, iterations, workers. "
       + "Did you mean 'iterations'?"),
    ("variants: [{name: a, set: {train: {iterations: two}}}]", "spec.yaml:3:48: 'train.iterations': expected a whole number, found text 'two'"),
    ("variants: [{name: a}, {name: a}]", "spec.yaml:3:30: the variant 'a' stands there twice; first at spec.yaml:3:19"),
    ("variants: [{name: a}, {name: b, set: {train: {iterations: 6}}}]",
     "spec.yaml:3:30: the variant 'b' resolves to the same config as 'a'"),
    ("grid: {train.iterations: [4, 5, 4]}", "spec.yaml:3:33: 'grid.train.iterations': the value 4 stands there twice"),
    ("grid: {train.iterations: [4, x]}", "spec.yaml:3:30: 'train.iterations': expected a whole number, found text 'x'"),
    ("grid: {train.iterations: 4}", "spec.yaml:3:26: 'grid.train.iterations': expected a list of values, found the number 4"),
    ("baseline: bb\nvariants: [{name: base}]", "spec.yaml:3:11: there is no variant 'bb'. Known: base."),
    ("metrics: [ep]\nvariants: [{name: a}]", "spec.yaml:3:11: there is no metric 'ep'. Known: epe, "),
    ("seeds: [1, 2, 1]\nvariants: [{name: a}]", "spec.yaml:3:15: 'seeds': the seed 1 stands there twice"),
    ("seeds: 0\nvariants: [{name: a}]", "spec.yaml:3:8: 'seeds': expected a count of 1 to 1000, or a list of seeds, found the number 0"),
    ("variants: [{name: a, set: {plan: {seed: 4}}}]", "spec.yaml:3:41: 'plan.seed' is set by 'seeds' of the experiment"),
    ("set: {plan: {steps: 4}}\nvariants: [{name: a}]", "spec.yaml:3:21: 'plan.steps' is set by 'budget' of the experiment"),
    ("set: [4]\nvariants: [{name: a}]", "spec.yaml:3:6: 'set': expected a map of config keys, found a list"),
    ("set: {train: {iteration: 2}}\nvariants: [{name: a}]", "spec.yaml:3:26: unknown key 'train.iteration'"),
    ("variants: [{name: a/b}]", "spec.yaml:3:19: the variant's name 'a/b' is to be a folder"),
    ("variants: [{name: a, sets: {}}]", "spec.yaml:3:22: unknown key 'variants.0.sets'. Known here: label, name, paper, set. Did you mean 'set'?"),
    ("question: none", "there are no variants"),
  ])
  func aMistakeIsSaidWithItsPlace(lines: String, words: String) throws {
    let message = try Place(Self.spec(lines)).message()
    #expect(message.contains(words), "\(message)")
  }

  @Test func allMistakesAreSaidAtOnce() throws {
    let message = try Place("""
      base: \(Self.base)
      budget: {steps: 3, minutes: 4}
      questions: none
      variants:
      - {name: a, set: {train: {iteration: 2}, model: {kind: 1}}}
      - {name: b, set: {train: {iteration: 2}}}
      """).message()
    let lines = message.split(separator: "\n")
    #expect(lines.count == 6 && lines.last == "  5 problems", "\(message)")
    for place in ["spec.yaml:2:29", "spec.yaml:3:1", "spec.yaml:5:38", "spec.yaml:5:56", "spec.yaml:6:38"] {
      #expect(lines.contains { $0.hasPrefix("\(place): ") }, "\(place) in: \(message)")
    }
  }

  @Test func aBaseThatIsNotThereIsSaid() throws {
    let message = try Place("base: none.yaml\nbudget: {minutes: 1}\nvariants: [{name: a}]\n").message()
    #expect(message.contains("spec.yaml:1:7: 'base': there is no file"), "\(message)")
  }

  // MARK: Data

  @Test func aChangedByteOfTheDataIsSeen() throws {
    let place = try Place("")
    try File.createFolder("\(place.folder)/data/deep")
    try AtomicFile.write("one", to: "\(place.folder)/data/a.txt")
    try AtomicFile.write("two", to: "\(place.folder)/data/deep/b.txt")
    try AtomicFile.write("three", to: "\(place.folder)/weights")
    func checksum() throws -> String {
      var checksum = DataChecksum()
      return try checksum(of: "data: {root: \(place.folder)/data, split: train}\ninitialize: {from: \(place.folder)/weights}\n")
    }
    let before = try checksum()
    #expect(before.count == 8)
    try AtomicFile.write("3", to: "\(place.folder)/weights")
    #expect(try checksum() == before, "weights are no data")
    try AtomicFile.write("twO", to: "\(place.folder)/data/deep/b.txt")
    let changed = try checksum()
    #expect(changed != before)
    try AtomicFile.write("two", to: "\(place.folder)/data/deep/b.txt")
    #expect(try checksum() == before)
    _ = try File.move("\(place.folder)/data/a.txt", to: "\(place.folder)/data/c.txt")
    #expect(try checksum() != before, "another name")
  }
}
