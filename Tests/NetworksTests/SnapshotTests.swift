import Base
import Foundation
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// Snapshots of whole networks (`.pkl`), and files that look like one and want something else.
@Suite("Snapshots of networks") struct SnapshotTests {
  typealias P = PickleBytes.Part

  // MARK: Sound ones

  @Test("the tensors are those of the networks' state dictionaries", arguments: ["snapshot.pkl", "snapshot_3.pkl"], ["G_ema", "G", "D", nil])
  func values(_ file: String, _ key: String?) throws {
    let expected = try Fixture("snapshot")
    let network = key ?? "G_ema"
    let text = try #require(expected.file.metadata[network])
    let names = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String])
    let state = try StateDictionary(at: Fixture.path(file), key: key)
    #expect(state.names.sorted() == names.sorted())
    #expect(state.entries.map(\.name) == names.filter { state.aliases[$0] == nil })
    #expect(state.aliases == (network == "D" ? [:] : ["blocks.1.fc.0.weight": "blocks.0.fc.0.weight"]))
    for name in names {
      let found = try #require(state[name]?.tensor)
      let wanted = try #require(expected.file["\(network)/\(name)"]?.tensor)
      #expect(found.isIdentical(to: wanted), "\(name)")
    }
    #expect(!FileManager.default.fileExists(atPath: "/tmp/apus-was-here"))
  }

  @Test("the networks of a file, and a key that leads nowhere") func keys() throws {
    let file = try PyTorchFile(at: Fixture.path("snapshot.pkl"))
    #expect(try file.dictionaries().map(\.path) == ["G", "D", "G_ema"])
    let error = #expect(throws: Failure.self) { try file.stateDictionary(key: "H") }
    #expect(error?.kind == .usage && error?.problem.contains("G_ema: 13 tensors") == true, "\(String(describing: error))")
  }

  @Test("a module by itself, and the only one of a dictionary") func others() throws {
    func read(_ parts: P...) throws -> [Double]? {
      try PyTorchFile(bytes: PickleBytes(.many(parts), ".").bytes, name: "one.pkl").stateDictionary()["w"]?.tensor?.doubles
    }
    #expect(try read(Self.module()) == [0, 0, 0, 0])
    #expect(try read("}", .text("D"), Self.module(), "s") == [0, 0, 0, 0])
  }

  @Test("several networks without a moving average must be chosen from") func choice() throws {
    let bytes = PickleBytes("}(", .text("G"), Self.module(), .text("D"), Self.module(), "u.").bytes
    let error = #expect(throws: Failure.self) { try PyTorchFile(bytes: bytes, name: "two.pkl").stateDictionary() }
    #expect(error?.problem.contains("it is not clear which") == true && error?.remedy.contains("--key") == true)
  }

  @Test("a safetensors file whose length looks like the beginning of a pickle", arguments: [640, 896, 1152, 1408]) func lookalike(_ length: Int) throws {
    let bytes = Safetensors([.init("w", Tensor([1, 2], shape: [2]))]).bytes
    let size = Int(bytes[0]) + 256 * Int(bytes[1])
    let padded = PickleBytes.little(UInt64(length)) + bytes[8..<8 + size] + [UInt8](repeating: 0x20, count: length - size) + bytes[(8 + size)...]
    #expect(try StateDictionary(bytes: padded, name: "w.safetensors")["w"]?.tensor?.doubles == [1, 2])
  }

  // MARK: Hostile ones

  /// Bytes of up to 4 GB.
  private static func data(_ bytes: [UInt8]) -> P { .many([.raw(UInt8(ascii: "B")), P(PickleBytes.little(UInt32(bytes.count)) + bytes)]) }

  /// The call that would load a storage of four floats.
  private static func storage(_ file: [UInt8] = HostileCheckpointTests.legacy(object: .storage())) -> P {
    .many([.global("torch.storage", "_load_from_bytes"), data(file), .raw(0x85), "R"])
  }

  private static func attributes(_ weight: P, modules: P = "}") -> P {
    .many(["}(", .text("_parameters"), "}", .text("w"), weight, "s", .text("_buffers"), "}", .text("_modules"), modules, "u"])
  }

  /// A persistent module with one parameter.
  private static func module(_ weight: P = .tensor(storage()), modules: P = "}", type: P = .text("class")) -> P {
    .many([.global("torch_utils.persistence", "_reconstruct_persistent_obj"), "}(", .text("type"), type, .text("module_src"),
           .text("import os; os.system('touch /tmp/apus-was-here')"), .text("state"), attributes(weight, modules: modules), "u", .raw(0x85), "R"])
  }

  private static func snapshot(_ name: String, _ network: P, _ more: P = "", says message: String) -> HostileCheckpointTests.Hostile {
    .init(name, PickleBytes("}", .text("G_ema"), network, "s", more, ".").bytes, message)
  }

  static let code: [HostileCheckpointTests.Hostile] = [
    snapshot("os.system beside the networks", module(), .many([.text("x"), .global("os", "system"), .text("id"), .raw(0x85), "R", "s"]),
             says: "does not need: os.system; nothing was run"),
    snapshot("posix.system in a network", module(.many([.global("posix", "system"), .text("id"), .raw(0x85), "R"])), says: "posix.system"),
    snapshot("eval as the kind of a module", module(type: .many([.global("builtins", "eval"), .text("1"), .raw(0x85), "R"])), says: "builtins.eval"),
    snapshot("a name by two texts", module(), .many([.text("x"), .text("subprocess"), .text("Popen"), .raw(0x93), "s"]), says: "subprocess.Popen"),
    snapshot("a module that looks like torch's", module(), .many([.text("x"), .global("torch.nnx", "Linear"), "s"]), says: "torch.nnx.Linear"),
    snapshot("torch's own loader", module(), .many([.text("x"), .global("torch", "load"), .text("evil.pth"), .raw(0x85), "R", "s"]), says: "torch.load"),
    snapshot("many names", module(), .many((0..<50).flatMap { [.text("\($0)"), .global("evil", "f\($0)"), "s"] }), says: "evil.f0"),
    snapshot("the hook of a function", module(type: .text("function")), says: "no dictionary of tensors"),
    snapshot("the hook without arguments", .many([.global("torch_utils.persistence", "_reconstruct_persistent_obj"), ")R"]),
             .many([.text("s"), storage(), "s"]), says: "no dictionary of tensors"),
  ]

  static let modules: [HostileCheckpointTests.Hostile] = [
    snapshot("a module in itself", .many([
      .global("torch.nn.modules.module", "Module"), ")", .raw(0x81), "q\u{0}", attributes(.tensor(storage()), modules: .many(["}", .text("me"), "h\u{0}", "s"])), "b",
    ]), says: "the modules are nested more than 100 deep"),
    snapshot("modules within modules", (0..<120).reduce(module()) { inner, _ in module("N", modules: .many(["}", .text("m"), inner, "s"])) },
             says: "the modules are nested more than 100 deep"),
    snapshot("shared modules", .many([module(), "q\u{0}"] + (0..<40).flatMap { _ -> [P] in
      ["0", module("N", modules: .many(["}(", .text("a"), "h\u{0}", .text("b"), "h\u{0}", "u"])), "q\u{0}"]
    }), says: "more than 10000 modules"),
    snapshot("a parameter that is no tensor", module(.many([.text("text")]), modules: .many(["}", .text("m"), module(), "s"])), says: "'w' in _parameters is no tensor"),
    snapshot("a module that is a number", module(modules: .many(["}", .text("m"), .int(3), "s"])), says: "'m' in _modules is no module"),
    snapshot("modules in a list", module(modules: "]"), says: "_modules of a module is no dictionary"),
    snapshot("a key that is no text", module(modules: .many(["}", .int(3), module(), "s"])), says: "a key in _modules of a module is no text"),
    snapshot("two tensors of one name", .many([module(.many([.tensor(storage()), "s", .text("w"), .tensor(storage(), shape: [3])]))]),
             says: "two tensors are named 'w'"),
  ]

  static let storages: [HostileCheckpointTests.Hostile] = [
    snapshot("a storage from a text", module(.tensor(.many([.global("torch.storage", "_load_from_bytes"), .text("x"), .raw(0x85), "R"]))),
             says: "is loaded from something else than bytes"),
    snapshot("a storage from nothing", module(.tensor(storage([]))), says: "is no file of torch.save's older form"),
    snapshot("a storage from a dictionary", module(.tensor(storage(HostileCheckpointTests.legacy()))), says: "something else than one storage"),
    snapshot("a storage from a snapshot", module(.tensor(storage(PickleBytes(module(), ".").bytes))), says: "is no file of torch.save's older form"),
    snapshot("a storage that claims more than there is", module(.tensor(storage(HostileCheckpointTests.legacy(
      object: .storage(), storages: PickleBytes.little(Int.max) + [0, 0, 0, 0])))), says: "claims 9223372036854775807 elements"),
    snapshot("a storage that reaches into what follows", module(.tensor(storage(HostileCheckpointTests.legacy(
      object: .storage(), storages: PickleBytes.little(5) + [UInt8](repeating: 0, count: 16))))), says: "claims 5 elements"),
    snapshot("a storage of another number of elements", module(.tensor(storage(HostileCheckpointTests.legacy(object: .storage(count: 3))), shape: [3])),
             says: "said to have 3 elements"),
    snapshot("code in a storage", module(.tensor(storage(HostileCheckpointTests.legacy(
      object: .many([.global("os", "system"), .text("id"), .raw(0x85), "R"]))))), says: "that no tensor uses"),
    snapshot("a tensor beyond its storage", module(.tensor(storage(), shape: [5])), says: "reaches beyond its storage of 4"),
    snapshot("a tensor of huge size", module(.tensor(storage(), shape: [1 << 40], strides: [0])), says: "repeat their storages"),
    snapshot("a storage outside of the file", module(.tensor(.storage())), .many([.text("s"), storage(), "s"]), says: "is not in the file"),
  ]

  static let pickles: [HostileCheckpointTests.Hostile] = [
    .init("a dictionary of numbers", PickleBytes("}", .text("a"), .int(1), "s.").bytes, "without networks in it"),
    .init("protocol 0", Array("(dp0\nS'G_ema'\np1\nN.".utf8), "is no file of torch.save"),
    .init("protocol 6", [0x80, 6] + PickleBytes(module(), ".").bytes.dropFirst(2), "is no file of torch.save"),
    .init("protocol 9 inside", PickleBytes(module(), .raw(0x80, 9), ".").bytes, "protocol 9"),
    .init("bytes behind the end", PickleBytes(module(), ".").bytes + [1, 2, 3], "3 bytes follow the end"),
    .init("marks within marks", PickleBytes(P([UInt8](repeating: UInt8(ascii: "("), count: 1000)), ".").bytes, "open marks"),
    .init("text opcodes", PickleBytes(module(), "I1\n.").bytes, "opcode 0x49 does not occur"),
    .init("huge bytes", [0x80, 4, 0x8E] + [UInt8](repeating: 0x7F, count: 8) + [0x2E], "bytes are claimed"),
    .init("the same storage a hundred thousand times", PickleBytes(data(HostileCheckpointTests.legacy(object: .storage())), "q\u{0}0](", P(
      P.many([.global("torch.storage", "_load_from_bytes"), "h\u{0}", .raw(0x85), "R"]).bytes.repeated(100_000)), "e.").bytes, "no dictionary of tensors"),
  ]

  @Test("each is refused with a reason, and nothing runs", arguments: code + modules + storages + pickles)
  func refused(_ item: HostileCheckpointTests.Hostile) {
    let error = #expect(throws: Failure.self) { try PyTorchFile(bytes: item.bytes, name: "evil.pkl").stateDictionary() }
    #expect(error?.kind == .badData && error?.place == "evil.pkl", "\(error.map { "\($0)" } ?? "")")
    #expect(error?.problem.contains(item.message) == true, "\(error.map { String("\($0)".prefix(600)) } ?? "")")
    #expect(!FileManager.default.fileExists(atPath: "/tmp/apus-was-here"))
  }

  @Test("cut off at any byte") func truncated() throws {
    let whole = try File.bytes(at: Fixture.path("snapshot.pkl"))
    for count in stride(from: 0, to: whole.count, by: BuildKind.isDebug ? 13 : 1) {
      let error = #expect(throws: Failure.self) { try PyTorchFile(bytes: Array(whole[..<count]), name: "cut.pkl").stateDictionary() }
      #expect(error?.kind == .badData && error?.place == "cut.pkl", "\(count) bytes: \(error.map { "\($0)" } ?? "")")
    }
  }

  /// Flipped bits give another valid file or an error, never a trap.
  @Test("damaged files never trap") func damaged() throws {
    let whole = try File.bytes(at: Fixture.path("snapshot.pkl"))
    var random = Random(seed: 23, stream: .test)
    var refused = 0
    let rounds = BuildKind.isDebug ? 300 : 3_000
    for _ in 0..<rounds {
      var copy = whole
      for _ in 0..<random.integer(in: 1..<4) { copy[random.integer(in: 0..<copy.count)] ^= UInt8(1 << random.integer(in: 0..<8)) }
      do {
        _ = try PyTorchFile(bytes: copy, name: "damaged").stateDictionary()
      } catch {
        #expect(error is Failure)
        refused += 1
      }
    }
    #expect(refused > rounds / 10 && refused < rounds)
  }
}
