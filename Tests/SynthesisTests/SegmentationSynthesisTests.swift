import Base
import Data
import Synthesis
import Testing
import TestSupport
import Vision

@Suite("Street scenes for segmentation") struct SegmentationSynthesisTests {
  private var small: SegmentationSynthesis {
    var settings = SegmentationSynthesis()
    (settings.height, settings.width) = (64, 96)
    return settings
  }

  @Test("a sample is a function of settings, seed and index, and of its size") func pure() {
    let first = small.sample(index: 3, seed: 1)
    let again = small.sample(index: 3, seed: 1)
    #expect(first.image == again.image && first.labels == again.labels)
    #expect(first.image.height == 64 && first.image.width == 96 && first.labels.height == 64 && first.labels.width == 96)
    #expect(small.sample(index: 4, seed: 1).labels != first.labels && small.sample(index: 3, seed: 2).labels != first.labels)
  }

  @Test("all classes occur, and things of no class") func occurrence() {
    var pictures = [Int](repeating: 0, count: 256)
    for index in 0..<40 {
      for (value, _) in small.sample(index: index, seed: 5).labels.counts() { pictures[value] += 1 }
    }
    for kind in StreetClass.allCases { #expect(pictures[kind.rawValue] >= 12, "\(kind.name) in \(pictures[kind.rawValue]) of 40") }
    #expect((2...20).contains(pictures[255]))
    var none = small
    (none.mostPeople, none.strangeShare) = (0, 0)
    for index in 0..<8 { #expect(!none.sample(index: index, seed: 5).labels.values.contains { $0 == 255 || $0 == 5 }) }
  }

  @Test("plain folders: pictures, palette PNGs, names of the classes") func folders() throws {
    try withTemporaryFolder { root in
      try small.write(count: 6, seed: 1, heldOutShare: 0.34, to: root, threads: 2)
      let train = try SegmentationFiles.folders(images: "\(root)/train/images", labels: "\(root)/train/labels")
      let validation = try SegmentationFiles.folders(images: "\(root)/val/images", labels: "\(root)/val/labels")
      #expect(train.pairs.count == 4 && validation.pairs.count == 2)
      let number = try #require(Int(train.pairs[1].name))
      #expect(try LabelMap(contentsOf: train.pairs[1].label) == small.sample(index: number - 1, seed: 1).labels)
      #expect(try Image(contentsOf: train.pairs[1].label).channels == 3, "viewers show colours")
      #expect(String(decoding: try File.bytes(at: "\(root)/classes.txt"), as: UTF8.self).hasPrefix("road\nground\nbuilding\n"))
    }
  }

  @Test("Cityscapes' layout gives the same classes by its table") func cityscapes() throws {
    try withTemporaryFolder { root in
      try small.write(.cityscapes, count: 2, seed: 1, heldOutShare: 0, to: root, threads: 1)
      let set = SegmentationSet(try .cityscapes(root, split: "train"), LabelTable(LabelRules(.cityscapes), classes: 19))
      let names = LabelRules(.cityscapes).classes
      let found = try set.sample(at: 1).labels.values.map { $0 == 255 ? "none" : names[Int($0)] }
      let standing = ["road", "terrain", "building", "sky", "vegetation", "person", "car"]
      let expected = small.sample(index: 1, seed: 1).labels.values.map { $0 == 255 ? "none" : standing[Int($0)] }
      #expect(found == expected)
    }
  }

  @Test func problems() {
    var settings = small
    (settings.height, settings.mostPlants, settings.nearness) = (8, -1, 2)
    #expect(settings.problems().map(\.key) == ["height", "most_plants", "nearness"])
    expectFailure(.usage, "most_plants is -1") { try settings.write(count: 1, seed: 1, to: "/nowhere") }
  }
}
