import Data
import Foundation
import Testing
import Vision

/// `apus evaluate` and `apus predict`.
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
    #expect(Set(metrics.keys) == ["epe", "1px", "3px", "5px", "kitti_epe", "kitti_f1", "epe_of_zero_flow", "pairs"])
    #expect(metrics["pairs"] == 2)
    let rows = table.outputLines.dropFirst(2).map { $0.split(separator: " ").map(String.init) }
    #expect(rows.count == metrics.count)
    for row in rows { #expect(row.last == metrics[row[0]].map { String(format: "%.4f", $0) }, "\(row)") }
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
    #expect(try place.names(in: "pictures") == ["RubberWhale.png"])
  }

  /// Sides that are no multiple of 8, and smaller than what the network can see.
  @Test func anySizeIsEvaluated() throws {
    let place = try Workplace()
    try place.trainBriefly()
    for (name, height, width) in [("odd", 161, 187), ("small", 97, 61), ("flat", 40, 200)] { try place.writePair("real/\(name)", height: height, width: width) }
    let outcome = try place.apus("evaluate", "config.yaml", "--weights", "run", "--json", "--set", "validation.format=pairs",
                                 "--set", "validation.root=real", "--save-visuals", "pictures")
    expectSuccess(outcome)
    let metrics = try metrics(outcome)
    #expect(metrics["pairs"] == 3 && metrics["epe_of_zero_flow"] == 2)
    #expect(metrics["epe"]?.isFinite == true)
    #expect(try place.names(in: "pictures").count == 3)
    for name in try place.names(in: "pictures") { _ = try Image(contentsOf: place.path("pictures/\(name)")) }
  }

  @Test func framesOfOneNameAreRefused() throws {
    let place = try Workplace()
    try place.trainBriefly()
    try place.writePair("frames/a", height: 130, width: 140)
    try Workplace.picture(height: 130, width: 140).write(to: place.path("frames/a_img1.jpg"))
    expectFailure(try place.apus("predict", "config.yaml", "--weights", "run", "--source", "frames", "--out", "flow"), 65,
                  "frames: several frames are named 'a_img1'")
    #expect(try !place.exists("flow") || place.names(in: "flow").isEmpty)
  }

  @Test(arguments: [(161, 187), (97, 61), (128, 136)])
  func framesOfAnySizeGiveFlowOfThatSize(height: Int, width: Int) throws {
    let place = try Workplace()
    try place.trainBriefly()
    try FileManager.default.createDirectory(atPath: place.path("frames"), withIntermediateDirectories: true)
    // Natural order: 9 before 10 before 11. Formats may differ.
    for (shift, name) in ["f9.png", "f10.ppm", "f11.jpg"].enumerated() {
      try Workplace.picture(height: height, width: width, shift: 2 * shift).write(to: place.path("frames/\(name)"))
    }
    try place.write("frames/notes.txt", "no frame")
    let outcome = try place.apus("predict", "config.yaml", "--weights", "run", "--source", "frames", "--out", "made/flow")
    expectSuccess(outcome)
    #expect(outcome.output == "2 flow fields in made/flow: NAME.flo (Middlebury format) and NAME_flow.png\n")
    #expect(try place.names(in: "made/flow") == ["f10.flo", "f10_flow.png", "f9.flo", "f9_flow.png"])
    for name in ["f9", "f10"] {
      let flow = try FlowField(contentsOf: place.path("made/flow/\(name).flo"))
      #expect(flow.height == height && flow.width == width && flow.vectors.allSatisfy(\.isFinite))
      let picture = try Image(contentsOf: place.path("made/flow/\(name)_flow.png"))  // the flow above the strip with the wheel
      #expect(picture.height > height && picture.width >= width)
    }
    let again = try place.apus("predict", "config.yaml", "--weights", "run", "--source", "frames", "--out", "again", "--threads", "2")
    expectSuccess(again)
    #expect(try place.bytes("again/f9.flo") == place.bytes("made/flow/f9.flo"))
  }
}
