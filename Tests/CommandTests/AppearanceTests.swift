import Base
import Data
import Foundation
import Tensors
import Testing
import Vision
import WeightFiles

/// Appearance from the command line: learning by every loss, metrics, vectors, pictures, and mistakes.
@Suite struct AppearanceTests {
  private func metrics(_ outcome: Outcome) throws -> [String: Double?] {
    try JSONDecoder().decode([String: Double?].self, from: Foundation.Data(outcome.output.utf8))
  }

  /// A few figures without random changes are learned by heart, by every loss; what `predict` writes is what `evaluate` ranks by.
  @Test(arguments: ["{kind: cosine_softmax}", "{kind: contrastive}", "{kind: triplet}", "{kind: batch_hard, soft_margin: true}",
                    "{kind: verification}"])
  func figuresAreLearnedByHeart(loss: String) throws {
    let place = try Workplace()
    try place.prepareAppearance(loss: loss, plan: "steps: 60, log_every: 20, evaluate_every: 30, save_every: 0")
    // Queries and gallery are those of the training set here.
    for name in ["bounding_box_train", "query", "bounding_box_test"] {
      let source = name == "query" ? "_c1s1_000000_01.png" : ".png"
      for file in try place.names(in: "figures/bounding_box_train") where file.hasSuffix(source) {
        try place.write("same/\(name)/\(file)", try place.bytes("figures/bounding_box_train/\(file)"))
      }
    }
    let same = ["--set", "data.root=same", "--set", "validation.root=same"]
    expectSuccess(try place.apus(["train", "look.yaml", "--work-dir", "run"] + same))
    let rows = try place.text("run/metrics.jsonl")
    #expect(rows.contains("\"mAP\":") && rows.contains("\"rank1\":") && rows.contains("\"rank10\":"))
    let outcome = try place.apus(["evaluate", "look.yaml", "--weights", "run", "--json", "--save-visuals", "seen", "--samples", "s.csv"] + same)
    let found = try metrics(outcome)
    print("\(loss): rank-1 \((found["rank1"] ?? nil) ?? .nan), mAP \((found["mAP"] ?? nil) ?? .nan)")
    #expect(found["queries"] == 6 && found["gallery"] == 36 && found["unmatched"] == 0)
    #expect((found["rank1"] ?? nil) ?? 0 == 1 && (found["mAP"] ?? nil) ?? 0 > 0.9, "\(outcome.output)")
    #expect(place.exists("seen/0001_c1s1_000000_01.png"))
    #expect(try place.text("s.csv").split(separator: "\n").count == 7)

    expectSuccess(try place.apus(["predict", "look.yaml", "--weights", "run", "--source", "same/query", "--out", "found"] + same))
    let vectors = try (1...6).map { try NumPyFile.read(at: place.path("found/000\($0)_c1s1_000000_01.npy")) }
    #expect(vectors.allSatisfy { $0.shape == [16] && abs($0.squared().sum().item - 1) < 1e-3 })
    expectSuccess(try place.apus(["predict", "look.yaml", "--weights", "run", "--source", "same/query", "--out", "tensors", "--vectors",
                                  "safetensors"] + same))
    let again = try Safetensors(at: place.path("tensors/0003_c1s1_000000_01.safetensors"))
    #expect(try #require(again["features"]?.tensor).isIdentical(to: vectors[2]))
  }

  @Test func dataAreCheckedBrowsedAndInspected() throws {
    let place = try Workplace()
    try place.prepareAppearance(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    let report = try place.apus("data", "check", "look.yaml")
    #expect(report.exit == 0, "\(report.errors)")
    for line in ["training set: 36 pictures of 6 identities, 3 cameras", "queries: 4 pictures of 4 identities", "gallery: 20 pictures",
                 "1 pictures of nobody (-1) are left out"] { #expect(report.output.contains(line), "\(report.output)") }
    try place.write("figures/bounding_box_train/0001_c1s1_000009_01.jpg", "no picture")
    let broken = try place.apus("data", "check", "look.yaml")
    #expect(broken.exit == 65 && broken.output.contains("pictures that cannot be read"), "\(broken.output)")
    try place.remove("figures/bounding_box_train/0001_c1s1_000009_01.jpg")
    let browsed = try place.apus("data", "browse", "look.yaml", "--count", "3", "--out", "page")
    #expect(browsed.exit == 0, "\(browsed.errors)")
    let inspected = try place.apus("inspect", "look.yaml")
    #expect(inspected.exit == 0 && inspected.output.contains("appearance network for 16x32, 4 channels"), "\(inspected.output) \(inspected.errors)")
    #expect(try place.apus("config", "show", "look.yaml").output.contains("identities: 6"))
  }

  @Test func mistakesAreExplained() throws {
    let place = try Workplace()
    try place.prepareAppearance(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    func train(_ settings: String...) throws -> Outcome {
      try place.apus(["train", "look.yaml", "--work-dir", "run"] + settings.flatMap { ["--set", $0] })
    }
    expectFailure(try train("data.root=nowhere"), 66, "nowhere/bounding_box_train", "Expected ROOT")
    expectFailure(try train("train.batch_size=24"), 64, "a batch has 8 identities, but the data have 6")
    expectFailure(try train("train.batch_size=13"), 64, "train.crops_per_identity", "a divisor of batch_size (13)")
    expectFailure(try train("loss={kind: batch_hard}", "train.crops_per_identity=1"), 64, "batch_hard compares crops of one identity")
    expectFailure(try train("loss.identities=9"), 64, "9, but the data have 6 identities")
    expectFailure(try train("loss.margin=0.2"), 64, "margin")
    expectFailure(try train("data.min_crops=50"), 65, "0 identities with 50 crops or more, expected two")
    try place.write("figures/query/portrait.png", [1])
    expectFailure(try train(), 65, "portrait.png", "0002_c1s1_000451_03.jpg")
  }
}
