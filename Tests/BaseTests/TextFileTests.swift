import Base
import Foundation
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

  /// What is no regular file is refused before anything of it is read, and without waiting for a writer.
  @Test(.timeLimit(.minutes(1))) func whatIsNoRegularFileIsRefused() throws {
    expectFailure(.usage, "/dev/zero: this is a device, expected a regular file") { try File.text(at: "/dev/zero", limit: 1000, kind: .usage) }
    try withTemporaryFolder { folder in
      let pipe = "\(folder)/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      let socket = "\(folder)/socket"
      #expect(mknod(socket, S_IFSOCK | 0o600, 0) == 0)
      for (path, kind) in [("/dev/zero", "a device"), ("/dev/null", "a device"), (pipe, "a pipe"), (socket, "a socket")] {
        expectFailure(.badData, "\(path): this is \(kind)", "expected a regular file") { try File.bytes(at: path) }
        expectFailure(.badData, "\(path): this is \(kind)") { try File.bytes(at: path, upTo: 4) }
        expectFailure(.badData, "\(path): this is \(kind)") { try File.bytes(at: path, limit: 4) }
      }
    }
    #expect(try !File.bytes(at: "/proc/self/status").isEmpty, "a regular file that says it has no bytes")
  }

  /// A file with holes is as long as it says, whatever it takes on the disk.
  @Test func whatIsTooLongIsRefusedUnread() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/huge"
      try AtomicFile.write([1, 2, 3], to: path)
      #expect(try File.bytes(at: path, limit: 3) == [1, 2, 3])
      expectFailure(.badData, "\(path): the file has 3 bytes, more than the 2 that are read") { try File.bytes(at: path, limit: 2) }
      #expect(truncate(path, 1 << 40) == 0)
      let start = ContinuousClock.now
      expectFailure(.badData, "has 1099511627776 bytes, more than the") { try File.bytes(at: path) }
      expectFailure(.usage, "has 1099511627776 bytes, more than the") { try File.text(at: path, kind: .usage) }
      var head: [UInt8] = []
      expectFailure(.badData, "1099511627776") { try File.bytes(at: path, limit: 1 << 30) { head = $0 } }
      #expect(head.count == FileKind.headSize && head.starts(with: [1, 2, 3, 0]))
      expectFailure(.badData, "not this kind") {
        try File.bytes(at: path, limit: 1 << 41) { _ in throw Failure(.badData, at: path, "not this kind") }
      }
      #expect(ContinuousClock.now - start < .seconds(2))
      // A long file that is wanted comes whole.
      #expect(truncate(path, 17 << 20) == 0)
      let whole = try File.bytes(at: path, limit: 1 << 30) { _ in }
      #expect(whole.count == 17 << 20 && whole.starts(with: [1, 2, 3, 0]))
    }
  }
}
