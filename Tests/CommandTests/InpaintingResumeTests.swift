import Base
import Foundation
import Testing
import WeightFiles

/// Adversarial training with lazy regularisation, style mixing, noise and an average: however it is interrupted, and whoever reads the data,
/// it ends with the same bytes.
@Suite struct InpaintingResumeTests {
  private static let training = ShortTraining("mat.yaml") { try $0.prepareInpainting(plan: ShortTraining.plan) }

  @Test func theReferenceTrains() throws {
    try Self.training.expectRows(with: ["loss_g", "loss_d", "r1", "l1", "grad_norm_g", "grad_norm_d", "lr", "lr_d", "kimg"])
    let rows = try Self.training.reference.get().rows
    #expect(rows.contains { $0.contains("\"split\":\"val\"") && $0.contains("\"L1_hole\":") && $0.contains("\"images\":3.0") })
    // The mean of steps 1 to 5, at two images each.
    #expect(rows[0].contains("\"kimg\":0.006"), "\(rows[0])")
    // 1e-3 · 4 / 5 and 1e-3 · 4 / 5: both intervals are 4.
    #expect(rows[0].contains("\"lr\":0.0008") && rows[0].contains("\"lr_d\":0.0008"), "\(rows[0])")
  }

  /// Steps 3 and 9 are in the middle of a cycle of four: every part of the checkpoint is the same.
  @Test(arguments: [3, 9]) func stoppedAndResumed(step: Int) throws {
    try Self.training.expectSameWhenStopped(after: step)
    func parts(stopping: Bool) throws -> [String: [UInt8]] {
      let place = try Self.training.workplace()
      if stopping { expectSuccess(try Self.training.train(place, "--steps", "\(step)")) }
      #expect(try Self.training.train(place).exit == 0)  // with a warning that there were fewer steps
      let folder = Trace.checkpoint("run", ShortTraining.steps)
      let names = try place.names(in: folder).filter { $0.hasSuffix(".safetensors") }
      return Dictionary(uniqueKeysWithValues: try names.map { ($0, try place.bytes("\(folder)/\($0)")) })
    }
    let (whole, resumed) = (try parts(stopping: false), try parts(stopping: true))
    #expect(whole.keys.sorted() == ["ema", "model", "optimizer", "optimizer_d", "progress"].map { "\($0).safetensors" })
    for (name, bytes) in whole { expectEqualBytes(try #require(resumed[name]), bytes, name) }
    let progress = try Safetensors(bytes: try #require(whole["progress.safetensors"]), name: "progress")
    #expect(progress.metadata["images"] == "24" && progress.metadata["phases"] == "12 0 12 3" && progress.metadata["replaced"] == "0")
  }

  @Test func killedAndResumed() throws { try Self.training.expectSameWhenKilled() }

  @Test(arguments: ShortTraining.threadsAndWorkers) func threadsAndWorkersChangeNothing(option: [String]) throws {
    try Self.training.expectSame(with: option)
  }

  /// The other tests could not fail if nothing were drawn or done.
  @Test(arguments: ["augmentation.mirror=false", "loss.style_mixing=0", "loss.truncation=1", "loss.r1_interval=5", "plan.seed=7"])
  func everythingIsInUse(option: String) throws { try Self.training.expectOther(with: option) }
}
