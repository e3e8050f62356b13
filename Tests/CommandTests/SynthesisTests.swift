import Data
import Foundation
import Testing

/// `apus synth flow`.
@Suite struct SynthesisTests {
  @Test func theSameSeedGivesTheSameBytes() throws {
    let place = try Workplace()
    try place.generatePairs(into: "a")
    try place.generatePairs(into: "b")
    let names = try place.names(in: "a/data")
    #expect(names.count == 24)
    #expect(try place.names(in: "b/data") == names)
    for name in names { #expect(try place.bytes("a/data/\(name)") == place.bytes("b/data/\(name)"), "\(name) differs") }
    let marks = try place.text("a/FlyingChairs_train_val.txt")
    #expect(marks.split(separator: "\n").count == 8 && marks.filter { $0 == "2" }.count == 2)
    #expect(try FlyingChairs(root: place.path("a"), split: .validation).count == 2)

    expectSuccess(try place.apus("synth", "flow", "--out", "c", "--count", "8", "--seed", "2", "--height", "160", "--width", "192"))
    #expect(try place.bytes("a/data/00001_img1.ppm") != place.bytes("c/data/00001_img1.ppm"))
    let sample = try FlyingChairs(root: place.path("c"), split: .train).sample(at: 0)
    #expect(sample.flow.height == 160 && sample.flow.width == 192)
  }

  @Test func anInterruptedCallIsRepeated() throws {
    let place = try Workplace()
    try place.generatePairs()
    let flow = try place.bytes("pairs/data/00002_flow.flo"), marks = try place.text("pairs/FlyingChairs_train_val.txt")
    try place.remove("pairs/data/00002_flow.flo")
    try place.remove("pairs/FlyingChairs_train_val.txt")
    try place.generatePairs()
    #expect(try place.bytes("pairs/data/00002_flow.flo") == flow)
    #expect(try place.text("pairs/FlyingChairs_train_val.txt") == marks)
  }
}
