import Base
import Data
import Foundation
import Synchronization
import Synthesis
import Testing
import Vision

@Suite struct FlyingChairsWriterTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-synth-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func contents(_ root: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: root) {
      if let data = FileManager.default.contents(atPath: root + "/" + name), name.contains(".") { files[name] = data }
    }
    return files
  }

  @Test func whatIsWrittenIsReadBack() throws {
    try withFolder { root in
      let settings = FlowSynthesisTests.small
      let seen = Mutex<[Int]>([])
      try settings.writeFlyingChairs(count: 5, seed: 4, validationShare: 0.4, to: root) { done in seen.withLock { $0.append(done) } }
      #expect(seen.withLock { $0 } == [1, 2, 3, 4, 5])
      let list = try String(contentsOfFile: root + "/FlyingChairs_train_val.txt", encoding: .utf8)
      #expect(list == "1\n1\n2\n1\n2\n", "two of five, evenly")
      let train = try FlyingChairs(root: root, split: .train), validation = try FlyingChairs(root: root, split: .validation)
      #expect(train.count == 3 && validation.count == 2)
      let expected = settings.sample(index: 2, seed: 4), found = try validation.sample(at: 0)
      #expect(validation.name(of: 0) == "00003")
      #expect(found.image1 == expected.image1 && found.image2 == expected.image2 && found.flow == expected.flow)
      let direct = SyntheticFlow(settings, count: 3, seed: 4, first: 2)
      #expect(try direct.sample(at: 0) == found)
    }
  }

  @Test func repeatingGivesTheSameBytesOnAnyNumberOfThreads() throws {
    try withFolder { root in
      let settings = FlowSynthesisTests.small
      try settings.writeFlyingChairs(count: 4, seed: 8, to: root, threads: 1)
      let first = try contents(root)
      #expect(first.count == 4 * 3 + 1)
      try FileManager.default.removeItem(atPath: root + "/data/00002_img2.ppm")
      try Data("broken".utf8).write(to: URL(fileURLWithPath: root + "/data/00003_flow.flo"))
      try settings.writeFlyingChairs(count: 4, seed: 8, to: root, threads: 3)
      #expect(try contents(root) == first)
    }
  }

  @Test func foreignPairsAndWrongSettingsAreRefused() throws {
    try withFolder { root in
      let settings = FlowSynthesisTests.small
      try settings.writeFlyingChairs(count: 2, seed: 1, to: root)
      let failure = #expect(throws: Failure.self) { try settings.writeFlyingChairs(count: 1, seed: 1, to: root) }
      #expect(failure?.kind == .cannotCreate && failure?.problem.contains("00002") == true)
      #expect(throws: Failure.self) { try settings.writeFlyingChairs(count: 0, seed: 1, to: root) }
      #expect(throws: Failure.self) { try settings.writeFlyingChairs(count: 2, seed: 1, validationShare: 2, to: root) }
    }
  }
}
