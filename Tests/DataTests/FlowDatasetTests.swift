import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

/// Writes small files by name: `.flo` and `.flow.png` (KITTI) as flow, everything else as pictures.
private func fill(_ folder: String, _ names: [String], height: Int = 4, width: Int = 6) throws {
  for (number, name) in names.enumerated() {
    if name.hasSuffix(".flo") || name.contains("occ_") || name.contains("noc_") {
      let flow = FlowField(height: height, width: width, vectors: Array(repeating: Float(number), count: 2 * height * width))
      try flow.write(to: "\(folder)/\(name)")
    } else {
      try Image.noise(height: height, width: width, seed: UInt64(number)).write(to: "\(folder)/\(name)")
    }
  }
}

private func pairs(of names: [String]) throws -> [String] {
  try withTemporaryFolder { folder in
    try fill(folder, names)
    let pairs = try FlowPairs(root: folder)
    for index in 0..<pairs.count { #expect(try pairs.sample(at: index).flow.height == 4) }
    return (0..<pairs.count).map { pairs.name(of: $0) }
  }
}

struct FlyingChairsTests {
  private func withSet<Result>(_ split: String?, _ names: [String] = ["1", "2", "3"], _ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
      try fill(folder + "/data", names.flatMap { ["0000\($0)_img1.ppm", "0000\($0)_img2.ppm", "0000\($0)_flow.flo"] })
      if let split { try AtomicFile.write(split, to: folder + "/FlyingChairs_train_val.txt") }
      return try body(folder)
    }
  }

  @Test func splitsByTheList() throws {
    try withSet("1\n2\n1\n") { root in
      let train = try FlyingChairs(root: root, split: .train), validation = try FlyingChairs(root: root, split: .validation)
      #expect((0..<train.count).map { train.name(of: $0) } == ["00001", "00003"])
      #expect((0..<validation.count).map { validation.name(of: $0) } == ["00002"])
      let sample = try validation.sample(at: 0)
      #expect(sample.image1 == Image.noise(height: 4, width: 6, seed: 3))
      #expect(sample.image2 == Image.noise(height: 4, width: 6, seed: 4))
      #expect(sample.flow[0, 0] == (5, 5))
    }
  }

  @Test func namesWhatIsWrong() throws {
    expectFailure(.missingInput, "/no/such/folder") { try FlyingChairs(root: "/no/such/folder", split: .train) }
    try withTemporaryFolder { root in expectFailure(.missingInput, root, "data") { try FlyingChairs(root: root, split: .train) } }
    try withSet(nil) { root in
      expectFailure(.missingInput, "FlyingChairs_train_val.txt", "one line per pair") { try FlyingChairs(root: root, split: .train) }
    }
    try withSet("1\n2\n") { root in
      expectFailure(.badData, "2 lines found, expected 3") { try FlyingChairs(root: root, split: .train) }
    }
    try withSet("1\n3\n1\n") { root in
      expectFailure(.badData, "val.txt:2", "'3'", "1 (training)") { try FlyingChairs(root: root, split: .train) }
    }
    try withSet("1\r\n1\r\n1\r\n") { root in
      let train = try FlyingChairs(root: root, split: .train)
      #expect(train.count == 3)
      expectFailure(.badData, "validation", "empty") { try FlyingChairs(root: root, split: .validation) }
    }
    try withSet("1\n1\n1\n") { root in
      try FileManager.default.removeItem(atPath: root + "/data/00002_img2.ppm")
      expectFailure(.badData, "1 files", "00002_img2.ppm") { try FlyingChairs(root: root, split: .train) }
    }
    try withSet("1\n", []) { root in expectFailure(.missingInput, "no pairs") { try FlyingChairs(root: root, split: .train) } }
  }

  @Test func rejectsDifferingSizes() throws {
    try withSet("1\n1\n1\n") { root in
      try Image.noise(height: 4, width: 7).write(to: root + "/data/00001_img2.ppm")
      try FlowField(height: 5, width: 6, vectors: Array(repeating: 0, count: 60)).write(to: root + "/data/00002_flow.flo")
      let chairs = try FlyingChairs(root: root, split: .train)
      expectFailure(.badData, "00001_img2.ppm", "7 x 4", "6 x 4") { try chairs.sample(at: 0) }
      expectFailure(.badData, "00002_flow.flo", "6 x 5", "6 x 4") { try chairs.sample(at: 1) }
      #expect(try chairs.sample(at: 2).flow.width == 6)
    }
  }
}

struct FlowPairsTests {
  @Test(.enabled(if: Samples.areThere), arguments: [
    ("flow_rubberwhale", ["RubberWhale"], 584, 388), ("flow_sintel_alley1", ["frame_0001"], 1024, 436),
    ("flow_chairs", ["0000002-gt", "0000006-gt"], 512, 384), ("flow_kitti_000010", ["kitti_occ_000010_10"], 1242, 375),
    ("flow_tiny", ["0000000-flow_01", "0000000-flow_10", "00001_flow"], 50, 50),
  ])
  func matchesTheSampleFolders(name: String, names: [String], width: Int, height: Int) throws {
    let pairs = try FlowPairs(root: Samples.path(name))
    #expect((0..<pairs.count).map { pairs.name(of: $0) } == names)
    for index in 0..<pairs.count {
      let sample = try pairs.sample(at: index)
      #expect(sample.flow.width == width && sample.flow.height == height && sample.image1 != sample.image2)
    }
  }

  /// A pair in the wrong order would have the brightness change along the flow grow instead of shrink.
  @Test(.enabled(if: Samples.areThere), arguments: [
    ("flow_rubberwhale", 0, 1.281, 5.580), ("flow_sintel_alley1", 0, 2.630, 10.114), ("flow_chairs", 0, 3.843, 9.349),
    ("flow_chairs", 1, 5.827, 10.437), ("flow_kitti_000010", 0, 6.470, 17.626),
  ])
  func framesAreInOrder(name: String, index: Int, warped: Double, still: Double) throws {
    let sample = try FlowPairs(root: Samples.path(name)).sample(at: index)
    // The samples' manifest used 8-bit grey frames; its rounding to whole grey levels changes little.
    #expect(abs(sample.warpingError(times: 1) - warped) < 0.15 * warped)
    #expect(abs(sample.warpingError(times: 0) - still) < 0.15 * still)
  }

  @Test(arguments: [
    (["1_img1.png", "1_img2.png", "1_flow.flo", "2_img1.jpg", "2_img2.jpg", "2_flow.flo"], ["1_flow", "2_flow"]),
    (["a_10.png", "a_11.png", "a_noc_10.png", "a_occ_10.png"], ["a_occ_10"]),
    (["a_10.png", "a_11.png", "a_noc_10.png"], ["a_noc_10"]),
    (["frame10.png", "frame11.png", "flow10.flo"], ["flow10"]),
    (["frame_0009.ppm", "frame_0010.ppm", "frame_0011.ppm", "frame_0009.flo", "frame_0010.flo"], ["frame_0009", "frame_0010"]),
    (["Car1.PNG", "Car2.PNG", "car.flo", "notes.jpg"], ["car"]),
    (["1.png", "2.png", "flow.flo"], ["flow"]),
  ])
  func matches(files: [String], names: [String]) throws { #expect(try pairs(of: files) == names) }

  @Test func explainsWhatDoesNotMatch() throws {
    expectFailure(.badData, "x.flo", "a1.png", "Accepted names") { try pairs(of: ["a1.png", "a2.png", "x.flo"]) }
    expectFailure(.badData, "a.flo", "ambiguous", "a3.png") { try pairs(of: ["a1.png", "a2.png", "a3.png", "a.flo"]) }
    expectFailure(.badData, "ambiguous", "a1.jpg", "a1.png") { try pairs(of: ["a1.png", "a1.jpg", "a2.png", "a.flo"]) }
    expectFailure(.badData, "ambiguous", "a-gt.flo", "a.flo") { try pairs(of: ["a1.png", "a2.png", "a.flo", "a-gt.flo"]) }
    expectFailure(.badData, "no pair", "a1.png") { try pairs(of: ["a1.png", "a.flo"]) }
    expectFailure(.missingInput, "no flow files", "2 images") { try pairs(of: ["a1.png", "a2.png"]) }
    expectFailure(.missingInput) { try FlowPairs(root: "/no/such/folder") }
  }
}

struct FrameSequenceTests {
  @Test func listsFramesInNaturalOrder() throws {
    try withTemporaryFolder { folder in
      try fill(folder, ["f10.png", "f9.ppm", "f009.jpg", "f1.png", ".hidden.png", "occ_1.png", "f.flo"])
      try AtomicFile.write("notes", to: folder + "/notes.txt")
      let frames = try FrameSequence(folder: folder)
      #expect((0..<frames.count).map { frames.name(of: $0) } == ["f1", "f009", "f9", "f10"])
      #expect(try frames.image(at: 3) == Image.noise(height: 4, width: 6, seed: 0))
    }
    try withTemporaryFolder { folder in
      try fill(folder, ["a.png"])
      expectFailure(.missingInput, folder, "1 frames", ".png") { try FrameSequence(folder: folder) }
    }
    expectFailure(.missingInput, "/no/such/folder") { try FrameSequence(folder: "/no/such/folder") }
  }

  @Test func naturalOrderIsAnOrder() {
    let names = ["", "0", "00", "1", "01", "2", "10", "a", "a1", "a1b", "a01b", "a2", "a10", "a10b2", "b", "A", "img-2", "img_2"]
    for a in names {
      #expect(!Folder.precedes(a, a))
      for b in names where a != b {
        #expect(Folder.precedes(a, b) != Folder.precedes(b, a), "\(a) \(b)")
        for c in names where Folder.precedes(a, b) && Folder.precedes(b, c) { #expect(Folder.precedes(a, c), "\(a) \(b) \(c)") }
      }
    }
  }
}
