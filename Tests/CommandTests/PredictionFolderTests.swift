import Foundation
import Testing

/// The folder of `apus predict`'s results.
@Suite struct PredictionFolderTests {
  private static let arguments = ["predict", "config.yaml", "--weights", "run", "--source", "frames", "--out"]

  private func prepared(frames: Int = 3) throws -> Workplace {
    let place = try Workplace()
    try place.trainBriefly()
    for index in 1...frames {
      try FileManager.default.createDirectory(atPath: place.path("frames"), withIntermediateDirectories: true)
      try Workplace.picture(height: 128, width: 136, shift: 3 * index).write(to: place.path("frames/f\(index).png"))
    }
    return place
  }

  @Test func resultsDoNotLandAmongTheFrames() throws {
    let place = try prepared()
    expectFailure(try place.apus(Self.arguments + ["frames"]), 64, "--out frames: the results would land among the inputs")
    expectFailure(try place.apus(Self.arguments + ["./frames/../frames"]), 64, "the results would land among the inputs")
    #expect(try place.names(in: "frames") == ["f1.png", "f2.png", "f3.png"])
    // Pictures that are named one by one may lie there, if no result replaces one.
    let start = ["predict", "config.yaml", "--weights", "run", "--out", "frames", "--source", "frames/f1.png"]
    expectSuccess(try place.apus(start + ["frames/f2.png"]))
    expectFailure(try place.apus(start + ["frames/f1_flow.png"]), 64, "the result f1_flow.png would replace an input")
  }

  @Test func anEmptiedResultIsMadeAgain() throws {
    let place = try prepared()
    expectSuccess(try place.apus(Self.arguments + ["flow", "--no-warm-start"]))
    let whole = try place.bytes("flow/f2.flo")
    try place.write("flow/f2.flo", [UInt8]())
    let again = try place.apus(Self.arguments + ["flow", "--no-warm-start"])
    expectSuccess(again)
    #expect(again.outputLines.last == "1 of them were there already")
    expectEqualBytes(try place.bytes("flow/f2.flo"), whole, "f2.flo")
  }

  @Test func oneFolderTakesOnePrediction() throws {
    let place = try prepared(frames: 12)
    let first = try place.start(Self.arguments + ["flow", "--set", "inference.iterations=200"])
    while first.isRunning, !place.exists("flow/f1.flo") { usleep(500) }
    expectFailure(try place.apus(Self.arguments + ["flow"]), 73, "flow: another prediction is writing to this folder")
    expectSuccess(try first.wait())
    let again = try place.apus(Self.arguments + ["flow", "--set", "inference.iterations=200"])
    #expect(again.outputLines.last == "11 of them were there already")
  }

  /// The options of a task stand in the help with the task's name, and come from its list.
  @Test func theHelpHasTheTasksOptions() throws {
    let help = try Workplace().apus("predict", "--help").output
    for option in ["--format <format>", "--warm-start/--no-warm-start", "--occlusion"] { #expect(help.contains(option), "\(help)") }
    #expect(help.contains("OPTIONS OF TASKS") && help.contains("optical_flow: flo, or what a benchmark takes"), "\(help)")
    let typo = try Workplace().apus("predict", "config.yaml", "--weights", "w", "--source", "s", "--out", "o", "--formt", "kitti")
    expectFailure(typo, 64, "--formt", "Did you mean '--format'?")
  }
}
