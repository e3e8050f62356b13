import Base
import Foundation
import Synchronization
import Testing
import TestSupport
import Training

/// Which weights are taken of what a user points at.
@Suite struct WeightFileTests {
  private final class Flag: Sendable { let value = Atomic<Bool>(false) }

  private func files(_ value: UInt8) -> [CheckpointFile] {
    [CheckpointFile(name: "model.safetensors", bytes: [value]), CheckpointFile(name: "ema.safetensors", bytes: [value, value])]
  }

  private func store(_ folder: TemporaryFolder) throws -> CheckpointStore {
    let store = CheckpointStore(runFolder: "\(folder.path)/run")
    for step in 1...3 { try store.save(step: step, files: files(UInt8(step)), best: step == 2) }
    return store
  }

  @Test func theBestOfARunAndItsStep() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    var notes: [String] = []
    let best = try WeightFile.open(store.runFolder) { notes.append($0) }
    #expect(best.step == 2 && best.bytes == [2] && best.path == "\(store.path(step: 2))/model.safetensors")
    #expect(notes == ["weights: the best checkpoint of \(store.runFolder), step 2"])
    #expect(try WeightFile.open(store.runFolder, part: "ema").bytes == [2, 2])
    #expect(try WeightFile.open(store.path(step: 3)).bytes == [3])
    #expect(try WeightFile.open("\(store.path(step: 1))/ema.safetensors").bytes == [1, 1])
    let plain = try WeightFile.open(folder.write("w", to: "w.safetensors"))
    #expect(plain.step == nil && plain.bytes == nil)
    expectFailure(.missingInput, "no such") { try WeightFile.open("\(folder.path)/none") }
    expectFailure(.missingInput, "no checkpoint") { try WeightFile.open(folder.path) }
  }

  @Test func aDamagedOneIsPassedOverAsInResuming() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    try AtomicFile.write([9], to: "\(store.path(step: 2))/model.safetensors")
    var notes: [String] = []
    #expect(try WeightFile.open(store.runFolder) { notes.append($0) }.step == 3)
    #expect(notes.count == 2 && notes[0].hasPrefix("warning: ") && notes[1].contains("newest sound checkpoint") && notes[1].contains("step 3"))
    try AtomicFile.write([9], to: "\(store.path(step: 3))/model.safetensors")
    #expect(try WeightFile.open(store.runFolder).step == 1)
    try AtomicFile.write([9], to: "\(store.path(step: 1))/model.safetensors")
    expectFailure(.badData, "step_00000002/model.safetensors") { try WeightFile.open(store.runFolder) }
    expectFailure(.badData, "step_00000001") { try WeightFile.open(store.path(step: 1)) }
  }

  @Test func aPointerToNothingIsPassedOver() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    try store.point(.best, at: 77)
    #expect(try WeightFile.open(store.runFolder).step == 3)
  }

  /// A run that still trains deletes what was chosen.
  @Test func pruningMeanwhileDoesNotHurt() async throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    let isDone = Flag()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for step in 4...150 {
          try store.save(step: step, files: [CheckpointFile(name: "model.safetensors", bytes: Array(repeating: UInt8(step), count: 1000))], best: true)
          try store.prune(keepLast: 1, current: step)
        }
        isDone.value.store(true, ordering: .relaxed)
      }
      group.addTask {
        while !isDone.value.load(ordering: .relaxed) {
          let file = try WeightFile.open(store.runFolder)
          #expect(file.bytes?.first.map(Int.init) == file.step)
        }
      }
      try await group.waitForAll()
    }
  }
}
