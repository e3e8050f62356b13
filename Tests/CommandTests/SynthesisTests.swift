import Data
import Foundation
import Testing

/// `apus synth flow` and `apus synth detection`.
@Suite struct SynthesisTests {
  @Test func theSameSeedGivesTheSameBytes() throws {
    let place = try Workplace()
    try place.generatePairs(into: "a")
    try place.generatePairs(into: "b")
    let names = try place.names(in: "a/data")
    #expect(names.count == 24)
    #expect(try place.names(in: "b/data") == names)
    for name in names { expectEqualBytes(try place.bytes("a/data/\(name)"), try place.bytes("b/data/\(name)"), name) }
    let marks = try place.text("a/FlyingChairs_train_val.txt")
    #expect(marks.split(separator: "\n").count == 8 && marks.filter { $0 == "2" }.count == 2)
    #expect(try FlyingChairs(root: place.path("a"), split: .validation).count == 2)

    expectSuccess(try place.apus("synth", "flow", "--out", "c", "--count", "8", "--seed", "2", "--height", "160", "--width", "192"))
    let isOther = try place.bytes("a/data/00001_img1.ppm") != place.bytes("c/data/00001_img1.ppm")
    #expect(isOther)
    let sample = try FlyingChairs(root: place.path("c"), split: .train).sample(at: 0)
    #expect(sample.flow.height == 160 && sample.flow.width == 192)
  }

  @Test func detectionScenesAreTheSameForTheSameSeed() throws {
    let place = try Workplace()
    for folder in ["a", "b"] {
      let outcome = try place.apus(
        "synth", "detection", "--out", folder, "--count", "3", "--seed", "1", "--height", "64", "--width", "72", "--validation", "0.34",
        "--layout", "coco_panoptic", "--set", "classes=2", "--set", "masks=rle")
      expectSuccess(outcome)
      #expect(outcome.output.contains("3 images of 72x64 in \(folder)"))
    }
    let names = try place.names(in: "a/annotations")
    #expect(names.contains("instances_train.json") && names.contains("panoptic_val.json"))
    for name in names + ["../train/000001.jpg", "../val/000003.jpg"] where name.hasSuffix(".json") || name.hasSuffix(".jpg") {
      expectEqualBytes(try place.bytes("a/annotations/\(name)"), try place.bytes("b/annotations/\(name)"), name)
    }
    #expect(try COCOInstances(contentsOf: place.path("a/annotations/instances_train.json")).categories.map(\.name) == ["disc", "square"])
  }

  @Test func anInterruptedCallIsRepeated() throws {
    let place = try Workplace()
    try place.generatePairs()
    let flow = try place.bytes("pairs/data/00002_flow.flo"), marks = try place.text("pairs/FlyingChairs_train_val.txt")
    try place.remove("pairs/data/00002_flow.flo")
    try place.remove("pairs/FlyingChairs_train_val.txt")
    try place.generatePairs()
    expectEqualBytes(try place.bytes("pairs/data/00002_flow.flo"), flow, "00002_flow.flo")
    #expect(try place.text("pairs/FlyingChairs_train_val.txt") == marks)
  }
}
