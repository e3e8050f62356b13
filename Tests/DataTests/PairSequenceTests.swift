import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

@Suite struct PairSequenceTests {
  private func fill(_ folder: String, _ names: [String]) throws {
    for name in names {
      let path = "\(folder)/\(name)"
      try File.createFolder((path as NSString).deletingLastPathComponent)
      try Image(height: 2, width: 2, channels: 3).write(to: path)
    }
  }

  private func results(_ sequences: [PairSequence]) -> [[String]] { sequences.map { $0.pairs.map(\.result) } }

  @Test func framesOfAFolderInNaturalOrder() throws {
    try withTemporaryFolder { folder in
      try fill(folder, ["f10.png", "f9.ppm", "f11.jpg"])
      let sequences = try PairSequence.named([folder])
      #expect(results(sequences) == [["f9", "f10"]])
      #expect(sequences[0].pairs[1].image1 == "\(folder)/f10.png" && sequences[0].pairs[1].image2 == "\(folder)/f11.jpg")
    }
  }

  @Test func picturesInTheOrderGiven() throws {
    try withTemporaryFolder { folder in
      try fill(folder, ["b.png", "a.png", "sub/b.png"])
      #expect(results(try PairSequence.named(["\(folder)/b.png", "\(folder)/a.png"])) == [["b"]])
      expectFailure(.usage, "a.png", "one picture has no flow") { try PairSequence.named(["\(folder)/a.png"]) }
      expectFailure(.missingInput, "nix.png", "no such file") { try PairSequence.named(["\(folder)/a.png", "\(folder)/nix.png"]) }
      expectFailure(.usage, "this is a folder") { try PairSequence.named([folder, "\(folder)/a.png"]) }
      expectFailure(.badData, "several frames are named 'b'") {
        try PairSequence.named(["\(folder)/b.png", "\(folder)/sub/b.png", "\(folder)/a.png"])
      }
    }
  }

  @Test func scenesOfSintel() throws {
    try withTemporaryFolder { folder in
      for pass in ["clean", "final"] {
        try fill("\(folder)/test/\(pass)", (1...3).map { "cave_3/frame_000\($0).png" } + (1...2).map { "ambush_1/frame_000\($0).png" })
      }
      let expected = ["clean", "final"].flatMap { [["\($0)/ambush_1/frame0001"], ["\($0)/cave_3/frame0001", "\($0)/cave_3/frame0002"]] }
      let sequences = try MPISintel.testSequences(in: folder)
      #expect(results(sequences) == expected)
      #expect(sequences[1].pairs[1].image2 == "\(folder)/test/clean/cave_3/frame_0003.png")
      #expect(results(try MPISintel.testSequences(in: "\(folder)/test")) == expected)
      expectFailure(.missingInput, "no folder clean or final") { try MPISintel.testSequences(in: "\(folder)/test/clean") }
      try FileManager.default.removeItem(atPath: "\(folder)/test/final/cave_3/frame_0002.png")
      expectFailure(.badData, "final/cave_3", "frame_0003.png follows frame_0001.png") { try MPISintel.testSequences(in: folder) }
      try FileManager.default.removeItem(atPath: "\(folder)/test/clean/cave_3/frame_0001.png")
      expectFailure(.badData, "clean/cave_3", "frame_0002.png comes first, expected frame_0001.png") { try MPISintel.testSequences(in: folder) }
      try FileManager.default.removeItem(atPath: "\(folder)/test/clean/ambush_1/frame_0002.png")
      expectFailure(.missingInput, "clean/ambush_1", "1 frames found, expected at least two") { try MPISintel.testSequences(in: folder) }
      for pass in ["clean", "final"] {
        try FileManager.default.removeItem(atPath: "\(folder)/test/\(pass)")
        try fill("\(folder)/test/\(pass)", ["notes.png"])
      }
      expectFailure(.missingInput, "test", "no scenes found in clean and final") { try MPISintel.testSequences(in: folder) }
    }
  }

  @Test func pairsOfKITTI() throws {
    try withTemporaryFolder { folder in
      try fill("\(folder)/testing/image_2", ["000000_10.png", "000000_11.png", "000007_10.png", "000007_11.png"])
      let sequences = try KITTI15.testSequences(in: folder)
      #expect(results(sequences) == [["flow/000000_10"], ["flow/000007_10"]])
      #expect(sequences[1].pairs[0].image2 == "\(folder)/testing/image_2/000007_11.png")
      #expect(try KITTI15.testSequences(in: "\(folder)/testing") == sequences)
      expectFailure(.missingInput, "there is no folder image_2") { try KITTI15.testSequences(in: "\(folder)/testing/image_2") }
      try FileManager.default.removeItem(atPath: "\(folder)/testing/image_2/000007_11.png")
      expectFailure(.badData, "1 files of second frames", "testing/image_2/000007_11.png") { try KITTI15.testSequences(in: folder) }
    }
  }
}
