import Data
import Foundation
import Testing
import Vision

/// Damaged data and checkpoints: exit code 65 and the file's name, never a crash.
@Suite struct DamageTests {
  // MARK: Data

  @Test(arguments: [("flow.flo", "truncated .flo file: 1000 bytes found, 245772 expected"), ("img2.ppm", "truncated: 1000 bytes found")])
  func truncatedFilesStopTheTraining(file: String, message: String) throws {
    let place = try Workplace()
    try place.generatePairs()
    for pair in 1...8 { try place.truncate("pairs/data/0000\(pair)_\(file)", to: 1000) }
    for workers in ["0", "2"] {
      let outcome = try place.apus("train", "config.yaml", "--work-dir", "run-\(workers)", "--set", "train.workers=\(workers)")
      expectFailure(outcome, 65, "pairs/data/0000", "_\(file): \(message)")
      #expect(try place.text("run-\(workers)/run.json").contains("\"failed\""))
    }
  }

  @Test func aMissingPartnerAndABadSplitListAreNamed() throws {
    let place = try Workplace()
    try place.generatePairs()
    try place.write("pairs/FlyingChairs_train_val.txt", "1\n1\n1\n3\n")
    expectFailure(try place.apus("train", "config.yaml"), 65, "pairs/FlyingChairs_train_val.txt:4: found '3', expected 1")
    try place.remove("pairs/data/00003_img1.ppm")
    expectFailure(try place.apus("train", "config.yaml"), 65, "pairs/data: ", "00003_img1.ppm")
  }

  /// A PNG is cut off, or a byte is flipped in its header, size, pixels or end.
  @Test func corruptPNGsAreNamed() throws {
    let place = try Workplace()
    try place.trainBriefly()
    try place.writePair("real/a", height: 140, width: 150)
    let whole = try place.bytes("real/a_img2.png")
    var damaged = [Array(whole.prefix(whole.count / 2)), Array(whole.prefix(20)), []]
    for offset in [0, 18, 30, whole.count / 2] {
      var bytes = whole
      bytes[offset] ^= 0xFF
      damaged.append(bytes)
    }
    let options = ["--weights", "run", "--set", "validation.format=pairs", "--set", "validation.root=real"]
    for bytes in damaged {
      try place.write("real/a_img2.png", bytes)
      expectFailure(try place.apus(["evaluate", "config.yaml"] + options), 65, "real/a_img2.png: ")
      expectFailure(try place.apus("predict", "config.yaml", "--weights", "run", "--source", "real", "--out", "flow"), 65, "real/a_img2.png: ")
    }
    try place.write("real/a_img2.png", whole)
    expectSuccess(try place.apus(["evaluate", "config.yaml"] + options))
  }

  @Test func unknownFlowCannotBeJudged() throws {
    let place = try Workplace()
    try place.trainBriefly()
    try place.writePair("real/a", height: 140, width: 150)
    try FlowField(height: 140, width: 150, vectors: Array(repeating: 0, count: 2 * 140 * 150), isValid: Array(repeating: false, count: 140 * 150))
      .write(to: place.path("real/a_flow.flo"))
    expectFailure(
      try place.apus("evaluate", "config.yaml", "--weights", "run", "--set", "validation.format=pairs", "--set", "validation.root=real"),
      65, "validation: the flow of all 1 pairs is unknown everywhere", "validation.root")
  }

  /// Nothing known in any pair: nothing to learn from, and the training and what would judge it say so.
  @Test func unknownFlowCannotBeLearned() throws {
    let place = try Workplace()
    for pair in ["a", "b", "c"] {
      try place.writePair("real/\(pair)", height: 140, width: 150)
      try FlowField(height: 140, width: 150, vectors: Array(repeating: 0, count: 2 * 140 * 150), isValid: Array(repeating: false, count: 140 * 150))
        .write(to: place.path("real/\(pair)_flow.flo"))
    }
    let options = ["--set", "data.format=pairs", "--set", "data.root=real", "--set", "validation.format=none"]
    for batch in ["1", "2"] {
      let outcome = try place.apus(["train", "config.yaml", "--work-dir", "run-\(batch)", "--steps", "9", "--set", "train.batch_size=\(batch)"] + options)
      expectFailure(outcome, 65, "data: the flow of all 3 pairs is unknown everywhere: there is nothing to learn from", "'data.root'")
      #expect(try place.text("run-\(batch)/run.json").contains("\"failed\""))
    }
    // One pair with known flow is enough, however long the others follow each other across epochs.
    try place.writePair("real/b", height: 140, width: 150)
    expectSuccess(try place.apus(["train", "config.yaml", "--work-dir", "run", "--steps", "24"] + options))
  }

  @Test func sizesThatDifferAreNamed() throws {
    let place = try Workplace()
    try place.trainBriefly()
    try place.writePair("real/a", height: 140, width: 150)
    try Workplace.picture(height: 140, width: 151).write(to: place.path("real/a_img2.png"))
    expectFailure(
      try place.apus("evaluate", "config.yaml", "--weights", "run", "--set", "validation.format=pairs", "--set", "validation.root=real"),
      65, "real/a_img2.png: the size is 151 x 140, expected 150 x 140")
    expectFailure(try place.apus("predict", "config.yaml", "--weights", "run", "--source", "real", "--out", "flow"), 65, "real/a_img2.png: ",
                  "151", "150")
  }

  // MARK: Checkpoints

  @Test(arguments: ["model.safetensors", "optimizer.safetensors", "state.json", "MANIFEST.json"])
  func oneFlippedByteIsFound(file: String) throws {
    let place = try Workplace()
    try place.trainBriefly()
    let damaged = "run/checkpoints/step_00000004"
    let good = try place.bytes("\(damaged)/model.safetensors")
    try place.flipByte(of: "\(damaged)/\(file)", at: try place.bytes("\(damaged)/\(file)").count / 2)

    expectFailure(try place.apus("train", "config.yaml", "--resume", damaged), 65, "\(damaged)/\(file): ", "resume from run/checkpoints/step_00000002")
    expectFailure(try place.apus("evaluate", "config.yaml", "--weights", damaged), 65, "\(damaged)/\(file): ")
    expectFailure(try place.apus("evaluate", "config.yaml", "--weights", "\(damaged)/model.safetensors"), 65, "\(damaged)/\(file): ")
    expectFailure(try place.apus("train", "config.yaml", "--work-dir", "other", "--load-from", damaged), 65, "\(damaged)/\(file): ")
    #expect(!place.exists("other"))

    let resumed = try place.apus("train", "config.yaml", "--work-dir", "run", "--resume", "auto")
    #expect(resumed.exit == 0)
    #expect(resumed.errors.contains("warning: \(damaged)/\(file): "), "\(resumed.errors)")
    #expect(resumed.errors.contains("resuming run after step 2"), "\(resumed.errors)")
    expectEqualBytes(try place.bytes("\(damaged)/model.safetensors"), good, "model.safetensors")
  }

  /// Commands that read a run take the newest sound checkpoint, as a resume does, whatever is damaged: the checkpoint that the pointers name,
  /// or the pointers.
  @Test func commandsThatReadARunFallBack() throws {
    let place = try Workplace()
    try place.trainBriefly()
    func evaluated(_ weights: String) throws -> Outcome { try place.apus("evaluate", "config.yaml", "--weights", weights, "--json") }
    let older = try evaluated("run/checkpoints/step_00000002")
    let newer = try evaluated("run")
    expectSuccess(older)
    #expect(older.output != newer.output)

    #expect(try place.text("run/best_checkpoint") == "checkpoints/step_00000004\n")
    for pointer in ["best_checkpoint", "last_checkpoint"] { try place.write("run/\(pointer)", "chaos\n") }
    let unpointed = try evaluated("run")
    #expect(unpointed.exit == 0 && unpointed.output == newer.output, "\(unpointed.errors)")
    #expect(unpointed.errors.contains("weights: the newest checkpoint of run, step 4"), "\(unpointed.errors)")

    let damaged = "run/checkpoints/step_00000004"
    try place.truncate("\(damaged)/model.safetensors", to: 1000)
    for pointer in ["checkpoints/step_00000004\n", "chaos\n"] {
      for name in ["best_checkpoint", "last_checkpoint"] { try place.write("run/\(name)", pointer) }
      let fallen = try evaluated("run")
      #expect(fallen.exit == 0 && fallen.output == older.output, "\(fallen.errors)")
      #expect(fallen.errors.contains("warning: \(damaged)/model.safetensors: "), "\(fallen.errors)")
      #expect(fallen.errors.contains("weights: the newest sound checkpoint of run, step 2"), "\(fallen.errors)")
    }
    try place.truncate("run/checkpoints/step_00000002/model.safetensors", to: 1000)
    expectFailure(try evaluated("run"), 65, "\(damaged)/model.safetensors: ")
  }

  @Test func weightsThatAreNoNumbersAreRefused() throws {
    let place = try Workplace()
    try place.trainBriefly()
    var file = try place.bytes("run/checkpoints/step_00000004/model.safetensors")
    file.replaceSubrange(file.count - 4 ..< file.count, with: [0, 0, 0xC0, 0x7F])  // the last array, of the last name
    try place.write("nan.safetensors", file)
    for command in [["evaluate"], ["predict", "--source", "pairs/data", "--out", "flow"]] {
      expectFailure(try place.apus(command + ["config.yaml", "--weights", "nan.safetensors"]), 65,
                    "nan.safetensors: the parameter 'update_block.gru.convz.weight' holds infinities or NaN")
    }
  }

  @Test func aRunWithoutASoundCheckpoint() throws {
    let place = try Workplace()
    try place.trainBriefly()
    for step in [2, 4] { try place.truncate("run/checkpoints/step_0000000\(step)/optimizer.safetensors", to: 100) }
    expectFailure(try place.apus("train", "config.yaml", "--resume", "run"), 65, "run: this run folder has no sound checkpoint")
    // Starting over would bury the two that may still be saved.
    let before = try place.names(in: "run/checkpoints")
    let outcome = try place.apus("train", "config.yaml", "--work-dir", "run", "--resume", "auto")
    expectFailure(outcome, 65, "run: this run has checkpoints, but none that can be used: run/checkpoints/step_00000004/optimizer.safetensors",
                  "choose another --work-dir")
    #expect(try place.names(in: "run/checkpoints") == before)
  }

  @Test func aCheckpointOfAnotherModelIsRefused() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let options = ["--set", "model.correlation_radius=4"]
    expectFailure(try place.apus(["train", "config.yaml", "--work-dir", "run", "--resume", "auto"] + options), 65,
                  "run/checkpoints/step_00000004/model.safetensors: ", "update_block.encoder.convc1.weight is [96, 196, 1, 1], expected [96, 324, 1, 1]",
                  "run/checkpoints/step_00000004/config.yaml")
    expectFailure(try place.apus(["evaluate", "config.yaml", "--weights", "run"] + options), 65, "model.safetensors: ", "convc1.weight")
  }
}
