import Base
import Foundation
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// Hundreds of damaged copies of small weight files in every form: each is read or refused with a `Failure`, quickly.
@Suite struct DamagedWeightTests {
  private static let state = StateDictionary([
    .init("layer.weight", Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])), .init("layer.bias", Tensor([1, 2], shape: [2])),
    .init("steps", integers: [7], shape: []),
  ])

  enum Form: CaseIterable { case safetensors, zip, golden, legacy }

  private static func bytes(_ form: Form) throws -> [UInt8] {
    switch form {
    case .safetensors: state.safetensors(metadata: ["a": "b"]).bytes
    case .zip: try state.pyTorchBytes()
    case .golden: try File.bytes(at: Fixture.path("golden.pth"))
    case .legacy: try File.bytes(at: Fixture.path("checkpoint_legacy.pth"))
    }
  }

  @Test(arguments: Form.allCases) func endsWithAResultOrAFailure(form: Form) throws {
    let sound = try Self.bytes(form), start = ContinuousClock.now
    var refused = 0
    for index in 0..<600 {
      let damaged = Mutation.copy(index, of: sound, head: form == .safetensors ? 160 : 2000)
      do {
        if form == .safetensors {
          let state = StateDictionary(try Safetensors(bytes: damaged, name: "x.safetensors"))
          _ = try state.pyTorchBytes()  // what was read can be written
          _ = state.safetensors().bytes
        } else {
          for dictionary in try PyTorchFile(bytes: damaged, name: "x.pth").dictionaries() {
            _ = try PyTorchFile(bytes: damaged, name: "x.pth").stateDictionary(key: dictionary.path).pyTorchBytes()
          }
        }
      } catch let failure as Failure {
        refused += 1
        #expect(failure.description.utf8.count < 10_000, "\(failure)")
        #expect(failure.description.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 }, "\(failure)")
      }
    }
    #expect(refused > 100, "only \(refused) copies were found damaged")
    #expect(ContinuousClock.now - start < .seconds(120))
  }

  private func file(_ header: String, _ dataCount: Int = 0) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + header.utf8 + [UInt8](repeating: 0, count: dataCount)
  }

  /// Lengths beside a 0 make no element, but strides multiply them.
  @Test func emptyArraysOfUncountableShape() throws {
    for shape in ["[0,4611686018427387904,4611686018427387904]", "[4611686018427387904,4611686018427387904,0]"] {
      expectFailure(.badData, "more bytes than can be counted") {
        try Safetensors(bytes: file(#"{"a":{"dtype":"F32","shape":\#(shape),"data_offsets":[0,0]}}"#), name: "x.safetensors")
      }
    }
    let empty = try Safetensors(bytes: file(#"{"a":{"dtype":"F32","shape":[1000000,0,1000000],"data_offsets":[0,0]}}"#), name: "x.safetensors")
    let written = try StateDictionary(empty).pyTorchBytes()
    #expect(try PyTorchFile(bytes: written, name: "x.pth").stateDictionary()["a"]?.shape == [1_000_000, 0, 1_000_000])
  }

  @Test func tooManyAxesAndNumbers() {
    let ones = Array(repeating: "1", count: 17).joined(separator: ",")
    expectFailure(.badData, "17 axes, expected at most 16") {
      try Safetensors(bytes: file(#"{"a":{"dtype":"U8","shape":[\#(ones)],"data_offsets":[0,1]}}"#, 1), name: "x.safetensors")
    }
    let many = Array(repeating: "1", count: 200_000).joined(separator: ",")
    expectFailure(.badData, "more than 100 numbers") {
      try Safetensors(bytes: file(#"{"a":{"dtype":"U8","shape":[\#(many)],"data_offsets":[0,1]}}"#, 1), name: "x.safetensors")
    }
  }

  @Test func escapesInNamesAreShownAsSuch() {
    let name = #"\u001b]0;x\u0007\n"# + String(repeating: "y", count: 50_000)
    let failure = #expect(throws: Failure.self) {
      try Safetensors(bytes: file(#"{"\#(name)":{"dtype":"F99","shape":[],"data_offsets":[0,0]}}"#), name: "x.safetensors")
    }
    #expect(failure?.description.contains(#"entry '\u{1B}]0;x\u{7}\nyyy"#) == true && failure?.description.utf8.count ?? 9999 < 1500)
  }

  struct Foreign: Sendable {
    let name: String
    let bytes: [UInt8]
    let words: [String]
  }

  static let foreign = [
    Foreign(name: "w.safetensors", bytes: Array("version https://git-lfs.github.com/spec/v1\n".utf8), words: ["no safetensors file but a Git LFS pointer", "git lfs pull"]),
    Foreign(name: "w.pth", bytes: Array("version https://git-lfs.github.com/spec/v1\n".utf8), words: ["no file of torch.save but a Git LFS pointer", "git lfs pull"]),
    Foreign(name: "w.pth", bytes: Array("<!DOCTYPE html>\n<html>".utf8), words: ["no file of torch.save but a web page"]),
    Foreign(name: "w.pth", bytes: [], words: ["no file of torch.save but an empty file"]),
    Foreign(name: "w.pt", bytes: Array("garbage, garbage".utf8), words: ["no file of torch.save, or its beginning is cut off"]),
    Foreign(name: "w", bytes: Array("garbage, garbage".utf8), words: ["no safetensors file"]),
    Foreign(name: "w.h5", bytes: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0], words: ["no safetensors file but an HDF5 file", "torch.save"]),
    Foreign(name: "w.safetensors", bytes: [0x80, 4, 0x95, 1, 0, 0, 0, 0, 0], words: ["pickle, byte 2: 8 bytes are needed", "are left"]),
    Foreign(name: "models.zip", bytes: ZipBytes.archive("models/raft-things.pth", method: 8), words: ["a zip archive with 'models/raft-things.pth' in it", "unzip"]),
    Foreign(name: "models.zip", bytes: ZipBytes.archive("models/raft-things.pth", method: 0), words: ["it holds 'models/raft-things.pth'", "unzip"]),
  ]

  /// A `.pth` is not called a safetensors file, and what is neither is named.
  @Test(arguments: foreign.indices) func filesOfOtherKinds(index: Int) throws {
    let foreign = Self.foreign[index], folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)").path
    try File.createFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write(foreign.bytes, to: "\(folder)/\(foreign.name)")
    let failure = #expect(throws: Failure.self) { try StateDictionary(at: "\(folder)/\(foreign.name)") }
    #expect(failure?.kind == .badData)
    for word in foreign.words { #expect(failure?.description.contains(word) == true, "'\(word)' in: \(failure?.description ?? "")") }
  }
}

extension ZipBytes {
  /// An archive with one member.
  fileprivate static func archive(_ name: String, method: UInt16) -> [UInt8] {
    var zip = ZipBytes(pickle: [])
    zip.members = [Member(name: name, content: [1, 2, 3], method: method)]
    return zip.bytes
  }
}
