import Base
import Foundation
import Tasks
import Tensors
import Testing
import WeightFiles

/// What a prediction remembers of its results, without any network.
@Suite struct OutputRecordTests {
  struct Item: OutputItem {
    let result: String
    let inputs: [String]
  }

  private func withFolder(_ body: (String, [Item]) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try File.createFolder(folder)
    let items = try (0..<4).map { index in
      try AtomicFile.write("input \(index)", to: "\(folder)/\(index).txt")
      return Item(result: "r\(index)", inputs: ["\(folder)/\(index).txt"])
    }
    try body(folder, items)
  }

  private func carry(_ value: Double) -> Safetensors { Safetensors([.init("state", Tensor([value], shape: [1]))]) }

  @Test func itGoesOnWhereItWas() throws {
    try withFolder { folder, items in
      var record = try OutputRecord(folder: folder, settings: [1, 2], items: items)
      #expect(record.doneCount == 0 && record.carry == nil)
      try record.append(carry: carry(5))
      try record.append(carry: carry(7))
      var again = try OutputRecord(folder: folder, settings: [1, 2], items: items)
      #expect(again.doneCount == 2 && again.carry?["state"]?.tensor?.doubles == [7])
      try again.append(carry: nil)
      let third = try OutputRecord(folder: folder, settings: [1, 2], items: items)
      #expect(third.doneCount == 3 && third.carry == nil)
    }
  }

  @Test func whatDependsOnSomethingElseIsForgotten() throws {
    try withFolder { folder, items in
      var record = try OutputRecord(folder: folder, settings: [1, 2], items: items)
      for value in [1.0, 2] { try record.append(carry: carry(value)) }
      #expect(try OutputRecord(folder: folder, settings: [1, 3], items: items).doneCount == 0)
      #expect(try OutputRecord(folder: folder, settings: [1, 2], items: Array(items.dropFirst())).doneCount == 0)
      #expect(try OutputRecord(folder: folder, settings: [1, 2], items: Array(items.prefix(1))).doneCount == 0, "more than there are items")
      #expect(try OutputRecord(folder: folder, settings: [1, 2], items: items + [Item(result: "r4", inputs: [])]).doneCount == 2)
      try AtomicFile.write("another input", to: "\(folder)/1.txt")
      #expect(try OutputRecord(folder: folder, settings: [1, 2], items: items).doneCount == 0)
    }
  }

  @Test(arguments: ["", "no record", "{\"__metadata__\":{\"done\":\"-3\"}}"]) func aDamagedRecordCountsAsNone(text: String) throws {
    try withFolder { folder, items in
      var record = try OutputRecord(folder: folder, settings: [], items: items)
      try record.append(carry: carry(1))
      try AtomicFile.write(text, to: "\(folder)/.apus-predict.safetensors")
      #expect(try OutputRecord(folder: folder, settings: [], items: items).doneCount == 0)
    }
  }

  @Test func aFolderIsLockedWhileItIsInUse() throws {
    try withFolder { folder, _ in
      let first = try OutputFolder(folder)
      let failure = #expect(throws: Failure.self) { _ = try OutputFolder("\(folder)/.") }
      #expect(failure?.kind == .cannotCreate && first.path == folder)
      withExtendedLifetime(first) {}
    }
    try withFolder { folder, _ in
      _ = try OutputFolder(folder)
      _ = try OutputFolder(folder)
    }
  }
}
