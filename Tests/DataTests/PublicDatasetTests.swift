import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

/// A data set of tiny files below a temporary folder. Every picture is plain, and every flow constant, in the number of its file.
private struct TinySet {
  let root: String
  private(set) var numbers: [String: Int] = [:]

  init(_ root: String, _ names: [String]) throws {
    self.root = root
    for (number, name) in names.enumerated() { try add(name, number + 1) }
  }

  mutating func add(_ name: String, _ number: Int) throws {
    numbers[name] = number
    let path = "\(root)/\(name)"
    try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    if name.contains("flow") {
      try FlowField(height: 3, width: 4, vectors: Array(repeating: Float(number), count: 24)).write(to: path)
    } else {
      try Image(height: 3, width: 4, channels: 3, pixels: Array(repeating: UInt8(number), count: 36)).write(to: path)
    }
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(root)/\(name)") }

  /// The files of every sample.
  func triples(_ set: some FlowDataset) throws -> [[String]] {
    let nameOf = Dictionary(uniqueKeysWithValues: numbers.map { ($0.value, $0.key) })
    return try (0..<set.count).map { index in
      let sample = try set.sample(at: index)
      return [Int(sample.image1.pixels[0]), Int(sample.image2.pixels[0]), Int(sample.flow.vectors[0])].map { nameOf[$0] ?? "?" }
    }
  }
}

private func withSet(_ names: [String], _ body: (inout TinySet) throws -> Void) throws {
  try withTemporaryFolder { root in
    var set = try TinySet(root, names)
    try body(&set)
  }
}

private func names(of set: some FlowDataset) -> [String] { (0..<set.count).map { set.name(of: $0) } }

struct FlyingThingsTests {
  static let files: [String] = [("A/0000", 3), ("B/0001", 2)].flatMap { scene, count in
    (6..<6 + count).flatMap { frame in
      ["frames_cleanpass/TRAIN/\(scene)/left/000\(frame).png", "frames_finalpass/TRAIN/\(scene)/left/000\(frame).png",
       "optical_flow/TRAIN/\(scene)/into_future/left/OpticalFlowIntoFuture_000\(frame)_L.pfm",
       "optical_flow/TRAIN/\(scene)/into_past/left/OpticalFlowIntoPast_000\(frame)_L.pfm"]
    }
  } + ["frames_cleanpass/TRAIN/A/0000/right/0006.png", "optical_flow/TRAIN/A/0000/into_future/right/OpticalFlowIntoFuture_0006_R.pfm"]
    + ["6", "7"].flatMap { ["frames_cleanpass/TEST/C/0009/left/000\($0).png",
                            "optical_flow/TEST/C/0009/into_future/left/OpticalFlowIntoFuture_000\($0)_L.pfm",
                            "optical_flow/TEST/C/0009/into_past/left/OpticalFlowIntoPast_000\($0)_L.pfm"] }

  @Test func bothDirectionsOfEveryScene() throws {
    try withSet(Self.files) { tiny in
      let set = try FlyingThings(root: tiny.root, split: .train, pass: .clean)
      #expect(names(of: set) == [
        "clean_A_0000_into_future_0006", "clean_A_0000_into_future_0007", "clean_B_0001_into_future_0006",
        "clean_A_0000_into_past_0007", "clean_A_0000_into_past_0008", "clean_B_0001_into_past_0007",
      ])
      func files(_ scene: String, _ first: Int, _ second: Int, _ direction: String, _ word: String) -> [String] {
        ["frames_cleanpass/TRAIN/\(scene)/left/000\(first).png", "frames_cleanpass/TRAIN/\(scene)/left/000\(second).png",
         "optical_flow/TRAIN/\(scene)/\(direction)/left/OpticalFlowInto\(word)_000\(first)_L.pfm"]
      }
      #expect(try tiny.triples(set) == [
        files("A/0000", 6, 7, "into_future", "Future"), files("A/0000", 7, 8, "into_future", "Future"),
        files("B/0001", 6, 7, "into_future", "Future"),
        files("A/0000", 7, 6, "into_past", "Past"), files("A/0000", 8, 7, "into_past", "Past"), files("B/0001", 7, 6, "into_past", "Past"),
      ])
      let both = try FlyingThings(root: tiny.root, split: .train, pass: .both)
      #expect(both.count == 12 && Array(names(of: both)[..<6]) == names(of: set) && both.name(of: 6) == "final_A_0000_into_future_0006")
      #expect(Set(names(of: both)).count == 12)
      let test = try FlyingThings(root: tiny.root, split: .test, pass: .clean)
      #expect(names(of: test) == ["clean_C_0009_into_future_0006", "clean_C_0009_into_past_0007"])
    }
  }

  @Test func theLayoutIsToldWhenSomethingIsMissing() throws {
    try withSet(Self.files) { tiny in
      let root = tiny.root
      expectFailure(.missingInput, root, "no folder frames_finalpass/TEST", "optical_flow with TRAIN/A/0000", "not the 'subset'") {
        try FlyingThings(root: root, split: .test, pass: .final)
      }
      try tiny.remove("frames_finalpass/TRAIN/A/0000/left/0007.png")
      expectFailure(.badData, "frames_finalpass/TRAIN/A/0000/left", "0008.png follows 0006.png") {
        try FlyingThings(root: root, split: .train, pass: .both)
      }
      try tiny.remove("optical_flow/TRAIN/A/0000/into_past/left/OpticalFlowIntoPast_0007_L.pfm")
      expectFailure(.badData, root, "1 files of flow are missing", "into_past/left/OpticalFlowIntoPast_0007_L.pfm") {
        try FlyingThings(root: root, split: .train, pass: .clean)
      }
    }
    expectFailure(.missingInput, "/no/such/folder") { try FlyingThings(root: "/no/such/folder", split: .train, pass: .clean) }
  }
}

struct MPISintelTests {
  static let files: [String] = [("alley_1", 3), ("bamboo_2", 2)].flatMap { scene, count in
    (1...count).flatMap { frame in
      ["training/clean/\(scene)/frame_000\(frame).png", "training/final/\(scene)/frame_000\(frame).png"]
        + (frame < count ? ["training/flow/\(scene)/frame_000\(frame).flo"] : [])
    }
  } + ["test/final/ambush_1/frame_0001.png", "test/final/ambush_1/frame_0002.png", "test/final/ambush_1/frame_0003.png",
       "test/final/cave_3/frame_0009.png", "test/final/cave_3/frame_0010.png"]

  @Test func neighboursWithinAScene() throws {
    try withSet(Self.files) { tiny in
      let clean = try MPISintel(root: tiny.root, pass: .clean)
      #expect(names(of: clean) == ["clean_alley_1_0001", "clean_alley_1_0002", "clean_bamboo_2_0001"])
      #expect(try tiny.triples(clean)[1] == ["training/clean/alley_1/frame_0002.png", "training/clean/alley_1/frame_0003.png",
                                             "training/flow/alley_1/frame_0002.flo"])
      let some = try MPISintel(root: tiny.root, pass: .both, scenes: ["bamboo_2"])
      #expect(names(of: some) == ["clean_bamboo_2_0001", "final_bamboo_2_0001"])
      #expect(try tiny.triples(some)[1][1] == "training/final/bamboo_2/frame_0002.png")
      #expect(try MPISintel(root: tiny.root, pass: .clean, readsOcclusion: true).sample(at: 0).occlusion == nil)
      #expect(try clean.invalid(at: 0) == nil)
    }
  }

  @Test func masksAreReadWhereTheyAre() throws {
    try withSet(Self.files) { tiny in
      for (kind, pixels) in [("occlusions", [UInt8](repeating: 255, count: 5) + [UInt8](repeating: 0, count: 7)),
                             ("invalid", [UInt8](repeating: 0, count: 11) + [255])] {
        let folder = "\(tiny.root)/training/\(kind)/bamboo_2"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Image(height: 3, width: 4, channels: 1, pixels: pixels).write(to: "\(folder)/frame_0001.png")
      }
      let set = try MPISintel(root: tiny.root, pass: .both, readsOcclusion: true)
      #expect(try set.sample(at: 2).occlusion == Array(repeating: true, count: 5) + Array(repeating: false, count: 7))
      #expect(try set.invalid(at: 5) == Array(repeating: false, count: 11) + [true])  // the final pass has the same masks
      expectFailure(.missingInput, "training/occlusions/alley_1/frame_0001.png") { try set.sample(at: 0) }
      #expect(try MPISintel(root: tiny.root, pass: .clean).sample(at: 2).occlusion == nil)
      let path = "\(tiny.root)/training/occlusions/bamboo_2/frame_0001.png"
      try Image(height: 3, width: 5, channels: 1).write(to: path)
      expectFailure(.badData, path, "5 x 3, expected 4 x 3") { try set.sample(at: 2) }
    }
  }

  @Test func whatIsWrongIsNamed() throws {
    try withSet(Self.files) { tiny in
      let root = tiny.root
      expectFailure(.missingInput, "no scene 'ally_1'", "alley_1, bamboo_2") { try MPISintel(root: root, pass: .clean, scenes: ["ally_1"]) }
      try tiny.remove("training/final/alley_1/frame_0002.png")
      expectFailure(.badData, "final/alley_1", "frame_0003.png follows frame_0001.png", "without a gap") { try MPISintel(root: root, pass: .final) }
      try tiny.remove("training/final/alley_1/frame_0003.png")
      expectFailure(.badData, "2 files of frames", "training/final/alley_1/frame_0002.png or the frame after it") {
        try MPISintel(root: root, pass: .final)
      }
      try tiny.remove("training/flow/alley_1/frame_0001.flo")
      expectFailure(.badData, "1 files of flow", "training/flow/alley_1/frame_0001.flo") { try MPISintel(root: root, pass: .clean) }
      try tiny.remove("training/flow")
      expectFailure(.missingInput, "no folder training/flow/alley_1", "frame_0001.flo") { try MPISintel(root: root, pass: .clean) }
    }
    try withTemporaryFolder { root in expectFailure(.missingInput, root, "no folder training/clean") { try MPISintel(root: root, pass: .clean) } }
  }
}

struct KITTI15Tests {
  static let files = ["000000", "000007"]
    .flatMap { ["training/image_2/\($0)_10.png", "training/image_2/\($0)_11.png", "training/flow_occ/\($0)_10.png"] }
    + ["testing/image_2/000003_10.png", "testing/image_2/000003_11.png", "training/flow_noc/000007_10.png"]

  @Test func pairsOfTheTrainingPart() throws {
    try withSet(Self.files) { tiny in
      let set = try KITTI15(root: tiny.root)
      #expect(names(of: set) == ["000000_10", "000007_10"])
      #expect(try tiny.triples(set)[1] == ["training/image_2/000007_10.png", "training/image_2/000007_11.png", "training/flow_occ/000007_10.png"])
      #expect(try tiny.triples(KITTI15(root: tiny.root, nonOccludedOnly: true)) == [
        ["training/image_2/000007_10.png", "training/image_2/000007_11.png", "training/flow_noc/000007_10.png"]
      ])
    }
  }

  @Test func whatIsWrongIsNamed() throws {
    try withSet(Self.files) { tiny in
      let root = tiny.root
      try tiny.remove("training/image_2/000007_11.png")
      expectFailure(.badData, "1 files of frames", "training/image_2/000007_11.png", "KITTI 2015") { try KITTI15(root: root) }
      try tiny.remove("training/flow_noc/000007_10.png")
      expectFailure(.missingInput, "training/flow_noc", "the folder is empty") { try KITTI15(root: root, nonOccludedOnly: true) }
      try tiny.remove("training/flow_occ")
      expectFailure(.missingInput, "no folder training/flow_occ", "training/image_2/000000_10.png") { try KITTI15(root: root) }
    }
  }

  /// The real pair: `flow_noc` lacks 356,687 - 354,086 vectors of `flow_occ`.
  @Test(.enabled(if: Samples.areThere)) func occlusionIsTheDifferenceOfTheTwoMaps() throws {
    try withTemporaryFolder { root in
      for (folder, name, source) in [("image_2", "000010_10", "kitti_000010_10"), ("image_2", "000010_11", "kitti_000010_11"),
                                     ("flow_occ", "000010_10", "kitti_occ_000010_10"), ("flow_noc", "000010_10", "kitti_noc_000010_10")] {
        try FileManager.default.createDirectory(atPath: "\(root)/training/\(folder)", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: "\(root)/training/\(folder)/\(name).png",
                                                   withDestinationPath: Samples.path("flow_kitti_000010/\(source).png"))
      }
      let set = try KITTI15(root: root, readsOcclusion: true), occlusion = try #require(try set.sample(at: 0).occlusion)
      #expect(occlusion.count == 1242 * 375 && occlusion.count { $0 } == 356_687 - 354_086)
      #expect(try set.sample(at: 0).flow.isValid.count { !$0 } == 354_086)
    }
  }
}

struct HD1KTests {
  static let files = ["000000_0009", "000000_0010", "000000_0011", "000005_0000", "000005_0002"]
    .flatMap { ["hd1k_input/image_2/\($0).png", "hd1k_flow_gt/flow_occ/\($0).png"] }

  @Test func neighboursWithinASequence() throws {
    try withSet(Self.files) { tiny in
      let set = try HD1K(root: tiny.root)
      #expect(names(of: set) == ["000000_0009", "000000_0010"])  // nothing follows 0011, and 0002 does not follow 0000
      #expect(try tiny.triples(set)[0] == ["hd1k_input/image_2/000000_0009.png", "hd1k_input/image_2/000000_0010.png",
                                           "hd1k_flow_gt/flow_occ/000000_0009.png"])
      let root = tiny.root
      try tiny.remove("hd1k_input/image_2/000000_0010.png")
      expectFailure(.badData, "hd1k_input/image_2/000000_0010.png", "HD1K holds") { try HD1K(root: root) }
      try tiny.remove("hd1k_input")
      expectFailure(.missingInput, "no folder hd1k_input/image_2") { try HD1K(root: root) }
    }
    try withSet(["hd1k_input/image_2/000000_0000.png", "hd1k_flow_gt/flow_occ/000000_0000.png"]) { tiny in
      let root = tiny.root
      expectFailure(.missingInput, "none of the 1 flow maps") { try HD1K(root: root) }
    }
  }
}

struct FrameFormTests {
  /// Frames may be grey, 16-bit or have alpha: all become 8-bit RGB.
  @Test func greySixteenBitsAndAlpha() throws {
    try withSet(KITTI15Tests.files) { tiny in
      let first = "\(tiny.root)/training/image_2/000000_10.png", second = "\(tiny.root)/training/image_2/000000_11.png"
      let grey: [UInt8] = (0..<12).map { UInt8(20 * $0) }
      let seeThrough: [UInt8] = (0..<48).map { $0 % 4 == 3 ? 7 : UInt8(5 * $0) }
      try Image(height: 3, width: 4, channels: 1, pixels: grey).write(to: first)
      try Image(height: 3, width: 4, channels: 4, pixels: seeThrough).write(to: second)
      let sample = try KITTI15(root: tiny.root).sample(at: 0)
      let tiled: [UInt8] = grey.flatMap { [$0, $0, $0] }
      #expect(sample.image1.pixels == tiled)
      var opaque: [UInt8] = []
      for (index, value) in seeThrough.enumerated() where index % 4 != 3 { opaque.append(value) }
      #expect(sample.image2.pixels == opaque)
      let fine: [UInt16] = (0..<36).map { UInt16(257 * 7 * $0) }, coarse: [UInt8] = (0..<36).map { UInt8(7 * $0) }
      try Image16(height: 3, width: 4, channels: 3, samples: fine).write(to: first)
      let read = try KITTI15(root: tiny.root).sample(at: 0).image1
      #expect(read.pixels == coarse)
    }
  }
}
