import Base
import Data
import Foundation
import Testing
import Vision

/// `apus predict`.
@Suite struct PredictionTests {
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
    #expect(try place.names(in: "made/flow") == [".apus-predict.safetensors", "f10.flo", "f10_flow.png", "f9.flo", "f9_flow.png"])
    for name in ["f9", "f10"] {
      let flow = try FlowField(contentsOf: place.path("made/flow/\(name).flo"))
      let isFinite = flow.vectors.allSatisfy(\.isFinite)
      #expect(flow.height == height && flow.width == width && isFinite)
      let picture = try Image(contentsOf: place.path("made/flow/\(name)_flow.png"))  // the flow above the strip with the wheel
      #expect(picture.height > height && picture.width >= width)
    }
    let again = try place.apus("predict", "config.yaml", "--weights", "run", "--source", "frames", "--out", "again", "--threads", "2")
    expectSuccess(again)
    expectEqualBytes(try place.bytes("again/f9.flo"), try place.bytes("made/flow/f9.flo"), "f9.flo")
  }

  // MARK: Interruptions

  /// Frames of a moving pattern under these names.
  private func writeFrames(_ place: Workplace, _ names: [String], firstShift: Int = 0) throws {
    for (index, name) in names.enumerated() {
      try FileManager.default.createDirectory(atPath: (place.path(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Workplace.picture(height: 128, width: 136, shift: 3 * (firstShift + index)).write(to: place.path(name))
    }
  }

  /// All results below a folder by name; the record is left out.
  private func results(_ place: Workplace, _ folder: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: place.path(folder)) where name.hasSuffix(".flo") || name.hasSuffix(".png") {
      files[name] = try place.bytes("\(folder)/\(name)")
    }
    return files
  }

  private func expectEqual(_ a: [String: [UInt8]], _ b: [String: [UInt8]], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(a.keys.sorted() == b.keys.sorted(), sourceLocation: sourceLocation)
    for (name, bytes) in a { expectEqualBytes(bytes, b[name] ?? [], name, sourceLocation: sourceLocation) }
  }

  /// Killed again and again at no particular moment, it ends with the bytes of a run in one go.
  @Test func aKilledRunGoesOnToTheSameBits() throws {
    let place = try Workplace()
    try place.trainBriefly()
    try writeFrames(place, (1...13).map { "frames/f\($0).png" })
    func arguments(_ out: String) -> [String] {
      ["predict", "config.yaml", "--weights", "run", "--source", "frames", "--out", out, "--occlusion", "--set", "inference.iterations=3"]
    }
    expectSuccess(try place.apus(arguments("whole")))
    for count in [1, 4, 9] {
      let command = try place.start(arguments("parts"))
      while command.isRunning, !place.exists("parts/f\(count).flo") { usleep(300) }
      usleep(UInt32(4000 * count))
      command.send(SIGKILL)
      #expect(try command.wait().signal == SIGKILL, "too fast to be killed")
    }
    let last = try place.apus(arguments("parts"))
    expectSuccess(last)
    let kept = try #require(last.outputLines.last.flatMap { Int($0.split(separator: " ")[0]) }, "\(last.output)")
    #expect(last.output.contains("of them were there already") && (8...12).contains(kept))
    let whole = try results(place, "whole")
    #expect(whole.count == 3 * 12)
    expectEqual(try results(place, "parts"), whole)
  }

  /// What is complete is not touched; what follows starts from the field that was kept.
  @Test func moreFramesAreAdded() throws {
    let place = try Workplace()
    try place.trainBriefly()
    try writeFrames(place, (1...4).map { "frames/f\($0).png" })
    let arguments = ["predict", "config.yaml", "--weights", "run", "--source", "frames", "--out"]
    expectSuccess(try place.apus(arguments + ["flow"]))
    try place.write("flow/f2.flo", "a mark")
    try writeFrames(place, ["frames/f5.png", "frames/f6.png"], firstShift: 4)
    let more = try place.apus(arguments + ["flow"])
    expectSuccess(more)
    #expect(more.outputLines == ["5 flow fields in flow: NAME.flo (Middlebury format) and NAME_flow.png", "3 of them were there already"])
    #expect(try place.text("flow/f2.flo") == "a mark")
    expectSuccess(try place.apus(arguments + ["whole"]))
    var whole = try results(place, "whole")
    whole["f2.flo"] = Array("a mark".utf8)
    expectEqual(try results(place, "flow"), whole)

    // Without f1 the chain is broken, so all of it is done again; the mark is gone.
    try place.remove("flow/f1.flo")
    expectSuccess(try place.apus(arguments + ["flow"]))
    expectEqual(try results(place, "flow"), try results(place, "whole"))
  }

  /// Results of other weights, settings or frames do not count.
  @Test func whatDependsOnSomethingElseIsDoneAgain() throws {
    let place = try Workplace()
    try place.trainBriefly()
    try writeFrames(place, (1...3).map { "frames/f\($0).png" })
    let arguments = ["predict", "config.yaml", "--source", "frames", "--out", "flow", "--weights"]
    expectSuccess(try place.apus(arguments + ["run"]))
    let first = try results(place, "flow")
    for changed in [["run/checkpoints/step_00000002"], ["run", "--set", "inference.iterations=2"], ["run", "--no-warm-start"]] {
      try place.write("flow/f1.flo", "a mark")
      let outcome = try place.apus(arguments + changed)
      #expect(outcome.exit == 0 && !outcome.output.contains("already"), "\(changed)")
      #expect(try place.bytes("flow/f1.flo").count > 100)
    }
    let cold = try results(place, "flow")
    #expect(cold["f1.flo"] == first["f1.flo"] && cold["f2.flo"] != first["f2.flo"], "only the second pair has something to start from")
    try writeFrames(place, ["frames/f3.png"], firstShift: 5)
    let outcome = try place.apus(arguments + ["run", "--no-warm-start"])
    #expect(outcome.exit == 0 && !outcome.output.contains("already"))
    #expect(try results(place, "flow")["f2.flo"] != cold["f2.flo"])
  }

  // MARK: Pairs and benchmarks

  @Test func twoPicturesGiveOneFieldAndItsOcclusion() throws {
    let place = try Workplace()
    try place.trainBriefly()
    try writeFrames(place, ["a.png", "sub/b.ppm"])
    let outcome = try place.apus("predict", "config.yaml", "--weights", "run", "--source", "a.png", "sub/b.ppm", "--out", "flow", "--occlusion")
    expectSuccess(outcome)
    #expect(outcome.output == "1 flow fields in flow: NAME.flo (Middlebury format) and NAME_flow.png, NAME_occlusion.png\n")
    #expect(try results(place, "flow").keys.sorted() == ["a.flo", "a_flow.png", "a_occlusion.png"])
    let mask = try Image(contentsOf: place.path("flow/a_occlusion.png"))
    #expect(mask.channels == 1 && mask.height == 128 && mask.width == 136)
    #expect(Set(mask.pixels).isSubset(of: [0, 255]))
  }

  @Test func sintelsSubmission() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let scenes = ["clean", "final"].flatMap { pass in ["cave", "market"].map { "\(pass)/\($0)" } }
    for scene in scenes { try writeFrames(place, (1...3).map { "sintel/test/\(scene)/frame_000\($0).png" }) }
    let outcome = try place.apus("predict", "config.yaml", "--weights", "run", "--source", "sintel", "--out", "flow", "--format", "sintel")
    expectSuccess(outcome)
    #expect(outcome.output == "8 flow fields in flow: <pass>/<scene>/frame0001.flo, ...\n")
    let files = try results(place, "flow")
    #expect(files.keys.sorted() == scenes.flatMap { ["\($0)/frame0001.flo", "\($0)/frame0002.flo"] })
    // All scenes show the same: each starts at rest, and goes on from its own first pair, as a folder of its own does.
    expectSuccess(try place.apus("predict", "config.yaml", "--weights", "run", "--source", "sintel/test/clean/cave", "--out", "cave"))
    let cave = try results(place, "cave")
    for scene in scenes {
      for index in 1...2 { expectEqualBytes(files["\(scene)/frame000\(index).flo"] ?? [], cave["frame_000\(index).flo"] ?? [], scene) }
    }
  }

  @Test func kittisSubmission() throws {
    let place = try Workplace()
    try place.trainBriefly()
    for (index, stem) in ["000000", "000001"].enumerated() {
      try writeFrames(place, ["kitti/testing/image_2/\(stem)_10.png", "kitti/testing/image_2/\(stem)_11.png"], firstShift: index)
    }
    let outcome = try place.apus("predict", "config.yaml", "--weights", "run", "--source", "kitti", "--out", "made", "--format", "kitti")
    expectSuccess(outcome)
    #expect(outcome.output == "2 flow fields in made: flow/000000_10.png, ...\n")
    #expect(try results(place, "made").keys.sorted() == ["flow/000000_10.png", "flow/000001_10.png"])
    // The second pair alone, exactly: the map holds its vectors cut off to 1/64 px, all of them valid.
    expectSuccess(try place.apus("predict", "config.yaml", "--weights", "run", "--source", "kitti/testing/image_2/000001_10.png",
                                 "kitti/testing/image_2/000001_11.png", "--out", "exact"))
    let map = try Image16(contentsOf: place.path("made/flow/000001_10.png")), exact = try FlowField(contentsOf: place.path("exact/000001_10.flo"))
    #expect(map.height == 128 && map.width == 136 && map.channels == 3)
    var expected: [UInt16] = []
    for pixel in 0..<128 * 136 {
      let (u, v) = (exact.vectors[2 * pixel], exact.vectors[2 * pixel + 1])
      expected += [UInt16(u * 64 + 32768), UInt16(v * 64 + 32768), 1]
    }
    let isRight = map.samples == expected
    #expect(isRight)
  }
}
