import Base
import Foundation
import Synchronization
import Testing
import Training

@Suite struct CheckpointTests {
  let files = [CheckpointFile(name: "model.bin", bytes: Array(0..<200)), CheckpointFile(name: "empty", bytes: [])]

  @Test func whatIsSavedComesBack() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    try store.save(step: 12_000, files: files, best: true)
    #expect(try folder.text("last_checkpoint") == "checkpoints/step_00012000\n")
    #expect(try folder.text("best_checkpoint") == "checkpoints/step_00012000\n")
    let checkpoint = try Checkpoint(folder: store.path(step: 12_000))
    #expect(checkpoint.step == 12_000)
    #expect(checkpoint.files == ["model.bin": Array(0..<200), "empty": []])
    #expect(!folder.exists("checkpoints/step_00012000.partial"))
  }

  @Test(arguments: ["flipped", "shorter", "missing", "manifest"])
  func damageIsFoundAndAnOlderOneTaken(damage: String) throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    for step in [10, 20, 30] { try store.save(step: step, files: files) }
    var bytes = Array(UInt8(0)..<200)
    bytes[77] ^= 4
    let file = "\(store.path(step: 30))/model.bin"
    switch damage {
    case "flipped": try Data(bytes).write(to: URL(fileURLWithPath: file))
    case "shorter": try Data(bytes.prefix(50)).write(to: URL(fileURLWithPath: file))
    case "missing": try FileManager.default.removeItem(atPath: file)
    default: try FileManager.default.removeItem(atPath: "\(store.path(step: 30))/MANIFEST.json")
    }
    #expect { try Checkpoint(folder: store.path(step: 30)) } throws: {
      ($0 as? Failure)?.kind == .badData && ($0 as? Failure)?.place == (damage == "manifest" ? store.path(step: 30) : file)
    }
    var warnings: [String] = []
    #expect(try store.newestSound { warnings.append($0) }?.step == 20)
    #expect(warnings.count == 1)
    #expect(warnings[0].contains(store.path(step: 30)))
  }

  @Test func aBrokenPointerIsWorkedAround() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    for step in [10, 20] { try store.save(step: step, files: files) }
    _ = try folder.write("garbage", to: "last_checkpoint")
    var warnings = 0
    #expect(try store.newestSound { _ in warnings += 1 }?.step == 20)
    #expect(warnings == 1)
    _ = try folder.write("checkpoints/step_00000010\n", to: "last_checkpoint")
    #expect(try store.newestSound { _ in }?.step == 10)  // a pointer that is set back is obeyed
  }

  @Test func onlyTheNewestAndTheBestAreKept() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    for step in 1...6 { try store.save(step: step, files: files, best: step == 2) }
    try store.prune(keepLast: 2, current: 6)
    #expect(try store.steps == [2, 5, 6])
    try store.point(.last, at: 5)
    try store.prune(keepLast: 1, current: 5)
    #expect(try store.steps == [2, 5])  // 6 is a future that was given up
  }

  /// A disk that is full from the n-th write on, at every point of a save.
  @Test(arguments: 0..<6) func aFullDiskLeavesTheLastGoodOne(writes: Int) throws {
    let folder = try TemporaryFolder()
    let good = CheckpointStore(runFolder: folder.path)
    try good.save(step: 1, files: files, best: true)
    let count = Atomic<Int>(0)
    let full = CheckpointStore(runFolder: folder.path) { bytes, path in
      guard count.add(1, ordering: .relaxed).oldValue < writes else { throw Failure(.inputOutput, at: path, "disk full") }
      try AtomicFile.write(bytes, to: path)
    }
    // Writes: model.bin, empty, MANIFEST.json, last_checkpoint, best_checkpoint.
    if writes < 5 {
      #expect { try full.save(step: 2, files: files, best: true) } throws: {
        ($0 as? Failure)?.kind == .inputOutput && (writes >= 3 || "\($0)".contains("the checkpoint of step 1 is untouched"))
      }
    } else {
      try full.save(step: 2, files: files, best: true)
    }
    #expect(try good.newestSound { _ in }?.step == (writes < 4 ? 1 : 2))
    #expect(try good.step(of: .best) == (writes < 5 ? 1 : 2))
    #expect(!folder.exists("checkpoints/step_00000002.partial"))
    #expect((try? Checkpoint(folder: good.path(step: 1))) != nil)
  }

  @Test func aFolderOfAGivenUpFutureIsReplaced() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    try store.save(step: 5, files: [CheckpointFile(name: "old", bytes: [1])])
    try store.save(step: 5, files: files)
    #expect(try Checkpoint(folder: store.path(step: 5)).files.keys.sorted() == ["empty", "model.bin"])
    #expect(!folder.exists("checkpoints/step_00000005.replaced"))
  }

  @Test func leftoversOfKilledRunsGo() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    try store.save(step: 5, files: files)
    _ = try folder.write("x", to: "checkpoints/step_00000006.partial/model.bin")
    try FileManager.default.moveItem(atPath: store.path(step: 5), toPath: store.path(step: 5) + ".replaced")
    #expect(try store.newestSound { _ in } == nil)
    try store.removePartial()
    #expect(!folder.exists("checkpoints/step_00000006.partial"))
    #expect(try store.newestSound { _ in }?.step == 5)  // the only copy was put back
  }
}
