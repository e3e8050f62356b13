import Base
import Foundation
import Testing
import TestSupport

struct AtomicFileTests {
  @Test func writesAndReplaces() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/state.json"
      try AtomicFile.write("first", to: path)
      try AtomicFile.write([1, 2, 3], to: path)
      #expect(try File.bytes(at: path) == [1, 2, 3])
      try AtomicFile.write([], to: path)
      #expect(try File.bytes(at: path) == [])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["state.json"])
    }
  }

  @Test func followsSymbolicLinks() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write("old", to: folder + "/target")
      try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "target")
      try AtomicFile.write("new", to: folder + "/link")
      #expect(try File.text(at: folder + "/target") == "new")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == "target")
    }
  }

  @Test func namesAMissingFolder() throws {
    try withTemporaryFolder { folder in
      expectFailure(.cannotCreate, folder + "/no/file", "does not exist", "mkdir") { try AtomicFile.write("x", to: folder + "/no/file") }
      expectFailure(.cannotCreate, "folder") { try AtomicFile.write("x", to: folder) }
    }
  }

  /// A name that no file system takes makes the last step, the rename, fail.
  @Test func leavesNothingBehind() throws {
    try withTemporaryFolder { folder in
      expectFailure(.cannotCreate) { try AtomicFile.write("x", to: folder + "/" + String(repeating: "n", count: 300)) }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left.isEmpty)
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func reportsAFullDisk() {
    expectFailure(.inputOutput, "disk full", "0 of 3 bytes") { try AtomicFile.write([1, 2, 3], to: "/dev/full") }
    #expect(FileManager.default.fileExists(atPath: "/dev/full"))
  }

  @Test func readsOrNamesWhatIsMissing() throws {
    try withTemporaryFolder { folder in
      expectFailure(.missingInput, folder + "/none", "no such file") { try File.bytes(at: folder + "/none") }
      expectFailure(.missingInput, "folder") { try File.bytes(at: folder) }
      try AtomicFile.write([0xFF, 0xFE], to: folder + "/binary")
      expectFailure(.badData, "UTF-8") { try File.text(at: folder + "/binary") }
      #expect(try File.bytes(at: folder + "/binary", upTo: 1) == [0xFF])
      #expect(try File.bytes(at: folder + "/binary", upTo: 9) == [0xFF, 0xFE])
    }
  }
}
