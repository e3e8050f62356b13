import Base
import Testing
import TestSupport

@Suite struct TextFileTests {
  @Test func aByteOrderMarkIsDropped() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write([0xEF, 0xBB, 0xBF] + Array("a: 1\n".utf8), to: "\(folder)/bom")
      #expect(try File.text(at: "\(folder)/bom") == "a: 1\n")
      try AtomicFile.write([0xEF, 0xBB, 0xBF], to: "\(folder)/only")
      #expect(try File.text(at: "\(folder)/only") == "")
    }
  }

  /// Bytes, and where the first one stands that begins no character.
  static let invalid: [(bytes: [UInt8], place: String, byte: String)] = [
    ([0x23, 0x20, 0x66, 0xFC, 0x72, 0x0A], "1:4", "fc"), ([0x61, 0x0A, 0xC3, 0xB6, 0x62, 0x80], "2:3", "80"), ([0xC3], "1:1", "c3"),
    ([0x78, 0x0D, 0x0A, 0x0D, 0x0A, 0xED, 0xA0, 0x80], "3:1", "ed"), ([0xEF, 0xBB, 0xBF, 0xFF], "1:1", "ff"),
  ]

  @Test(arguments: invalid.indices) func bytesThatAreNotUTF8HaveAPlace(index: Int) throws {
    let (bytes, place, byte) = Self.invalid[index]
    try withTemporaryFolder { folder in
      try AtomicFile.write(bytes, to: "\(folder)/t.txt")
      expectFailure(.usage, "t.txt:\(place): the byte \(byte) is not UTF-8", "iconv") { try File.text(at: "\(folder)/t.txt", kind: .usage) }
    }
  }

  @Test func whatIsNoTextIsNamed() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write([0xFF, 0xFE, 0x61, 0], to: "\(folder)/wide")
      expectFailure(.badData, "text in UTF-16") { try File.text(at: "\(folder)/wide") }
      try AtomicFile.write([0x89, 0x50, 0x4E, 0x47, 0xFF], to: "\(folder)/picture")
      expectFailure(.badData, "a PNG picture, not a text") { try File.text(at: "\(folder)/picture") }
    }
  }

  @Test func endlessFilesEnd() {
    expectFailure(.usage, "/dev/zero: the text is longer than 1000 bytes") { try File.text(at: "/dev/zero", limit: 1000, kind: .usage) }
    expectFailure(.badData, "/dev/zero: this is a device") { try File.bytes(at: "/dev/zero") }
  }
}
