import Base
import Foundation
import Testing
import TestSupport

/// Only "no such file" counts as absence.
struct UnreadableFileTests {
  @Test func absenceIsTold() throws {
    try withTemporaryFolder { folder in
      #expect(try File.kind(at: folder + "/none") == nil)
      #expect(try File.kind(at: folder + "/none/below") == nil)
      #expect(try File.kind(at: folder + "/" + String(repeating: "n", count: 300)) == nil)
      #expect(try File.bytesIfPresent(at: folder + "/none") == nil)
      #expect(try File.entries(of: folder + "/none") == [])
      try AtomicFile.write([1], to: folder + "/file")
      #expect(try File.kind(at: folder + "/file/below") == nil)
      #expect(try File.kind(at: folder + "/file") == .file)
      #expect(try File.kind(at: folder) == .folder)
      #expect(try File.kind(at: "/dev/null") == .other)
      #expect(try File.entries(of: folder) == ["file"])
      try FileManager.default.createSymbolicLink(atPath: folder + "/gone", withDestinationPath: "nowhere")
      #expect(try File.kind(at: folder + "/gone") == nil)
    }
  }

  @Test func aCircleOfLinksIsNotAbsence() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createSymbolicLink(atPath: folder + "/a", withDestinationPath: "b")
      try FileManager.default.createSymbolicLink(atPath: folder + "/b", withDestinationPath: "a")
      expectFailure(.inputOutput, folder + "/a", "cannot be read") { try File.kind(at: folder + "/a") }
      expectFailure(.inputOutput, folder + "/a", "cannot be read") { try File.bytes(at: folder + "/a") }
    }
  }

  @Test func missingPermissionIsNotAbsence() async throws {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        try File.createFolder(folder + "/closed/inner")
        try AtomicFile.write("x", to: folder + "/secret")
        chmod(folder, 0o777)
        chmod(folder + "/secret", 0)
        chmod(folder + "/closed", 0)
        if geteuid() == 0 { _ = seteuid(65534) }
        func fails(_ body: () throws -> Void) -> Bool {
          do { try body() } catch { return (error as? Failure)?.kind == .inputOutput }
          return false
        }
        require(fails { _ = try File.bytes(at: folder + "/secret") }, "bytes")
        require(fails { _ = try File.bytesIfPresent(at: folder + "/secret") }, "bytesIfPresent")
        require(fails { _ = try File.exists(folder + "/closed/inner") }, "exists")
        require(fails { _ = try File.kind(at: folder + "/closed/inner") }, "kind")
        require(fails { _ = try Folder.files(in: folder + "/closed") }, "files")
        require(fails { _ = try File.entries(of: folder + "/closed") }, "entries")
        require(fails { try File.createFolder(folder + "/closed/inner/more") }, "createFolder")
        _ = seteuid(0)
        chmod(folder + "/closed", 0o777)
      }
    }
  }

  @Test func tooManyOpenFilesIsNotAbsence() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        try AtomicFile.write("x", to: folder + "/file")
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        getrlimit(__rlimit_resource_t(7), &limit)  // RLIMIT_NOFILE
        let old = limit
        limit.rlim_cur = 0
        setrlimit(__rlimit_resource_t(7), &limit)
        func remedy(_ body: () throws -> Void) -> String {
          do { try body() } catch { return (error as? Failure)?.remedy ?? "" }
          return ""
        }
        let texts = [remedy { _ = try File.bytes(at: folder + "/file") }, remedy { _ = try File.entries(of: folder) },
                     remedy { try AtomicFile.write("y", to: folder + "/file") }]
        var back = old
        setrlimit(__rlimit_resource_t(7), &back)
        require(texts.allSatisfy { $0.contains("ulimit -n") }, "\(texts)")
      }
    }
  }

  @Test func treesGoAndLinksAreNotFollowed() throws {
    try withTemporaryFolder { folder in
      try File.createFolder(folder + "/tree/a/b")
      try AtomicFile.write("x", to: folder + "/tree/a/file")
      try AtomicFile.write("keep", to: folder + "/target")
      try FileManager.default.createSymbolicLink(atPath: folder + "/tree/link", withDestinationPath: "../target")
      try File.removeTree(folder + "/tree")
      try File.removeTree(folder + "/tree")  // nothing there is no error
      #expect(try File.entries(of: folder) == ["target"])
    }
  }

  @Test func aNewFolderIsMadeOnce() throws {
    try withTemporaryFolder { folder in
      let made = [try File.createNewFolder(folder + "/new"), try File.createNewFolder(folder + "/new")]
      #expect(made == [true, false])
      expectFailure(.cannotCreate, "file") { try File.createFolder("/dev/null/x") }
    }
  }

  @Test func aLockKnowsItsFolder() throws {
    try withTemporaryFolder { folder in
      try File.createFolder(folder + "/a")
      let lock = try FolderLock(folder: folder + "/a", what: "run folder")
      #expect(try lock.isHeld())
      expectFailure(.cannotCreate, "another process (pid \(getpid())", "run folder") { try FolderLock(folder: folder + "/a", what: "run folder") }
      rename(folder + "/a", folder + "/b")
      #expect(try !lock.isHeld())
      #expect(lock.presentFolder.map { Path.name($0) } == "b")
      try File.createFolder(folder + "/a")
      let second = try FolderLock(folder: folder + "/a")
      #expect(try !lock.isHeld())
      #expect(try second.isHeld())
      try FileManager.default.removeItem(atPath: folder + "/b")
      #expect(lock.presentFolder == nil)
    }
  }

  /// The same lock on the folder itself leaves nothing in it.
  @Test func aFolderIsLockedItself() throws {
    try withTemporaryFolder { folder in
      let lock = try FolderLock(itself: folder, occupied: "another one is at work here", remedy: "Wait.")
      #expect(try lock.isHeld() && File.entries(of: folder).isEmpty)
      expectFailure(.cannotCreate, folder, "another one is at work here", "Wait.") {
        try FolderLock(itself: folder, occupied: "another one is at work here", remedy: "Wait.")
      }
      withExtendedLifetime(lock) {}
      expectFailure(.cannotCreate, "the folder cannot be opened") { try FolderLock(itself: folder + "/none", occupied: "", remedy: "") }
    }
  }

  @Test(arguments: [(".partial-12-3", true), (".partial-12", false), (".partial-a-3", false), (".partial--3", false), ("x.partial-1-2", false)])
  func temporaryNames(name: String, isTemporary: Bool) { #expect(AtomicFile.isTemporary(name) == isTemporary) }

  @Test func partsOfPaths() {
    #expect(Path.name("a/b.png") == "b.png" && Path.name("a/b/") == "b" && Path.name("/") == "/")
    #expect(Path.stem("a/b.c.png") == "b.c" && Path.stem("a/.hidden") == ".hidden" && Path.stem("..") == "..")
    #expect(Path.fileExtension("a/b.PNG") == "png" && Path.fileExtension("a.d/b") == "" && Path.fileExtension(".hidden") == "")
    #expect(Path.normalized("configs/raft/../base.yaml") == "configs/base.yaml" && Path.normalized("./a/./b") == "a/b")
    #expect(Path.normalized("../a") == "../a")
    #expect(File.folder(of: "a/b") == "a" && File.folder(of: "a") == "." && File.folder(of: "/a") == "/" && File.folder(of: "/") == "/")
  }

  @Test func allFilesBelowAFolder() throws {
    try withTemporaryFolder { folder in
      try File.createFolder(folder + "/a/b")
      for name in ["x", "a/y", "a/b/z"] { try AtomicFile.write("1", to: "\(folder)/\(name)") }
      #expect(try File.files(below: folder).sorted() == ["a/b/z", "a/y", "x"])
      #expect(try File.files(below: folder + "/none") == [])
      for name in [".partial-1-1", "a/.partial-1-2", "a/b/.partial-1-3"] { try Data().write(to: URL(filePath: "\(folder)/\(name)")) }
      try AtomicFile.removeLeftovers(besides: [folder + "/x", folder + "/a/y"])
      #expect(try File.files(below: folder).sorted() == ["a/b/.partial-1-3", "a/b/z", "a/y", "x"])
    }
  }

  @Test func numbersAndTexts() {
    #expect(7.padded(to: 3) == "007" && 1234.padded(to: 3) == "1234" && UInt32(255).padded(to: 4, radix: 16) == "00ff")
    #expect("a\"b\\c\n".quotedJSON == #""a\"b\\c\u000a""#)
  }
}
