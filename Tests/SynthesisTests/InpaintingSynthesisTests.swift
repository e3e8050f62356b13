import Base
import Data
import Synthesis
import Testing
import TestSupport
import Vision

@Suite("Pictures for inpainting") struct InpaintingSynthesisTests {
  private var small: InpaintingSynthesis {
    var settings = InpaintingSynthesis()
    (settings.height, settings.width) = (48, 64)
    return settings
  }

  @Test("a picture is a function of settings, seed and index, and of its size") func pure() {
    let first = small.sample(index: 3, seed: 1)
    #expect(first == small.sample(index: 3, seed: 1) && first.height == 48 && first.width == 64 && first.channels == 3)
    #expect(small.sample(index: 4, seed: 1) != first && small.sample(index: 3, seed: 2) != first)
  }

  @Test("every kind of picture can be had alone, and is a picture", arguments: 0..<4) func subjects(kind: Int) {
    var settings = small
    (settings.rooms, settings.facades, settings.textures, settings.faces) = (0, 0, 0, 0)
    switch kind {
    case 0: settings.rooms = 1
    case 1: settings.facades = 1
    case 2: settings.textures = 1
    default: settings.faces = 1
    }
    #expect(settings.problems().isEmpty)
    var flatCount = 0
    for index in 0..<8 {
      let values = settings.sample(index: index, seed: 3).pixels.map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      let deviation = (values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)).squareRoot()
      if deviation < 4 { flatCount += 1 }
    }
    #expect(flatCount <= 2, "\(flatCount) of 8 pictures show next to nothing")
  }

  @Test("folders of pictures, with a mask for each of val") func writing() throws {
    try withTemporaryFolder { root in
      try small.write(count: 6, seed: 1, heldOutShare: 0.34, to: root, threads: 2)
      let train = try PictureTree("\(root)/train")
      let validation = try PictureTree("\(root)/val")
      #expect(train.count == 4 && validation.count == 2)
      let masks = try MaskFiles.paired(validation, in: "\(root)/masks")
      let number = try #require(Int(validation.names[1]))
      #expect(try Image(contentsOf: validation.path(of: 1)) == small.sample(index: number - 1, seed: 1))
      let reading = try InpaintingMask.read(contentsOf: masks[1], .whiteIsKnown)
      #expect(try reading.mask == small.mask(index: number - 1, seed: 1) && reading.remarks.isEmpty)
    }
  }

  @Test func problems() {
    var settings = small
    (settings.height, settings.rooms, settings.masks.strokes) = (8, -1, -1)
    #expect(settings.problems().map(\.key) == ["height", "rooms", "masks.strokes"])
    (settings.rooms, settings.facades, settings.textures, settings.faces) = (0, 0, 0, 0)
    #expect(settings.problems().map(\.key) == ["height", "rooms", "masks.strokes"])
    expectFailure(.usage, "height is 8") { try settings.write(count: 1, seed: 1, to: "/nowhere") }
  }
}
