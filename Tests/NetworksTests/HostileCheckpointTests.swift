import Base
import Foundation
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// Files that want to run code, to fill the memory, to reach beyond their bounds: each is refused with one clear error.
@Suite("Hostile checkpoints") struct HostileCheckpointTests {
  typealias P = PickleBytes.Part

  struct Hostile: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    /// What the message must contain.
    let message: String

    init(_ name: String, _ bytes: [UInt8], _ message: String) { (testDescription, self.bytes, self.message) = (name, bytes, message) }

    /// A pickle in a sound archive with the storage "0" of four floats.
    init(_ name: String, _ parts: P..., says message: String) {
      var pickle = PickleBytes()
      for part in parts { pickle.bytes += part.bytes }
      self.init(name, ZipBytes(pickle: pickle.bytes).bytes, message)
    }

    /// A dictionary with one tensor.
    init(_ name: String, tensor: P, says message: String) { self.init(name, "}", .text("w"), tensor, "s", ".", says: message) }

    init(_ name: String, says message: String, zip change: (inout ZipBytes) -> Void) {
      var zip = ZipBytes(pickle: HostileCheckpointTests.sound)
      change(&zip)
      self.init(name, zip.bytes, message)
    }
  }

  static let sound = PickleBytes("}", .text("w"), .tensor(), "s", ".").bytes

  static let code: [Hostile] = [
    Hostile("os.system", .global("os", "system"), .text("touch /tmp/apus-was-here"), .raw(0x85), "R", ".", says: "no dictionary of tensors"),
    Hostile("eval", .global("builtins", "eval"), .text("1/0"), .raw(0x85), "R", ".", says: "no dictionary of tensors"),
    Hostile("exec by new object", .global("builtins", "exec"), .text("1/0"), .raw(0x85, 0x81), ".", says: "no dictionary of tensors"),
    Hostile("stack global", .text("os"), .text("system"), .raw(0x93), .text("id"), .raw(0x85), "R", ".", says: "no dictionary of tensors"),
    Hostile("call of a call", .global("operator", "attrgetter"), .text("system"), .raw(0x85), "R", .text("id"), .raw(0x85), "R", ".",
            says: "no class or function is to be called"),
    Hostile("code in the storage", tensor: .tensor(.many([.global("os", "system"), .text("id"), .raw(0x85), "R"])),
            says: "other things than storage"),
    Hostile("code as offset", tensor: .many([.global("torch._utils", "_rebuild_tensor_v2"), "(", .storage(), .global("os", "system"), "))tR"]),
            says: "other things than storage"),
    Hostile("text opcodes", "(I1\n.", says: "opcode 0x49 does not occur"),
    Hostile("INST", "(ios\nsystem\n.", says: "opcode 0x69 does not occur"),
    Hostile("extension code", .raw(0x82, 1), ".", says: "opcode 0x82 does not occur"),
    Hostile("next buffer", .raw(0x97), ".", says: "opcode 0x97 does not occur"),
  ]

  static let machine: [Hostile] = [
    Hostile("empty pickle", ".", says: "ends with 0 values"),
    Hostile("two values", "NN.", says: "ends with 2 values"),
    Hostile("open mark", "N(.", says: "ends with 1 values"),
    Hostile("no end", "N", says: "are left"),
    Hostile("pop nothing", "0.", says: "a value is needed"),
    Hostile("mark nothing", "t.", says: "a mark is needed"),
    Hostile("pop below a mark", "N(R.", says: "2 values are needed"),
    Hostile("unknown memo", "h\u{7}.", says: "remembered value 7 does not exist"),
    Hostile("put without a value", "q\u{0}.", says: "a value is needed"),
    Hostile("append to a text", .text("x"), "Na.", says: "is no list"),
    Hostile("set items of a list", "]NNs.", says: "is no dictionary"),
    Hostile("odd items", "}(Nu.", says: "a key has no value"),
    Hostile("state of a list", "]}b.", says: "the state of an object"),
    Hostile("old protocol", .raw(0x80, 1), "N.", says: "protocol 1"),
    Hostile("new protocol", .raw(0x80, 9), "N.", says: "protocol 9"),
    Hostile("bad UTF-8", .raw(0x58, 1, 0, 0, 0, 0xFF), ".", says: "not UTF-8"),
    Hostile("endless name", P(Array(repeating: UInt8(ascii: "c"), count: 3000)), ".", says: "does not end"),
    Hostile("name that is no text", "NN", .raw(0x93), ".", says: "is no text"),
    Hostile("huge text", .raw(0x58, 0xFF, 0xFF, 0xFF, 0xFF), ".", says: "4294967295 bytes are claimed"),
    Hostile("huger text", .raw(0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), ".", says: "18446744073709551615 bytes are claimed"),
    Hostile("huge bytes", .raw(0x8E, 0, 0, 0, 0, 0, 0, 0, 0x40), ".", says: "bytes are claimed"),
    Hostile("huge number", .raw(0x8B, 0xFF, 0xFF, 0xFF, 0x7F), ".", says: "2147483647 bytes are claimed"),
    Hostile("long text", .raw(0x58, 1, 0, 0x20, 0), P(Array(repeating: 0x61, count: 0x200001)), ".", says: "is too long"),
  ]

  static let bombs: [Hostile] = [
    Hostile("marks within marks", P(Array("(".utf8).repeated(100_000)), ".", says: "open marks"),
    Hostile("tuples within tuples", "N", P(Array(repeating: 0x85, count: 500_000)), ".", says: "nested more than 100 deep"),
    Hostile("lists within lists", "]", P(Array("]".utf8).repeated(300_000)), P(Array("a".utf8).repeated(300_000)), ".", says: "nested more than 100 deep"),
    Hostile("dictionaries within dictionaries", "}", P(Array("N}".utf8).repeated(200_000)), P(Array("s".utf8).repeated(200_000)), ".",
            says: "nested more than 100 deep"),
    // A thousand million laughs: each tuple holds the one before it three times.
    Hostile("shared tuples", "Nq\u{0}", P([0x68, 0, 0x68, 0, 0x68, 0, 0x87, 0x71, 0].repeated(5_000)), ".",
            says: "ends with 5001 values"),
    Hostile("laughs", "N", P([0x71, 0, 0x68, 0, 0x68, 0, 0x87, 0x71, 0].repeated(90)), ".", says: "no dictionary of tensors"),
    Hostile("too many values", "(", P(Array("N".utf8).repeated(2_200_000)), "t.", says: "more than 2097152 values"),
    Hostile("too many uses", "Nq\u{0}(", P([0x68, 0].repeated(4_300_000)), "t.", says: "uses of values"),
    Hostile("memo bomb", "N", P((0..<300_000).flatMap { [UInt8(ascii: "r")] + PickleBytes.little(UInt32($0) &* 14_000) }), ".",
            says: "no dictionary of tensors"),
    Hostile("a list that holds itself", "]q\u{0}h\u{0}a.", says: "no dictionary of tensors"),
    Hostile("a dictionary that holds itself", "}q\u{0}", .text("me"), "h\u{0}s.", says: "no dictionary of tensors"),
    Hostile("a parameter of itself", "}", .text("w"), .many(Array(repeating: .many([.global("torch._utils", "_rebuild_parameter")]), count: 6)),
            .tensor(), .many(Array(repeating: .many([.raw(0x85), "R"]), count: 6)), "s.", says: "nested in parameters"),
  ]

  static let tensors: [Hostile] = [
    Hostile("negative size", tensor: .tensor(shape: [-4]), says: "negative numbers"),
    Hostile("negative stride", tensor: .tensor(strides: [-1]), says: "negative numbers"),
    Hostile("negative offset", tensor: .tensor(offset: -1), says: "negative numbers"),
    Hostile("beyond the storage", tensor: .tensor(shape: [5]), says: "reaches beyond its storage of 4"),
    Hostile("offset beyond the storage", tensor: .tensor(offset: 1), says: "reaches beyond"),
    Hostile("stride beyond the storage", tensor: .tensor(shape: [2], strides: [4]), says: "reaches beyond"),
    Hostile("empty tensor beyond the storage", tensor: .tensor(offset: 5, shape: [0]), says: "does not lie in its storage"),
    Hostile("stride overflow", tensor: .tensor(shape: [3, 3], strides: [.max / 2, .max / 2]), says: "reaches beyond"),
    Hostile("stride overflow to zero", tensor: .tensor(shape: [3], strides: [1 << 62]), says: "reaches beyond"),
    Hostile("count overflow", tensor: .tensor(shape: [1 << 40, 1 << 40], strides: [0, 0]), says: "reaches beyond"),
    Hostile("byte overflow", tensor: .tensor(shape: [1 << 61], strides: [0]), says: "reaches beyond"),
    Hostile("empty overflow", tensor: .tensor(shape: [1 << 62, 1 << 62, 0], strides: [0, 0, 0]), says: "does not lie"),
    Hostile("expanded", tensor: .tensor(shape: [1 << 40], strides: [0]), says: "repeat their storages"),
    Hostile("ranks differ", tensor: .tensor(shape: [2, 2]), says: "two tuples of equally many"),
    Hostile("many axes", tensor: .tensor(shape: Array(repeating: 1, count: 17), strides: Array(repeating: 1, count: 17)), says: "at most 16"),
    Hostile("storage larger than its member", tensor: .tensor(.storage(count: 5), shape: [5]), says: "said to have 5 elements"),
    Hostile("storage smaller than its member", tensor: .tensor(.storage(count: 3), shape: [3]), says: "said to have 3 elements"),
    Hostile("storage of huge size", tensor: .tensor(.storage(count: 1 << 60), shape: [1 << 59]), says: "repeat their storages"),
    Hostile("negative storage", tensor: .tensor(.storage(count: -4)), says: "identified by other things"),
    Hostile("missing storage", tensor: .tensor(.storage("1")), says: "storage '1' of 'w' is not in the file"),
    Hostile("storage named as a path", tensor: .tensor(.storage("../../etc/passwd")), says: "is not in the file"),
    Hostile("unknown type", tensor: .tensor(.storage(type: "ComplexFloatStorage")), says: "torch.ComplexFloatStorage; known: torch.BoolStorage"),
    Hostile("type of another module", tensor: .tensor(.storage(module: "os")), says: "os.FloatStorage"),
    Hostile("two tensors of one name", "}", .text("w"), .tensor(), "s", .text("w"), .tensor(shape: [3]), "s", ".", says: "two tensors are named 'w'"),
    Hostile("overlapping windows", ZipBytes(pickle: windows, storage: [UInt8](repeating: 0, count: 24_000)).bytes, "repeat their storages"),
  ]

  /// Three thousand tensors of three thousand elements each, in one storage of six thousand.
  static let windows = PickleBytes("}(", .many((0..<3000).map { index in
    .many([.text("w\(index)"), .tensor(.storage(count: 6000), offset: index, shape: [3000])])
  }), "u.").bytes

  static let archives: [Hostile] = [
    Hostile("no archive", [0x50, 0x4B, 3, 4], "no table of contents"),
    Hostile("lying count", says: "longer than its 2 entries", zip: { $0.count = 2 }),
    Hostile("lying count, more", says: "do not fit", zip: { $0.count = 60_000 }),
    Hostile("lying directory", says: "does not lie before", zip: { $0.directoryOffset = 0x7FFF_FFFF }),
    Hostile("shifted directory", says: "is no entry", zip: { $0.directoryOffset = 3 }),
    Hostile("lying size", says: "reaches into the table of contents", zip: { $0.members[2].size = 0xFFFF_FFFE }),
    Hostile("lying wide size", says: "reaches into the table of contents", zip: {
      $0.members[2].isWide = true
      $0.members[2].size = 0xFFFF_FFFE
    }),
    Hostile("wide size without its field", says: "64-bit sizes of the member 'a/data/0' are missing", zip: { $0.members[2].size = .max }),
    Hostile("overlapping members", says: "overlap", zip: { $0.members[1].size = 60 }),
    Hostile("lying offset", says: "does not begin at byte 5", zip: { $0.members[2].offset = 5 }),
    Hostile("offset beyond the file", says: "does not begin at byte 4294967294", zip: { $0.members[2].offset = 0xFFFF_FFFE }),
    Hostile("one member twice", says: "another name", zip: { $0.members[2].offset = 0 }),
    Hostile("another local name", says: "has another name than 'a/data/0'", zip: { $0.members[2].localName = "a/data/1" }),
    Hostile("duplicate members", says: "'a/data/0' stands there twice", zip: { $0.members.append($0.members[2]) }),
    Hostile("zip slip", says: "'../../etc/cron.d/x' leads out", zip: { $0.members.append(.init(name: "../../etc/cron.d/x", content: [1])) }),
    Hostile("absolute name", says: "leads out", zip: { $0.members.append(.init(name: "/etc/x", content: [1])) }),
    Hostile("backslashes", says: "leads out", zip: { $0.members.append(.init(name: "a\\..\\x", content: [1])) }),
    Hostile("compressed", says: "'a/data/0' is compressed (method 8)", zip: { $0.members[2].method = 8 }),
    Hostile("encrypted", says: "is encrypted", zip: { $0.members[2].flags = 1 }),
    Hostile("bad checksum", says: "'a/data.pkl' is damaged", zip: { $0.members[0].checksum = 7 }),
    Hostile("big-endian", says: "the byte order is 'big'", zip: { $0.members[1].content = Array("big".utf8) }),
    Hostile("no pickle", says: "holds no a/data.pkl", zip: { $0.members.removeFirst() }),
    Hostile("TorchScript", says: "TorchScript", zip: { $0.members.append(.init(name: "a/constants.pkl", content: [])) }),
    Hostile("no member", says: "is no file of torch.save", zip: { $0.members = [] }),
  ]

  static let legacyMagic: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]

  /// The storage of four floats.
  static let floats: [UInt8] = PickleBytes.little(4) + [UInt8](repeating: 0, count: 16)

  /// A file of the older form with one tensor of the storage "0".
  static func legacy(
    version: P = .int(1001), little: UInt8 = 0x88, object: P = .many(["}", .text("w"), .tensor(), "s"]), keys: P = .many(["](", .text("0"), "e"]),
    storages: [UInt8] = floats
  ) -> [UInt8] {
    let system = PickleBytes("}", .text("little_endian"), .raw(little), "s.").bytes
    return legacyMagic + PickleBytes(version, ".").bytes + system + PickleBytes(object, ".").bytes + PickleBytes(keys, ".").bytes + storages
  }

  static let legacies: [Hostile] = [
    Hostile("tar", [UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8) + [UInt8](repeating: 0, count: 250), "before version 0.1.10"),
    Hostile("plain pickle", [0x80, 2, 0x4E, 0x2E], "torch.save did not write it"),
    Hostile("text", Array("version https://git-lfs".utf8), "is no file of torch.save"),
    Hostile("nothing", [], "is no file of torch.save"),
    Hostile("version", legacy(version: .int(1002)), "unknown version"),
    Hostile("big-endian", legacy(little: 0x89), "big-endian"),
    Hostile("keys are no list", legacy(keys: .int(3)), "no list of storages"),
    Hostile("unknown storage", legacy(keys: .many(["](", .text("5"), "e"])), "that no tensor uses"),
    Hostile("storage twice", legacy(keys: .many(["](", .text("0"), .text("0"), "e"]),
                                    storages: floats.repeated(2)), "stands there twice"),
    Hostile("no storage", legacy(keys: "]", storages: []), "is not in the file"),
    Hostile("negative count", legacy(storages: PickleBytes.little(-1) + [0, 0, 0, 0]), "claims -1 elements"),
    Hostile("huge count", legacy(storages: PickleBytes.little(Int.max) + [0, 0, 0, 0]), "claims 9223372036854775807 elements"),
    Hostile("another count", legacy(storages: PickleBytes.little(2) + [UInt8](repeating: 0, count: 16)), "said to have 4 elements"),
    Hostile("part of a storage", legacy(object: .many(["}", .text("w"), .tensor(.many([
      "(", .text("storage"), .global("torch", "FloatStorage"), .text("0"), .text("cpu"), .int(4), .tuple([1, 2]), "t", "Q"])), "s"])), "before 0.4"),
    Hostile("one storage, two sizes",
            legacy(object: .many(["}", .text("w"), .tensor(), "s", .text("v"), .tensor(.storage(type: "DoubleStorage")), "s"])),
            "elements of different sizes"),
  ]

  @Test("each is refused with a reason", arguments: code + machine + bombs + tensors + archives + legacies) func refused(_ item: Hostile) {
    let error = #expect(throws: Failure.self) { try PyTorchFile(bytes: item.bytes, name: "evil.pth").stateDictionary() }
    #expect(error?.kind == .badData && error?.place == "evil.pth", "\(error.map { "\($0)" } ?? "")")
    #expect(error?.problem.contains(item.message) == true, "\(error.map { String("\($0)".prefix(600)) } ?? "")")
    #expect(!FileManager.default.fileExists(atPath: "/tmp/apus-was-here"))
  }

  @Test("the sound file that the others are made of is read") func isSound() throws {
    #expect(try PyTorchFile(bytes: ZipBytes(pickle: Self.sound).bytes, name: "sound").stateDictionary()["w"]?.tensor?.doubles == [1, 2, 3, 4])
    #expect(try PyTorchFile(bytes: Self.legacy(), name: "sound").stateDictionary()["w"]?.tensor?.doubles == [0, 0, 0, 0])
  }

  @Test("files cut off at any byte are refused", arguments: ["checkpoint_zip.pth", "checkpoint_legacy.pth"]) func truncated(_ name: String) throws {
    let whole = try File.bytes(at: Fixture.path(name))
    for count in 0..<whole.count {
      let error = #expect(throws: Failure.self) { try PyTorchFile(bytes: Array(whole[..<count]), name: "cut.pth").stateDictionary(key: "state_dict") }
      #expect(error?.place == "cut.pth" && error?.kind == .badData, "\(count) bytes: \(error.map { "\($0)" } ?? "")")
    }
  }

  /// Flipped bits give another valid file or an error, never a trap.
  @Test("damaged files never trap", arguments: ["checkpoint_zip.pth", "checkpoint_legacy.pth"]) func damaged(_ name: String) throws {
    let whole = try File.bytes(at: Fixture.path(name))
    // The archive's checksums would catch all that happens to the pickle: leave them out.
    let pristine = name.contains("zip") ? try Self.withoutChecksums(whole) : whole
    var random = Random(seed: 22, stream: .test), refused = 0
    for _ in 0..<4_000 {
      var copy = pristine
      for _ in 0..<random.integer(in: 1..<4) { copy[random.integer(in: 0..<copy.count)] ^= UInt8(1 << random.integer(in: 0..<8)) }
      do {
        _ = try PyTorchFile(bytes: copy, name: "damaged").stateDictionary()
      } catch {
        #expect(error is Failure)
        refused += 1
      }
    }
    #expect(refused > 500 && refused < 4_000)
  }

  private static func withoutChecksums(_ bytes: [UInt8]) throws -> [UInt8] {
    var copy = bytes
    for place in 0..<bytes.count - 46 where bytes[place..<place + 4].elementsEqual([0x50, 0x4B, 1, 2]) {
      copy.replaceSubrange(place + 16..<place + 20, with: [0, 0, 0, 0])
    }
    #expect(try PyTorchFile(bytes: copy, name: "copy").stateDictionary().entries.count == 19)
    return copy
  }

  @Test("no hostile file costs much memory") func memory() throws {
    let before = try Self.peakMegabytes()
    for item in Self.bombs + Self.tensors { _ = try? PyTorchFile(bytes: item.bytes, name: "evil.pth").stateDictionary() }
    #expect(try Self.peakMegabytes() - before < 600)
  }

  /// The high-water mark of this process.
  private static func peakMegabytes() throws -> Int {
    let line = try File.text(at: "/proc/self/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return try #require(line?.split(separator: " ").dropLast().last.flatMap { Int($0) }) / 1024
  }
}

extension [UInt8] {
  func repeated(_ count: Int) -> [UInt8] { (0..<count).flatMap { _ in self } }
}
