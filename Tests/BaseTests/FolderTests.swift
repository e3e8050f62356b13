import Base
import Foundation
import Testing
import TestSupport

/// Entries of folders are judged by what they are.
@Suite struct FolderTests {
  /// Something of every kind under names that all look like pictures.
  private func fill(_ folder: String) throws {
    for name in ["f10.png", "f9.png", ".hidden.png", "._f9.png"] { try AtomicFile.write("x", to: "\(folder)/\(name)") }
    try File.createFolder("\(folder)/thumbs.png/inside")
    try File.createFolder("\(folder)/scene")
    #expect(mkfifo("\(folder)/pipe.png", 0o600) == 0)
    #expect(symlink("f9.png", "\(folder)/link.png") == 0)
    #expect(symlink("scene", "\(folder)/linked") == 0)
  }

  @Test func filesAndFoldersByWhatTheyAre() throws {
    try withTemporaryFolder { folder in
      try fill(folder)
      #expect(try Folder.files(in: folder) == ["f9.png", "f10.png", "link.png"])
      #expect(try Folder.folders(in: folder) == ["linked", "scene", "thumbs.png"])
      #expect(try Folder.files(in: folder, where: { $0.hasPrefix("f") }) == ["f9.png", "f10.png"])
    }
  }

  @Test func aLinkToNothingIsRefusedByNameIfItIsWanted() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write("x", to: "\(folder)/f1.png")
      #expect(symlink("gone.png", "\(folder)/f2.png") == 0)
      #expect(symlink("loop.txt", "\(folder)/loop.txt") == 0)
      expectFailure(.badData, "f2.png", "this link leads to nothing") { try Folder.files(in: folder, where: { $0.hasSuffix(".png") }) }
      #expect(try Folder.files(in: folder, where: { $0 == "f1.png" }) == ["f1.png"])
    }
  }

  @Test func aNameThatIsNotUTF8IsRefusedIfItIsWanted() throws {
    try withTemporaryFolder { folder in
      for name in ["Stra\u{DF}e_1.png", "Stra\u{DF}e.txt"] {
        let latin1 = Array("\(folder)/".utf8) + name.unicodeScalars.map { UInt8($0.value) } + [0]
        let descriptor = latin1.withUnsafeBufferPointer { bytes in
          bytes.withMemoryRebound(to: CChar.self) { open($0.baseAddress ?? UnsafePointer(bitPattern: 1)!, O_CREAT | O_WRONLY, 0o600) }
        }
        try #require(descriptor >= 0)
        close(descriptor)
      }
      expectFailure(.badData, folder, "e_1.png' is not UTF-8", "convmv") { try Folder.files(in: folder, where: { $0.hasSuffix(".png") }) }
      #expect(try Folder.files(in: folder, where: { $0.hasSuffix(".jpg") }) == [])
    }
  }

  @Test func whatCannotBeListed() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write("x", to: "\(folder)/file")
      expectFailure(.missingInput, "there is no such folder") { try Folder.files(in: "\(folder)/none") }
      expectFailure(.missingInput, "this is a file, expected a folder") { try Folder.files(in: "\(folder)/file") }
      try File.createFolder("\(folder)/closed")
      #expect(chmod("\(folder)/closed", 0) == 0)
      defer { chmod("\(folder)/closed", 0o700) }
      guard geteuid() != 0 else { return }  // nothing is closed to root
      expectFailure(.inputOutput, "closed", "cannot be read: Permission denied") { try Folder.files(in: "\(folder)/closed") }
    }
  }
}
