import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

/// Folders as they lie about: what is no frame does not count, and no frame is left out silently.
@Suite struct FrameFolderTests {
  private func fill(_ folder: String, _ names: [String]) throws {
    for name in names { try Image.noise(height: 3, width: 4).write(to: "\(folder)/\(name)") }
  }

  /// A picture of 16 bits a sample with many values of blue.
  private var fine: Image16 { Image16(height: 3, width: 4, channels: 3, samples: (0..<36).map { UInt16(257 * 7 * $0) }) }

  private var map: [UInt8] { KITTIFlow.encode(FlowField(height: 3, width: 4, vectors: Array(repeating: 1.5, count: 24))) }

  @Test(.timeLimit(.minutes(1))) func foldersAndPipesAreNoFrames() throws {
    try withTemporaryFolder { folder in
      try fill(folder, ["f1.png", "f2.png"])
      try File.createFolder("\(folder)/f3.png")
      #expect(mkfifo("\(folder)/f4.png", 0o600) == 0)
      #expect(symlink("f1.png", "\(folder)/f5.png") == 0)
      try AtomicFile.write("junk", to: "\(folder)/._f1.png")
      #expect(try FrameSequence(folder: folder).files.map(Path.name) == ["f1.png", "f2.png", "f5.png"])
    }
  }

  @Test func aFineFrameAmidOthersStays() throws {
    try withTemporaryFolder { folder in
      try fill(folder, ["f1.png", "f2.png", "f4.png"])
      try fine.write(to: "\(folder)/f3.png")
      try AtomicFile.write(map, to: "\(folder)/map.png")
      let frames = try FrameSequence(folder: folder)
      #expect(frames.files.map(Path.name) == ["f1.png", "f2.png", "f3.png", "f4.png"])
      #expect(try frames.image(at: 2).pixels == (0..<36).map { UInt8(7 * $0) })
    }
  }

  @Test func aFolderWithoutFramesSaysWhatLiesThere() throws {
    try withTemporaryFolder { folder in
      let empty = #expect(throws: Failure.self) { try FrameSequence(folder: folder) }
      #expect(empty?.description.contains("0 frames found among 0 files") == true && empty?.description.contains("16-bit") == false)
      let bitmap = Array("BM".utf8) + [0x36, 0, 0, 0, 0, 0, 0, 0, 0x36] + [UInt8](repeating: 0, count: 40)
      for name in ["a.bmp", "b.bmp"] { try AtomicFile.write(bitmap, to: "\(folder)/\(name)") }
      expectFailure(.missingInput, "0 frames found among 2 files", ".png, .jpg", "a.bmp is a BMP picture", "magick") { try FrameSequence(folder: folder) }
      for name in ["m1.png", "m2.png"] { try AtomicFile.write(map, to: "\(folder)/\(name)") }
      expectFailure(.missingInput, "0 frames found besides 2 flow maps of KITTI") { try FrameSequence(folder: folder) }
    }
  }

  @Test func pairsPassOverWhatIsNoFile() throws {
    try withTemporaryFolder { folder in
      try fill(folder, ["a_img1.png", "a_img2.png"])
      try FlowField(height: 3, width: 4, vectors: Array(repeating: 0, count: 24)).write(to: "\(folder)/a_flow.flo")
      try File.createFolder("\(folder)/b_flow.flo")
      #expect(mkfifo("\(folder)/c_flow.png", 0o600) == 0)
      let pairs = try FlowPairs(root: folder)
      #expect(pairs.count == 1 && pairs.name(of: 0) == "a_flow")
    }
  }

  @Test func fineFramesAndFlowMapsInOneFolder() throws {
    try withTemporaryFolder { folder in
      for name in ["a_img1.png", "a_img2.png"] { try fine.write(to: "\(folder)/\(name)") }
      try AtomicFile.write(map, to: "\(folder)/a_flow.png")
      let sample = try FlowPairs(root: folder).sample(at: 0)
      #expect(sample.image1.pixels == (0..<36).map { UInt8(7 * $0) } && sample.flow[0, 0].u == 1.5)
    }
  }

  @Test func aSplitListWithAByteOrderMark() throws {
    try withTemporaryFolder { folder in
      try File.createFolder("\(folder)/data")
      for id in ["00001", "00002"] {
        for frame in ["img1", "img2"] { try Image.noise(height: 3, width: 4).write(to: "\(folder)/data/\(id)_\(frame).ppm") }
        try FlowField(height: 3, width: 4, vectors: Array(repeating: 0, count: 24)).write(to: "\(folder)/data/\(id)_flow.flo")
      }
      try AtomicFile.write([0xEF, 0xBB, 0xBF] + Array("1\r\n2\r\n".utf8), to: "\(folder)/FlyingChairs_train_val.txt")
      #expect(try FlyingChairs(root: folder, split: .train).name(of: 0) == "00001")
      try AtomicFile.write(Array("1\n".utf8) + [0x1B] + Array("[2J\n".utf8), to: "\(folder)/FlyingChairs_train_val.txt")
      expectFailure(.badData, "FlyingChairs_train_val.txt:2", "found '\\u{1B}[2J'") { try FlyingChairs(root: folder, split: .train) }
      try AtomicFile.write(Array("1\n2 \u{20}".utf8) + [0xE9], to: "\(folder)/FlyingChairs_train_val.txt")
      expectFailure(.badData, "FlyingChairs_train_val.txt:2:4", "is not UTF-8") { try FlyingChairs(root: folder, split: .train) }
    }
  }
}
