import Base
import Foundation
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

@Suite("Safetensors") struct SafetensorsTests {
  /// A file from its header's text and its data.
  private static func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
  }

  @Test("the documented example") func example() throws {
    let file = Safetensors([.init("bias", Tensor([1, 2], shape: [2]))], metadata: ["step": "7"])
    let copy = try Safetensors(bytes: file.bytes, name: "copy.safetensors")
    #expect(copy["bias"]?.tensor?.doubles == [1, 2] && copy.metadata == ["step": "7"])
  }

  @Test("the bytes are the reference writer's") func golden() {
    let file = Safetensors(
      [.init("z", Tensor([1], shape: [1])), .init("b", Tensor(2.0)), .init("n", integers: [-2], shape: [])], metadata: ["k": "v\n"])
    let header = #"{"__metadata__":{"k":"v\u000a"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"z":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}"#
    let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let data: [UInt8] = [0xFE, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0x40, 0, 0, 0x80, 0x3F]
    #expect(file.bytes == Self.file(padded, data))
  }

  @Test("all types are read") func types() throws {
    let header = #"{"bool":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]},"u8":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"#
      + #""i8":{"dtype":"I8","shape":[1],"data_offsets":[3,4]},"i16":{"dtype":"I16","shape":[1],"data_offsets":[4,6]},"#
      + #""i32":{"dtype":"I32","shape":[1],"data_offsets":[6,10]},"f16":{"dtype":"F16","shape":[5],"data_offsets":[10,20]},"#
      + #""bf16":{"dtype":"BF16","shape":[2],"data_offsets":[20,24]},"f64":{"dtype":"F64","shape":[1],"data_offsets":[24,32]},"#
      + #""empty":{"dtype":"F32","shape":[0,3],"data_offsets":[32,32]}}  "#
    let data: [UInt8] = [0, 1, 200, 0xFE, 0xFF, 0xFE, 1, 0, 0, 0x80, 0x00, 0x3C, 0x00, 0xC0, 0x01, 0x00, 0x00, 0x7C, 0xFF, 0x7B,
                         0xC0, 0x3F, 0x00, 0xC0] + withUnsafeBytes(of: 0.1) { Array($0) }
    let file = try Safetensors(bytes: Self.file(header, data), name: "types")
    let values: [String: [Double]] = [
      "bool": [0, 1], "u8": [200], "i8": [-2], "i16": [-257], "i32": [-2_147_483_647], "f16": [1, -2, 0x1p-24, .infinity, 65504],
      "bf16": [1.5, -2], "f64": [0.1], "empty": [],
    ]
    for (name, expected) in values {
      // -2147483647 is no float32: it is rounded to its neighbour
      #expect(file[name]?.tensor?.doubles == (name == "i32" ? [-2_147_483_648] : expected), "\(name)")
    }
    #expect(file["f64"]?.tensor?.precision == .float64 && file["empty"]?.shape == [0, 3])
  }

  @Test("names may be any text") func escapes() throws {
    let names = ["plain", "quote\"back\\slash", "tab\tnull\u{0}", "grüße 𝄞 你好"]
    let file = Safetensors(names.map { .init($0, Tensor(1.0)) })
    #expect(Set(try Safetensors(bytes: file.bytes, name: "names").entries.map(\.name)) == Set(names))
    let escaped = #"{"\u0041\ud834\udd1e\/\n":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#
    #expect(try Safetensors(bytes: Self.file(escaped, [1]), name: "names").entries.map(\.name) == ["A𝄞/\n"])
  }

  @Test("files are written and read") func disk() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Safetensors([.init("a", Tensor([1, 2, 3], shape: [3], precision: .float64))]).write(to: path)
    #expect(try Safetensors(at: path)["a"]?.tensor?.doubles == [1, 2, 3])
    let error = #expect(throws: Failure.self) { try Safetensors(at: path + ".absent") }
    #expect(error?.kind == .missingInput)
  }

  @Test("the official reader's and writer's files are understood", arguments: ["operations", "optimizers", "raft_small"])
  func foreign(_ name: String) throws {
    #expect(try Fixture(name).file.entries.count > 10)
  }

  /// A hostile header of one entry `a` of type U8, and what the message must contain.
  struct Hostile: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let message: String
    var testDescription: String { message }

    init(_ header: String, _ dataCount: Int, _ message: String) {
      bytes = SafetensorsTests.file(header, Array(repeating: 0, count: dataCount))
      self.message = message
    }

    init(bytes: [UInt8], _ message: String) {
      self.bytes = bytes
      self.message = message
    }
  }

  private static func entry(_ name: String, _ shape: String, _ offsets: String, _ type: String = "U8") -> String {
    #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  static let hostile: [Hostile] = [
    Hostile(bytes: [1, 2, 3], "3 bytes are no safetensors file"),
    Hostile(bytes: [255, 255, 255, 255, 255, 255, 255, 255, 0x7B], "18446744073709551615 bytes in a file of 9"),
    Hostile(bytes: [1, 225, 245, 5, 0, 0, 0, 0] + Array(repeating: 0x20, count: 64), "a header of 100000001 bytes"),
    Hostile(bytes: [9, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], "a header of 9 bytes in a file of 10"),
    Hostile("", 0, "does not begin with '{'"),
    Hostile(" {}", 0, "does not begin with '{'"),
    Hostile("{", 0, "byte 1: expected '\"', found the end"),
    Hostile("{} x", 0, "more text after the end"),
    Hostile("{,}", 0, "expected '\"', found ','"),
    Hostile("{\(entry("a", "[1]", "[0,1]")),}", 1, "expected '\"', found '}'"),
    Hostile("{\"a", 0, "a string does not end"),
    Hostile("{\"a\\", 0, "a string does not end"),
    Hostile("{\"a\\q\":1}", 0, "unknown escape"),
    Hostile("{\"\\ud834\":1}", 0, "surrogate"),
    Hostile("{\"\\udd1e\\ud834\":1}", 0, "surrogate"),
    Hostile("{\"\\u12", 0, "four hexadecimal digits"),
    Hostile("{\"\\u+123\":1}", 0, "four hexadecimal digits"),
    Hostile("{\"a\tb\":1}", 0, "control character"),
    Hostile(bytes: file("").dropLast(8) + [5, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x22, 0xFF, 0x22, 0x7D], "not UTF-8"),
    Hostile("{\(entry("a", "[1]", "[0,1]")),\(entry("a", "[1]", "[1,2]"))}", 2, "'a' stands there twice"),
    Hostile("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "metadata key 'k' stands there twice"),
    Hostile("{\"__metadata__\":{\"k\":1}}", 0, "expected '\"', found '1'"),
    Hostile("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "'dtype' twice"),
    Hostile("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "entry 'a' needs dtype, shape and data_offsets"),
    Hostile("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":[]}}", 1, "none of dtype"),
    Hostile("{\(entry("a", "[1]", "[0,1]", "Q4"))}", 1, "unknown dtype 'Q4'"),
    Hostile("{\(entry("a", "[-1]", "[0,1]"))}", 1, "whole number"),
    Hostile("{\(entry("a", "[1.5]", "[0,1]"))}", 1, "expected ']', found '.'"),
    Hostile("{\(entry("a", "[01]", "[0,1]"))}", 1, "whole number"),
    Hostile("{\(entry("a", "[9223372036854775808]", "[0,1]"))}", 1, "found '9223372036854775808'"),
    Hostile("{\(entry("a", "[4294967296,4294967296]", "[0,1]"))}", 1, "more bytes than can be counted"),
    Hostile("{\(entry("a", "[2305843009213693952]", "[0,0]", "F64"))}", 0, "more bytes than can be counted"),
    Hostile("{\(entry("a", "[2]", "[0,1]"))}", 1, "takes 2 bytes"),
    Hostile("{\(entry("a", "[1]", "[1,0]"))}", 1, "data_offsets [1, 0]"),
    Hostile("{\(entry("a", "[1]", "[0]"))}", 1, "data_offsets [0]"),
    Hostile("{\(entry("a", "[2]", "[0,2]"))}", 1, "ends at byte 2 of 1"),
    Hostile("{\(entry("a", "[1]", "[1,2]"))}", 2, "a hole"),
    Hostile("{\(entry("a", "[2]", "[0,2]")),\(entry("b", "[2]", "[1,3]"))}", 3, "an overlap"),
    Hostile("{\(entry("a", "[1]", "[0,1]"))}", 2, "cover 1 bytes of data, the file holds 2"),
  ]

  @Test("hostile files are refused with a reason", arguments: hostile) func refuses(_ item: Hostile) {
    let error = #expect(throws: Failure.self) { try Safetensors(bytes: item.bytes, name: "evil.safetensors") }
    #expect(error?.kind == .badData && error?.place == "evil.safetensors")
    #expect(error?.problem.contains(item.message) == true, "\(error?.problem ?? "")")
  }

  /// Every cut of a valid file is refused: the last entry always ends with the file.
  @Test("truncated files are refused") func truncated() {
    let bytes = Safetensors([.init("a", Tensor([1, 2], shape: [2])), .init("b", integers: [3], shape: [])], metadata: ["k": "v"]).bytes
    for count in 0..<bytes.count {
      #expect(throws: Failure.self) { try Safetensors(bytes: Array(bytes[..<count]), name: "cut") }
    }
  }

  /// Flipping bits of the header gives another valid file or an error, never a trap.
  @Test("damaged headers never trap") func damaged() {
    let bytes = Safetensors([.init("a", Tensor([1, 2], shape: [2])), .init("b", integers: [3], shape: [])], metadata: ["k": "v"]).bytes
    var random = Random(seed: 21, stream: .test), refused = 0
    for _ in 0..<5_000 {
      var copy = bytes
      for _ in 0..<random.integer(in: 1..<4) { copy[random.integer(in: 0..<copy.count - 16)] ^= UInt8(1 << random.integer(in: 0..<8)) }
      if (try? Safetensors(bytes: copy, name: "damaged")) == nil { refused += 1 }
    }
    #expect(refused > 2_500)
  }
}
