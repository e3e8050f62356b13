import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

private func labels(_ base64: String) throws -> LabelMap {
  guard let bytes = Foundation.Data(base64Encoded: base64) else { throw Failure(.badData, at: "", "no base64") }
  return try PNG.decodeLabels([UInt8](bytes), place: "x.png")
}

/// Files made by another library (Pillow).
@Suite("Label files") struct LabelFileTests {
  @Test("palette indices and grey levels are read as they stand in the file") func numbers() throws {
    let indices: [UInt16] = [0, 1, 2, 3, 0, 3, 2, 1, 0, 3, 15, 0, 15, 0, 1]
    let palette = "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADBAMAAACpGNjLAAAAMFBMVEUABw4VHCMqMTg/Rk1UW2JpcHd+hYyTmqGor7a9xMvS2eDn7vX8AwoRGB8mLTQ7QknLPZdHAAAA"
    let four = palette + "FElEQVR4nGNgVGZgMBIwYPjwQQAACOMChxd3g2wAAAAASUVORK5CYII="
    #expect(try labels(four) == LabelMap(height: 3, width: 5, values: indices))
    let transparent = palette + "AXRSTlMAQObYZgAAABRJREFUeJxjYFRmYDASMGD48EEAAAjjAocXd4NsAAAAAElFTkSuQmCC"
    #expect(try labels(transparent).values == indices, "a transparent entry is a number like others")
    let bits = try labels("iVBORw0KGgoAAAANSUhEUgAAAAMAAAACAQAAAAC1D1u3AAAADElEQVR4nGNwYHIAAAEIAIMYhovOAAAAAElFTkSuQmCC")
    #expect(bits == LabelMap(height: 2, width: 3, values: [0, 1, 0, 1, 0, 0]))
    let fine = try labels("iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAAFklEQVR4nGNgYGB+8f8/A8N/RgYGdgAfNAPxH6jUhQAAAABJRU5ErkJggg==")
    #expect(fine == LabelMap(height: 2, width: 3, values: [0, 1000, 65535, 255, 256, 7]))
    let grey = Image(height: 1, width: 3, channels: 1, pixels: [0, 255, 7])
    #expect(try PNG.decodeLabels(PNG.encode(grey), place: "").values == [0, 255, 7])
  }

  @Test("colours are refused with their number and the most frequent one") func colors() {
    expectFailure(.badData, "x.png: this is an RGB picture of 2 colours", "the most frequent (128, 64, 128) in 5 pixels",
                  "expected one number a pixel") {
      try labels("iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAF0lEQVR4nGN0c3Oz+mXFwMDABKEYGBgAL+IDsn6h6dMAAAAASUVORK5CYII=")
    }
  }

  @Test("written labels are palette pictures") func writing() throws {
    let map = LabelMap(height: 2, width: 2, values: [0, 1, 1, 3])
    let bytes = PNG.encode(map, palette: [RGB(9, 8, 7), RGB(255, 0, 0)])
    #expect(try PNG.decodeLabels(bytes, place: "") == map)
    #expect(try PNG.decode(bytes, place: "").pixels == [9, 8, 7, 255, 0, 0, 255, 0, 0, 0, 0, 0])
  }

  @Test("files of other kinds") func kinds() throws {
    try withTemporaryFolder { folder in
      try Image(height: 4, width: 4, channels: 1).write(to: "\(folder)/a.jpg")
      expectFailure(.badData, "a.jpg", "JPEG", "changes labels") { try LabelMap(contentsOf: "\(folder)/a.jpg") }
      try Image(height: 1, width: 2, channels: 1, pixels: [3, 4]).write(to: "\(folder)/a.pgm")
      #expect(try LabelMap(contentsOf: "\(folder)/a.pgm").values == [3, 4])
      expectFailure(.missingInput, "no such file") { try LabelMap(contentsOf: "\(folder)/b.png") }
      try AtomicFile.write(Array("GIF89a".utf8), to: "\(folder)/c.png")
      expectFailure(.badData, "GIF") { try LabelMap(contentsOf: "\(folder)/c.png") }
    }
  }
}

@Suite("Rules of labels") struct LabelRulesTests {
  private func classes(_ rules: LabelRules, _ count: Int, _ values: [UInt16]) throws -> [UInt16] {
    try LabelTable(rules, classes: count).classes(of: LabelMap(height: 1, width: values.count, values: values), at: "l.png").values
  }

  @Test("plain numbers, and 255 ignored") func plain() throws {
    #expect(try classes(LabelRules(), 3, [0, 1, 2, 255]) == [0, 1, 2, 255])
    expectFailure(.badData, "l.png: label values that are no class: 3 (2 pixels), 900 (1 pixel); expected 0 to 2, or 255 (ignored)") {
      try classes(LabelRules(), 3, [0, 3, 900, 3])
    }
    var lenient = LabelRules()
    lenient.others = .ignore
    #expect(try classes(lenient, 3, [0, 3, 900, 2]) == [0, 255, 255, 2])
  }

  @Test("maps, also of several numbers to one class; what they do not name is no class") func maps() throws {
    var rules = LabelRules()
    rules.map = [.init(from: 7, to: 0), .init(from: 8, to: 1), .init(from: 9, to: 1), .init(from: 10, to: 255)]
    #expect(try classes(rules, 2, [7, 8, 9, 10, 255]) == [0, 1, 1, 255, 255])
    expectFailure(.badData, "0 (1 pixel)") { try classes(rules, 2, [7, 0, 8]) }
    rules.ignore = [0, 7]
    #expect(try classes(rules, 2, [7, 0, 8]) == [255, 255, 1], "ignored comes first")
  }

  @Test("ADE20K: 0 is ignored, 1 is class 0") func reduceZero() throws {
    var rules = LabelRules()
    rules.reduceZero = true
    #expect(try classes(rules, 2, [0, 1, 2]) == [255, 0, 1])
    expectFailure(.badData, "3 (1 pixel); expected 1 to 2, 0 (ignored), or 255 (ignored)") { try classes(rules, 2, [3, 1]) }
  }

  @Test("Cityscapes: the table of train ids") func cityscapes() throws {
    let ids: [UInt16] = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    #expect(try classes(LabelRules(.cityscapes), 19, ids) == (0..<19).map { UInt16($0) })
    let others = (0...33).filter { !ids.contains($0) } + [255]
    #expect(try classes(LabelRules(.cityscapes), 19, others) == others.map { _ in 255 })
  }

  @Test("masks of 0 and 255 are named, and can be read") func masks() throws {
    var rules = LabelRules()
    rules.ignore = []
    expectFailure(.badData, "this is a mask: only 0 and 255 occur", "labels.preset to binary_mask") { try classes(rules, 2, [0, 255, 0]) }
    #expect(try classes(LabelRules(.binaryMask), 2, [0, 255, 0]) == [0, 1, 0])
  }

  @Test func problems() {
    var rules = LabelRules()
    rules.classes = ["a", "a"]
    rules.map = [.init(from: 1, to: 5), .init(from: 1, to: 0), .init(from: 70_000, to: 0)]
    rules.reduceZero = true
    #expect(rules.problems().map(\.key) == ["classes", "reduce_zero", "map.0.to", "map.1.from", "map.2.from"])
  }
}
