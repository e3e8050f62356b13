import Base
import Foundation
import Testing
import Training

/// `apus evaluate --samples`: the numbers of single samples give the metrics of the set again.
@Suite struct SampleNumberTests {
  private static let plan = "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0"

  /// Trains two steps, evaluates twice, and compares.
  /// - Parameter metrics: those that the samples must have.
  private func check(
    _ place: Workplace, _ config: String, samples: Int, _ metrics: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    expectSuccess(try place.apus("train", config, "--work-dir", "run"), sourceLocation: sourceLocation)
    let outcome = try place.apus("evaluate", config, "--weights", "run", "--json", "--samples", "samples.csv")
    #expect(outcome.exit == 0, "\(outcome.errors)", sourceLocation: sourceLocation)
    let numbers = try JSONDecoder().decode([String: Double?].self, from: Foundation.Data(outcome.output.utf8))
    let table = try SampleTable(csv: place.text("samples.csv"), at: "samples.csv")
    #expect(table.names.count == samples && Set(table.names).count == samples, sourceLocation: sourceLocation)
    for metric in metrics { #expect(table.metrics.contains(metric), "\(metric) in \(table.metrics)", sourceLocation: sourceLocation) }
    for metric in table.metrics {
      guard let whole = numbers[metric] ?? nil, let own = table.value(of: metric) else {
        Issue.record("\(metric) is not among the metrics of the set: \(outcome.output)", sourceLocation: sourceLocation)
        continue
      }
      #expect(abs(whole - own) <= 1e-9 * max(1, abs(whole)), "\(metric): \(whole) and \(own)", sourceLocation: sourceLocation)
    }
    _ = try place.apus("evaluate", config, "--weights", "run", "--samples", "again.csv", "--threads", "2")
    expectEqualBytes(try place.bytes("again.csv"), try place.bytes("samples.csv"), "samples.csv", sourceLocation: sourceLocation)
  }

  @Test func pairs() throws {
    let place = try Workplace(plan: Self.plan)
    try place.generatePairs()
    try check(place, "config.yaml", samples: 2, ["epe", "1px", "kitti_epe", "kitti_f1", "s0-10"])
  }

  @Test func detections() throws {
    let place = try Workplace()
    try place.prepareDetection(plan: Self.plan)
    try check(place, "detr.yaml", samples: 4, ["image_AP", "image_AP50"])
  }

  @Test func bodies() throws {
    let place = try Workplace()
    try place.preparePose(plan: Self.plan)
    try check(place, "pose.yaml", samples: 4, ["OKS"])
  }

  @Test func labels() throws {
    let place = try Workplace()
    try place.prepareSegmentation(plan: Self.plan)
    try check(place, "seg.yaml", samples: 3, ["mIoU", "pixel_accuracy", "mean_accuracy", "image_mIoU"])
  }

  @Test func completions() throws {
    let place = try Workplace()
    try place.prepareInpainting(plan: Self.plan)
    try check(place, "mat.yaml", samples: 3, ["L1_hole", "L1", "PSNR", "SSIM"])
  }
}
