import Base
import Foundation
import Testing

/// A small file system in memory.
private struct SmallDisk {
  let path: String

  /// nil if this process may not mount anything.
  init?(at path: String, mebibytes: Int) {
    self.path = path
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard SmallDisk.run("mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", path) else { return nil }
  }

  /// Call this before the folder around it is deleted.
  func unmount() { _ = SmallDisk.run("umount", path) }

  func resize(mebibytes: Int) -> Bool { SmallDisk.run("mount", "-o", "remount,size=\(mebibytes)m", path) }

  static let isPossible: Bool = {
    guard geteuid() == 0 else { return false }
    let path = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path(percentEncoded: false)
    defer { rmdir(path) }
    let disk = SmallDisk(at: path, mebibytes: 1)
    disk?.unmount()
    return disk != nil
  }()

  private static func run(_ command: String...) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}

/// A disk that is full ends a command with 74 and one message, and costs nothing that was there before.
@Suite(.enabled(if: SmallDisk.isPossible, "needs the right to mount a file system")) struct FullDiskTests {
  @Test func trainingKeepsItsCheckpointAndGoesOnLater() throws {
    let place = try Workplace()
    try place.trainBriefly()
    // A checkpoint takes 12 MiB: there is room for one and a half.
    let disk = try #require(SmallDisk(at: place.path("disk"), mebibytes: 18))
    defer { disk.unmount() }
    let arguments = ["train", "config.yaml", "--work-dir", "disk/run", "--resume", "auto"]
    expectFailure(try place.apus(arguments), 74, "disk/run/checkpoints/step_00000004.partial/", "disk full", "free some space on this disk",
                  "--resume auto", "the checkpoint of step 2 is untouched")
    #expect(try place.names(in: "disk/run/checkpoints") == ["step_00000002"])
    #expect(try place.text("disk/run/last_checkpoint") == "checkpoints/step_00000002\n")
    expectEqualBytes(try place.bytes("disk/run/checkpoints/step_00000002/model.safetensors"),
                     try place.bytes("run/checkpoints/step_00000002/model.safetensors"), "the checkpoint of step 2")
    expectFailure(try place.apus(arguments), 74, "disk full")  // and again from there

    #expect(disk.resize(mebibytes: 64))
    let resumed = try place.apus(arguments)
    expectSuccess(resumed)
    #expect(resumed.errors.contains("resuming disk/run after step 2"))
    for file in ["checkpoints/step_00000004/model.safetensors", "checkpoints/step_00000004/optimizer.safetensors", "metrics.csv"] {
      expectEqualBytes(try place.bytes("disk/run/\(file)"), try place.bytes("run/\(file)"), "\(file) against the run without interruption")
    }
  }

  @Test func generatedDataAndResults() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let disk = try #require(SmallDisk(at: place.path("disk"), mebibytes: 1))
    defer { disk.unmount() }
    expectFailure(try place.apus("synth", "flow", "--out", "disk/pairs", "--count", "8", "--seed", "1", "--height", "160", "--width", "192"), 74,
                  "disk/pairs/data/0000", "disk full", "Free some space")
    #expect(!place.exists("disk/pairs/FlyingChairs_train_val.txt"))
    expectFailure(try place.apus("predict", "config.yaml", "--weights", "run", "--source", "pairs/data", "--out", "disk/flow"), 74,
                  "disk/", "disk full")
  }
}
