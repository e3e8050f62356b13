import Base
import Foundation
import Tensors
import Testing
import TestSupport
import WeightFiles

@Suite("NumPy arrays") struct NumPyFileTests {
  private static func bytes(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let length: [UInt8] = version == 1 ? [UInt8(header.utf8.count), 0] : [UInt8(header.utf8.count), 0, 0, 0]
    return [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, version, 0] + length + Array(header.utf8) + data
  }

  private static func little(_ values: some Sequence<some FixedWidthInteger>) -> [UInt8] { values.flatMap { PickleBytes.little($0) } }

  @Test("written and read back", arguments: [Precision.float32, .float64], [[3, 4], [5], [], [2, 0], [2, 3, 4]])
  func roundTrip(_ precision: Precision, _ shape: [Int]) throws {
    var random = Random(seed: 3, stream: .test)
    let array = Tensor.uniform(shape, from: -1, to: 1, &random, precision: precision)
    let bytes = NumPyFile.bytes(of: array)
    #expect((bytes.count - array.count * precision.byteCount) % 64 == 0)
    #expect(try NumPyFile.read(bytes, name: "a.npy").isIdentical(to: array))
  }

  @Test("the header that NumPy writes") func header() {
    let bytes = NumPyFile.bytes(of: .zeros([3, 4], .float64))
    #expect(String(decoding: bytes[10..<128], as: UTF8.self) == "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }".padding(
      toLength: 117, withPad: " ", startingAt: 0) + "\n")
    #expect(bytes.prefix(10).elementsEqual([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0]))
  }

  @Test("Fortran's order, whole numbers, later versions") func others() throws {
    let fortran = Self.bytes("{'descr': '<i8', 'fortran_order': True, 'shape': (2, 3), }\n", Self.little([1, 4, 2, 5, 3, 6] as [Int64]))
    #expect(try NumPyFile.read(fortran, name: "f.npy").doubles == [1, 2, 3, 4, 5, 6])
    let bytes = Self.bytes("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\n", [7, 0, 255], version: 2)
    #expect(try NumPyFile.read(bytes, name: "u.npy").doubles == [7, 0, 255])
    let small = Self.bytes("{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }\n", [0, 0x3C, 0, 0xC0], version: 3)
    #expect(try NumPyFile.read(small, name: "h.npy").doubles == [1, -2])
  }

  @Test("what is refused, and why", arguments: [
    (bytes("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", [0]), "the type '|O'"),
    (bytes("{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }\n", [0]), "the type '>f8'"),
    (bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", [0, 0, 0, 0]), "but 4 bytes follow"),
    (bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }\n", []), "more elements than"),
    (bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", []), "expected at most 16 whole numbers"),
    (bytes("{'descr': '<f4', 'fortran_order': maybe, 'shape': (1,), }\n", [0, 0, 0, 0]), "expected True or False"),
    (bytes("{}", []), "no dictionary of descr"), (bytes("{}", [], version: 9), "version 9.0"),
    ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 255, 255], "cut off"), ([0x93], "the beginning is missing"),
  ] as [([UInt8], String)]) func refused(_ bytes: [UInt8], _ message: String) {
    let error = #expect(throws: Failure.self) { try NumPyFile.read(bytes, name: "bad.npy") }
    #expect(error?.kind == .badData && error?.place == "bad.npy" && error?.problem.contains(message) == true, "\(String(describing: error))")
  }

  @Test("cut off at any byte") func truncated() throws {
    let whole = NumPyFile.bytes(of: .ones([2, 3]))
    for count in 0..<whole.count { #expect(throws: Failure.self) { try NumPyFile.read(Array(whole[..<count]), name: "cut.npy") } }
  }

  @Test("another kind of file is named") func otherFile() throws {
    let error = #expect(throws: Failure.self) { try NumPyFile.read(at: Fixture.path("mpii_heads.mat")) }
    #expect(error?.kind == .badData && error?.description.contains("NumPy") == true, "\(String(describing: error))")
  }
}
