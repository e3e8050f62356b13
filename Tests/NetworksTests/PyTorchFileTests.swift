import Base
import Foundation
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

@Suite("PyTorch's files") struct PyTorchFileTests {
  private static let forms = ["checkpoint_zip.pth", "checkpoint_legacy.pth"]

  @Test("both forms give the values that PyTorch saved", arguments: forms) func values(_ name: String) throws {
    let state = try PyTorchFile(at: Fixture.path(name)).stateDictionary(key: "state_dict")
    let reals: [String: ([Int], [Double])] = [
      "float32": ([2, 3], [0.25, -0.5, 3, Double(Float(1e-30)), 65504, -1]), "float64": ([3], [1.5, -2, 0.099609375]),
      "float16": ([3], [1.5, -2, 0.099609375]), "bfloat16": ([3], [1.5, -2, 0.099609375]), "int32": ([2], [-65537, 7]),
      "int16": ([2], [-257, 300]), "int8": ([2], [-128, 127]), "uint8": ([2], [0, 200]), "bool": ([3], [1, 0, 1]), "empty": ([0, 3], []),
      "transposed": ([3, 2], [0, 3, 1, 4, 2, 5]), "sliced": ([2, 2], [6, 8, 11, 13]), "channels_last": ([1, 2, 2, 3], Array(0..<12).map(Double.init)),
      "expanded": ([2, 2], [2.5, 2.5, 2.5, 2.5]), "shared.a": ([6], [0, 1, 2, 3, 4, 5]), "shared.tail": ([2], [4, 5]), "parameter": ([2], [0.5, 1.5]),
    ]
    for (name, (shape, values)) in reals {
      #expect(state[name]?.shape == shape && state[name]?.tensor?.doubles == values, "\(name): \(String(describing: state[name]))")
    }
    #expect(state["int64"]?.integers == [1 << 62 + 1, -3] && state["scalar"]?.integers == [7] && state["scalar"]?.shape == [])
    for type in ElementType.allCases { #expect(state["\(type)"]?.sourceType == type) }
    #expect(state["float64"]?.tensor?.precision == .float64)
    #expect(state.aliases == ["shared.b": "shared.a"])
    #expect(state.entries.count == 19 && state.entries.first?.name == "float32")
  }

  @Test("what is in a checkpoint is listed, and must be chosen if there is a choice", arguments: forms) func dictionaries(_ name: String) throws {
    let file = try PyTorchFile(at: Fixture.path(name))
    let dictionaries = try file.dictionaries()
    #expect(dictionaries.map(\.path) == ["state_dict"])  // not the optimiser's
    #expect(dictionaries[0].names.count == 20 && dictionaries[0].others.isEmpty)
    #expect(try file.stateDictionary().entries.count == 19)
    let error = #expect(throws: Failure.self) { try file.stateDictionary(key: "model") }
    #expect(error?.kind == .usage && error?.problem.contains("state_dict: 20 tensors") == true)
  }

  @Test("several dictionaries, nested, mixed and none") func choice() throws {
    typealias P = PickleBytes.Part
    func entry(_ key: String, _ value: P) -> P { .many([.text(key), value, "s"]) }
    let weights = P.many(["}", entry("w", .tensor())]), mixed = P.many(["}", entry("w", .tensor()), entry("epoch", .int(3))])
    let two = try PyTorchFile.zip("}", entry("a", weights), entry("b", .many(["}", entry("c", weights)])), ".")
    let error = #expect(throws: Failure.self) { try two.stateDictionary() }
    #expect(error?.kind == .badData && error?.remedy.contains("--key") == true)
    #expect(error?.problem.contains("\n  a: 1 tensors\n  b.c: 1 tensors") == true)
    #expect(try two.stateDictionary(key: "b.c")["w"]?.tensor?.doubles == [1, 2, 3, 4])

    let inside = try PyTorchFile.zip("}", entry("net", weights), entry("info", mixed), ".")
    #expect(try inside.stateDictionary()["w"] != nil)
    var warnings: [String] = []
    #expect(try inside.stateDictionary(key: "info") { warnings.append($0) }.entries.count == 1)
    #expect(warnings.count == 1 && warnings[0].contains("epoch"))
    #expect(throws: Failure.self) { try PyTorchFile.zip(mixed, ".").stateDictionary() }

    let none = #expect(throws: Failure.self) { try PyTorchFile.zip("]", .tensor(), "a", ".").stateDictionary() }
    #expect(none?.problem.contains("no dictionary of tensors") == true)
    let named = try PyTorchFile.zip("}", .int(5), weights, "s", ".")
    #expect(try named.dictionaries().map(\.path) == ["5"])
  }

  @Test("an OrderedDict as Python 2 wrote it") func python2() throws {
    let file = try PyTorchFile.zip(.global("collections", "OrderedDict"), "(]](", .raw(0x55, 1, 0x77), .tensor(), "eat", "R", ".")
    #expect(try file.stateDictionary()["w"]?.tensor?.doubles == [1, 2, 3, 4])
  }

  @Test("archives with wide sizes, checksums, comments") func archives() throws {
    let pickle = PickleBytes("}", .text("w"), .tensor(), "s", ".").bytes
    var zip = ZipBytes(pickle: pickle)
    for index in zip.members.indices { zip.members[index].isWide = true }
    zip.comment = Array("a comment".utf8)
    #expect(try PyTorchFile(bytes: zip.bytes, name: "wide").stateDictionary()["w"]?.tensor?.doubles == [1, 2, 3, 4])
    // CRC-32 of "123456789" is CBF43926, the check value of every catalogue.
    zip.members[2].content = Array("123456789".utf8) + [0, 0, 0]
    zip.members[2].checksum = 1
    let error = #expect(throws: Failure.self) { try PyTorchFile(bytes: zip.bytes, name: "wide") }
    #expect(error?.problem.contains("'a/data/0' is damaged") == true)
    var checksum = CyclicChecksum(.ieee)
    Array("123456789".utf8).withUnsafeBytes { checksum.update($0) }
    #expect(checksum.value == 0xCBF4_3926)
  }

  // MARK: Writing

  /// PyTorch's own file and ours differ in the identity that ends them alone.
  @Test("what we write equals torch.save's bytes") func golden() throws {
    let theirs = try File.bytes(at: Fixture.path("golden.pth"))
    let ours = try PyTorchFile(bytes: theirs, name: "golden").stateDictionary().pyTorchBytes(stem: "golden")
    #expect(ours.count == theirs.count)
    let different = zip(ours, theirs).enumerated().filter { $0.element.0 != $0.element.1 }.map(\.offset)
    let identity = try #require(Self.places(of: "golden/.data/serialization_id", in: theirs).first)
    let directory = try #require(Self.places(of: "golden/.data/serialization_id", in: theirs).last)
    // Its 40 digits, the checksum behind them, and that in the table of contents.
    let text = identity..<identity + 29 + 128
    let unexpected = different.filter { !text.contains($0) && !(directory - 30..<directory - 26).contains($0) }
    #expect(unexpected.isEmpty, "\(unexpected.prefix(10))")
  }

  private static func places(of text: String, in bytes: [UInt8]) -> [Int] {
    let pattern = Array(text.utf8)
    return (0...bytes.count - pattern.count).filter { bytes[$0] == pattern[0] && bytes[$0..<$0 + pattern.count].elementsEqual(pattern) }
  }

  @Test("a round trip keeps names, shapes and bits") func roundTrip() throws {
    var random = Random(seed: 4, stream: .test)
    let entries: [Safetensors.Entry] = [
      .init("a.weight", .uniform([2, 3, 1, 5], from: -1, to: 1, &random)),
      .init("grüße", .uniform([7], from: -1, to: 1, &random, precision: .float64)),
      .init("count", integers: [-1], shape: []), .init("empty", .zeros([4, 0, 2])), .init("big", .zeros([300, 300])),
      .init("five", .uniform([1, 2, 3, 4, 5], from: 0, to: 1, &random)),
    ]
    let state = StateDictionary(entries, aliases: ["b.weight": "a.weight", "c.weight": "a.weight"])
    let copy = try PyTorchFile(bytes: state.pyTorchBytes(), name: "copy").stateDictionary()
    #expect(copy.entries.map(\.name) == entries.map(\.name) && copy.aliases == state.aliases)
    for (a, b) in zip(copy.entries, entries) { #expect(a.isIdentical(to: b) && a.shape == b.shape, "\(a.name)") }
    #expect(try state.pyTorchBytes() == state.pyTorchBytes())
    #expect(try StateDictionary([]).pyTorchBytes().count > 0)
  }

  @Test("more arrays than one batch of the pickler") func many() throws {
    for count in [1, 1000, 1001, 2300] {
      let state = StateDictionary((0..<count).map { .init("p\($0)", Tensor(Double($0))) })
      let copy = try PyTorchFile(bytes: state.pyTorchBytes(), name: "many").stateDictionary()
      #expect(copy.entries.map(\.name) == state.entries.map(\.name) && copy.entries.last?.tensor?.item == Double(count - 1))
    }
  }

  @Test("the name tells the format to write, the content the one to read") func files() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let state = StateDictionary([.init("w", Tensor([1, 2], shape: [2]))], aliases: ["v": "w"])
    for name in ["a.pth", "b.safetensors", "c.pt", "d.PTH"] {
      try state.write(to: "\(folder)/\(name)")
      try FileManager.default.moveItem(atPath: "\(folder)/\(name)", toPath: "\(folder)/moved")
      let copy = try StateDictionary(at: "\(folder)/moved")
      #expect(copy["w"]?.tensor?.doubles == [1, 2] && copy["v"]?.tensor?.doubles == [1, 2], "\(name)")
      try FileManager.default.removeItem(atPath: "\(folder)/moved")
    }
    for name in ["a", "b.onnx", "pth"] {
      let error = #expect(throws: Failure.self) { try state.write(to: "\(folder)/\(name)") }
      #expect(error?.kind == .usage)
    }
    try state.write(to: "\(folder)/e.safetensors")
    let error = #expect(throws: Failure.self) { try StateDictionary(at: "\(folder)/e.safetensors", key: "model") }
    #expect(error?.kind == .usage)
  }
}
