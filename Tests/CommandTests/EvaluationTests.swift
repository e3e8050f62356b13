import Base
import Data
import Foundation
import Testing
import Vision

/// `apus evaluate`; `apus predict` has its own.
@Suite struct EvaluationTests {
  /// Real samples beside the checkout.
  private static let rubberWhale = "\((Workplace.checkout as NSString).deletingLastPathComponent)/shared/data/flow_rubberwhale"

  private func metrics(_ outcome: Outcome) throws -> [String: Double] {
    try JSONDecoder().decode([String: Double].self, from: Foundation.Data(outcome.output.utf8))
  }

  @Test func theTableAndTheJSONHoldTheSameNumbers() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let json = try place.apus("evaluate", "config.yaml", "--weights", "run", "--json"), table = try place.apus("evaluate", "config.yaml", "--weights", "run")
    expectSuccess(json)
    expectSuccess(table)
    let metrics = try metrics(json)
    #expect(Set(metrics.keys) == ["epe", "1px", "3px", "5px", "kitti_epe", "kitti_f1", "s0-10", "s10-40", "epe_of_zero_flow", "pairs"])
    #expect(metrics["pairs"] == 2)
    let rows = table.outputLines.dropFirst(2).map { $0.split(separator: " ").map(String.init) }
    #expect(rows.count == metrics.count)
    for row in rows {
      #expect(row[1] == metrics[row[0]].map { String(format: "%.4f", $0) }, "\(row)")
      #expect(row.count > 2, "\(row[0]) is explained")
    }
  }

  /// The numbers in a validation row of `metrics.jsonl`.
  private struct Logged: Decodable {
    let epe, onePixel, kittiF1: Double
    enum CodingKeys: String, CodingKey { case epe, onePixel = "1px", kittiF1 = "kitti_f1" }
  }

  /// What training logs about the validation set is what `evaluate` finds for its checkpoint.
  @Test func theLogAndTheCommandAgree() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let logged = try #require(try place.text("run/metrics.jsonl").split(separator: "\n").last { $0.contains("\"val\"") })
    let values = try JSONDecoder().decode(Logged.self, from: Foundation.Data(logged.utf8))
    for weights in ["run", "run/checkpoints/step_00000004", "run/checkpoints/step_00000004/model.safetensors"] {
      let metrics = try metrics(place.apus("evaluate", "config.yaml", "--weights", weights, "--json", "--threads", "2"))
      #expect(metrics["epe"] == values.epe && metrics["1px"] == values.onePixel && metrics["kitti_f1"] == values.kittiF1)
    }
  }

  /// Every evaluation of a training draws its first samples, and of the first one how the flow came about.
  @Test func trainingDrawsItsValidation() throws {
    let place = try Workplace(plan: "steps: 1, log_every: 1, evaluate_every: 0, save_every: 0")
    try place.generatePairs()
    expectSuccess(try place.apus("train", "config.yaml", "--work-dir", "run", "--set", "inference.iterations=2"))
    let names = try place.names(in: "run/vis/step_00000001")
    #expect(names.count == 3 && names.filter { $0.hasSuffix("_updates.png") } == [names[1]], "\(names)")
    for name in names { _ = try Image(contentsOf: place.path("run/vis/step_00000001/\(name)")) }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: rubberWhale), "needs the sample RubberWhale"))
  func zeroFlowOnRubberWhale() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let outcome = try place.apus("evaluate", "config.yaml", "--weights", "run", "--json", "--set", "validation.format=pairs",
                                 "--set", "validation.root=\(Self.rubberWhale)", "--save-visuals", "pictures")
    expectSuccess(outcome)
    let metrics = try metrics(outcome)
    #expect(metrics["epe_of_zero_flow"].map { abs($0 - 1.2560) < 5e-5 } == true)  // as the samples' manifest says
    #expect(metrics["pairs"] == 1)
    #expect(metrics["s0-10"] == metrics["epe"] && metrics["s40+"] == nil)  // nothing moves faster than 4.7 px
    #expect(try place.names(in: "pictures") == ["RubberWhale.png"])  // one update only: there is no row of them
  }

  /// Sides that are no multiple of 8, and smaller than what the network can see.
  @Test func anySizeIsEvaluated() throws {
    let place = try Workplace()
    try place.trainBriefly()
    for (name, height, width) in [("odd", 161, 187), ("small", 97, 61), ("flat", 40, 200)] { try place.writePair("real/\(name)", height: height, width: width) }
    let outcome = try place.apus("evaluate", "config.yaml", "--weights", "run", "--json", "--set", "validation.format=pairs",
                                 "--set", "validation.root=real", "--save-visuals", "pictures", "--set", "inference.iterations=2",
                                 "--set", "inference.padding=kitti")
    expectSuccess(outcome)
    let metrics = try metrics(outcome)
    #expect(metrics["pairs"] == 3 && metrics["epe_of_zero_flow"] == 2)
    #expect(metrics["epe"]?.isFinite == true)
    #expect(try place.names(in: "pictures") == ["flat", "odd", "small"].flatMap { ["\($0)_flow.png", "\($0)_flow_updates.png"] })
    for name in try place.names(in: "pictures") { _ = try Image(contentsOf: place.path("pictures/\(name)")) }
  }
}
