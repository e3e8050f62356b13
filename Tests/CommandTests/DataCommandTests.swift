import Base
import Data
import Foundation
import Testing

/// `apus data browse` and `apus data check`, for every task.
@Suite struct DataCommandTests {
  /// A task's small data, its config, the steps of its augmentation and a file to damage.
  struct Case: Sendable, CustomTestStringConvertible {
    let config: String
    let steps: [String]
    let statistics: String
    let victim: String
    let prepare: @Sendable (Workplace) throws -> Void
    var testDescription: String { config }
  }

  static let plan = "steps: 4, log_every: 1, evaluate_every: 0, save_every: 0"

  static let cases = [
    Case(config: "config.yaml", steps: ["colours", "eraser", "resize", "flip", "crop"], statistics: "length of the flow, px",
         victim: "pairs/data/00003_flow.flo") { try $0.generatePairs() },
    Case(config: "detr.yaml", steps: ["flip", "crop", "resize"], statistics: "objects of the categories", victim: "train/103.png") {
      try $0.prepareDetection(plan: plan)
    },
    Case(config: "pose.yaml", steps: ["scale", "rotation", "flip", "crop"], statistics: "labels of the keypoints", victim: "train/103.png") {
      try $0.preparePose(plan: plan)
    },
    Case(config: "seg.yaml", steps: ["scale", "crop", "flip", "padding"], statistics: "% of the pixels", victim: "train/images/3.png") {
      try $0.prepareSegmentation(plan: plan)
    },
    Case(config: "mat.yaml", steps: ["crop", "mirror", "mask"], statistics: "share of the hole, %", victim: "train/1/3.png") {
      try $0.prepareInpainting(plan: plan)
    },
  ]

  @Test("samples before and behind each change, in one file, with the same bytes", arguments: cases) func browsing(_ task: Case) throws {
    let place = try Workplace()
    try task.prepare(place)
    let outcome = try place.apus("data", "browse", task.config, "--count", "3", "--out", "look")
    expectSuccess(outcome)
    #expect(outcome.output == "written: look/index.html\n")
    let page = try place.text("look/index.html")
    for step in ["as read"] + task.steps { #expect(page.contains("<strong>\(step)</strong>"), "\(step)") }
    #expect(page.contains(task.statistics) && page.contains("training can use these data"))
    // Nothing is fetched: every address is of this page or within it.
    for match in page.matches(of: #/(?:src|href|url)\s*[=(]\s*"?([^"\s)]*)/#) {
      #expect(match.1.hasPrefix("data:") || match.1.hasPrefix("#"), "\(match.1.prefix(80))")
    }
    #expect(!page.contains("<script") && !page.contains("<link rel=\"stylesheet\""))
    expectSuccess(try place.apus("data", "browse", task.config, "--count", "3", "--out", "again", "--threads", "2", "--set", "train.workers=2"))
    expectEqualBytes(try place.bytes("again/index.html"), Array(page.utf8), "index.html")
    expectSuccess(try place.apus("data", "browse", task.config, "--count", "3", "--out", "other", "--seed", "7", "--no-statistics"))
    let other = try place.text("other/index.html")
    #expect(other != page && !other.contains(task.statistics) && other.contains("seed 7"))
  }

  @Test("sound data are summed up, and a broken file is named", arguments: cases) func checking(_ task: Case) throws {
    let place = try Workplace()
    try task.prepare(place)
    let sound = try place.apus("data", "check", task.config)
    expectSuccess(sound)
    #expect(sound.output.hasSuffix("training can use these data\n"), "\(sound.output)")
    try place.truncate(task.victim, to: 60)
    let broken = try place.apus("data", "check", task.config)
    #expect(broken.exit == 65 && broken.errors.isEmpty, "\(broken.errors)")
    #expect(broken.output.contains(Path.name(task.victim).prefix(5)) && broken.output.contains("error"), "\(broken.output)")
    #expect(broken.output.hasSuffix("training cannot use these data: see the errors above\n"))
    // The page says it, too, and shows the others.
    let page = try place.apus("data", "browse", task.config, "--count", "40", "--out", "look", "--no-statistics")
    #expect(page.exit == 0 && page.output.contains("cannot be read: the page says why"), "\(page.output)\(page.errors)")
    #expect(try place.text("look/index.html").contains("class=\"notice\""))
  }

  static let mistakes = [
    MistakeTests.Mistake("data browse config.yaml --count 0", 64, "--count 0", "1 to 1000"),
    MistakeTests.Mistake("data browse nix.yaml", 66, "nix.yaml: there is no such file"),
    MistakeTests.Mistake("data browse config.yaml", 66, "pairs: there is no such folder"),
    MistakeTests.Mistake("data check config.yaml", 66, "pairs: there is no such folder"),
    MistakeTests.Mistake("data check config.yaml --set data.format=none", 64, "data.format", "nothing to check"),
    MistakeTests.Mistake("lr find config.yaml --steps 5", 64, "--steps 5", "17 to 100000"),
    MistakeTests.Mistake("lr find config.yaml --from 1 --to 0.1", 64, "--from 1.0 --to 0.1", "the first below the last"),
    MistakeTests.Mistake("lr find config.yaml", 66, "pairs: there is no such folder"),
    MistakeTests.Mistake("lr plot nix.yaml", 66, "nix.yaml: there is no such file"),
    MistakeTests.Mistake("lr plot config.yaml --steps-per-epoch 0", 64, "--steps-per-epoch 0"),
    MistakeTests.Mistake("lr plot config.yaml --set plan.epochs=3", 66, "counts in epochs", "--steps-per-epoch N"),
  ]

  @Test("mistakes are named", arguments: mistakes) func mistake(_ mistake: MistakeTests.Mistake) throws {
    try mistake.expectNamed(in: try Workplace())
  }

  @Test("learning rates without any data") func plotting() throws {
    let place = try Workplace()
    let outcome = try place.apus("lr", "plot", "config.yaml", "--set", "plan.epochs=5", "--steps-per-epoch", "200", "--out", "lr")
    expectSuccess(outcome)
    #expect(outcome.output.contains("1000 steps") && outcome.output.contains("the cycle's top") && outcome.output.contains("0.0004"))
    #expect(try place.names(in: "lr") == ["plot.png", "plot.svg"])
  }

  @Test("the range test of a config") func finding() throws {
    let place = try Workplace()
    try place.generatePairs()
    let outcome = try place.apus("lr", "find", "config.yaml", "--steps", "18", "--out", "lr")
    #expect(outcome.exit == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("suggestion") && outcome.output.contains("smoothed"), "\(outcome.output)")
    #expect(try place.names(in: "lr") == ["find.csv", "find.png", "find.svg"] && !place.exists("work_dirs"))
    let again = try place.apus("lr", "find", "config.yaml", "--steps", "18", "--out", "again", "--threads", "2")
    #expect(again.exit == 0)
    expectEqualBytes(try place.bytes("again/find.csv"), try place.bytes("lr/find.csv"), "find.csv")
  }
}
