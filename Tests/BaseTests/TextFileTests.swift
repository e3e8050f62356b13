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

  @Test(arguments: [
    (Array("# f".utf8) + [0xFC] + Array("r\n".utf8), "1:4", "FC"), (Array("a\nöb".utf8) + [0x80], "2:3", "80"), ([0xC3], "1:1", "C3"),
    (Array("x\r\n\r\n".utf8) + [0xED, 0xA0, 0x80], "3:1", "ED"), ([0xEF, 0xBB, 0xBF, 0xFF], "1:1", "FF"),
  ])
  func bytesThatAreNotUTF8HaveAPlace(bytes: [UInt8], place: String, byte: String) throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(bytes, to: "\(folder)/t.txt")
      expectFailure(.usage, "t.txt:\(place): the byte \(byte.lowercased()) is not UTF-8", "iconv") { try File.text(at: "\(folder)/t.txt", kind: .usage) }
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
  }
}
