import Foundation
import Tensors
import Testing
import WeightFiles

/// Training of DETR with dropout, batch statistics, flips, crops and padding: however it is interrupted, and whoever reads the data, it
/// ends with the same bytes.
@Suite struct DetectionResumeTests {
  private static let training = ShortTraining("detr.yaml") { try $0.prepareDetection(plan: ShortTraining.plan) }

  @Test func theReferenceTrains() throws {
    try Self.training.expectRows(with: ["loss_ce", "loss_giou", "class_error", "cardinality_error", "grad_norm"])
  }

  @Test(arguments: [3, 6, 9]) func stoppedAndResumed(step: Int) throws { try Self.training.expectSameWhenStopped(after: step) }

  @Test func killedAndResumed() throws { try Self.training.expectSameWhenKilled() }

  @Test(arguments: ShortTraining.threadsAndWorkers) func threadsAndWorkersChangeNothing(option: [String]) throws {
    try Self.training.expectSame(with: option)
  }

  /// The other tests could not fail if nothing were drawn.
  @Test(arguments: ["model.dropout=0", "augmentation.flip_probability=0", "augmentation.crop_probability=0", "plan.seed=7"])
  func everyRandomSourceIsInUse(option: String) throws { try Self.training.expectOther(with: option) }
}

/// Boxes first, and then masks on the frozen box model: two stages of one config.
@Suite struct DetectionStageTests {
  private static let stages = """
    stages:
    - {name: boxes, steps: 5, loss: {mask: 0, dice: 0}, optimizer: {freeze: ["bbox_attention.*", "mask_head.*"]}}
    - {name: masks, steps: 4, optimizer: {freeze: ["detr.*"], learning_rate: 1.0e-4}}
    """

  private static func workplace() throws -> Workplace {
    let place = try Workplace()
    try place.prepareDetection(
      model: "hidden: 128, heads: 8, masks: true", norm: "frozen", plan: "log_every: 2, evaluate_every: 0, save_every: 2, keep_last: 20",
      more: stages)
    return place
  }

  private static func weights(_ place: Workplace, _ run: String, _ step: Int) throws -> Safetensors {
    try Safetensors(at: place.path("\(Trace.checkpoint(run, step))/model.safetensors"))
  }

  @Test func bothStagesTrainAndResumeAcrossTheBoundary() throws {
    let place = try Self.workplace()
    expectSuccess(try place.apus("train", "detr.yaml", "--work-dir", "run"))
    let log = try place.text("run/train.log")
    #expect(log.contains("stage 'masks' (2 of 2): steps 6 to 9"))
    try Self.expectOnlyItsPartLearns(place)
    // The last row of either part judges masks, too.
    let rows = try place.text("run/metrics.jsonl").split(separator: "\n")
    #expect(rows.filter { $0.contains("\"split\":\"val\"") && $0.contains("\"mask_AP50\":") }.count == 2)
    let masked = rows.filter { $0.contains("\"loss_dice\":") && $0.contains("\"loss_mask\":") }
    let steps = masked.compactMap { $0.firstMatch(of: #/"step":(\d+)/#).flatMap { Int($0.1) } }
    #expect(steps.first == 6 && steps.last == 9)

    // In the first part, exactly at the boundary, and in the second part.
    for step in [4, 5, 6] {
      let run = "resumed-\(step)"
      expectSuccess(try place.apus("train", "detr.yaml", "--work-dir", run, "--resume", Trace.checkpoint("run", step)))
      for name in ["model.safetensors", "optimizer.safetensors"] {
        expectEqualBytes(try place.bytes("\(Trace.checkpoint(run, 9))/\(name)"), try place.bytes("\(Trace.checkpoint("run", 9))/\(name)"),
                         "\(name) after \(run)")
      }
    }
    expectSuccess(try place.apus("train", "detr.yaml", "--work-dir", "other", "--threads", "2", "--set", "train.workers=3"))
    expectEqualBytes(try place.bytes("\(Trace.checkpoint("other", 9))/model.safetensors"),
                     try place.bytes("\(Trace.checkpoint("run", 9))/model.safetensors"), "other workers and threads")
  }

  /// Box parameters move before step 5 only, those of the mask head after it only.
  private static func expectOnlyItsPartLearns(_ place: Workplace) throws {
    let steps = [2, 5, 9]
    let weights = try steps.map { StateDictionary(try Self.weights(place, "run", $0)) }
    func moved(_ a: Int, _ b: Int) -> Set<Bool> {
      // Whether an array that moved belongs to the box model.
      Set(weights[a].entries.compactMap { entry in
        guard let x = entry.tensor, let y = weights[b][entry.name]?.tensor, !x.isIdentical(to: y) else { return nil }
        return entry.name.hasPrefix("detr.")
      })
    }
    #expect(moved(0, 1) == [true])
    #expect(moved(1, 2) == [false])
  }

  @Test func patternsOfTheMaskHeadNeedAMaskHead() throws {
    let place = try Self.workplace()
    let outcome = try place.apus("train", "detr.yaml", "--work-dir", "run", "--set", "model.masks=false")
    // The patterns of the config fit nothing then.
    expectFailure(outcome, 64, ".optimizer.freeze: no parameter is named like '")
  }
}
