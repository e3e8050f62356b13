import Base
import Foundation
import Training
import Vision

/// One metric of tracking: its name and meaning, and where it is found among the counts.
struct TrackingMetric: Sendable {
  let kind: MetricKind
  /// Whether it is a whole number, or else a ratio in percent.
  let isCount: Bool
  /// The number of some sequences; ratios in percent.
  let value: @Sendable (TrackingMetrics) -> Double

  private static func ratio(
    _ name: String, _ meaning: String, better: MetricKind.Direction = .higher, _ value: @escaping @Sendable (TrackingMetrics) -> Double
  ) -> TrackingMetric {
    TrackingMetric(kind: MetricKind(name, unit: "%", meaning, better: better), isCount: false) { 100 * value($0) }
  }

  private static func count(
    _ name: String, _ meaning: String, better: MetricKind.Direction? = nil, _ value: @escaping @Sendable (TrackingMetrics) -> Int
  ) -> TrackingMetric {
    TrackingMetric(kind: MetricKind(name, meaning, better: better), isCount: true) { Double(value($0)) }
  }

  /// As tables show it: counts whole, all else with three decimals.
  func text(_ metrics: TrackingMetrics) -> String { String(format: isCount ? "%.0f" : "%.3f", value(metrics)) }

  static let hota = [
    ratio("HOTA", "higher-order tracking accuracy") { $0.hota.hota },
    ratio("DetA", "detection accuracy") { $0.hota.detA },
    ratio("AssA", "association accuracy") { $0.hota.assA },
    ratio("DetRe", "detection recall") { $0.hota.detRe },
    ratio("DetPr", "detection precision") { $0.hota.detPr },
    ratio("AssRe", "association recall") { $0.hota.assRe },
    ratio("AssPr", "association precision") { $0.hota.assPr },
    ratio("LocA", "localisation accuracy, the mean IoU") { $0.hota.locA },
    ratio("OWTA", "HOTA without a price for false positives") { $0.hota.owta },
    ratio("HOTA(0)", "HOTA at the least threshold") { $0.hota.hota0 },
    ratio("LocA(0)", "LocA at the least threshold") { $0.hota.locA0 },
    ratio("HOTALocA(0)", "product of the two") { $0.hota.hota0 * $0.hota.locA0 },
  ]

  static func clear(_ rule: TrackingRule) -> [TrackingMetric] {
    let motp = rule == .official
      ? ratio("MOTP", "mean IoU of the pairs") { $0.clear.motp }
      : ratio("MOTP", "mean distance 1 - IoU of the pairs", better: .lower) { $0.clear.motpDistance }
    let perFrame = TrackingMetric(kind: MetricKind("FAF", "false positives a frame", better: .lower), isCount: false) {
      $0.clear.falsePositivesPerFrame
    }
    return [
      ratio("MOTA", "1 - (FN + FP + IDsw) / boxes of the ground truth") { $0.clear.mota }, motp,
      ratio("MODA", "MOTA without identity switches") { $0.clear.moda },
      ratio("MOTAL", "MOTA with the decadic logarithm of the switches") { $0.clear.motal },
      ratio("sMOTA", "MOTA with the IoU of a pair in place of 1") { $0.clear.smota },
      ratio("Rcll", "recall of the boxes") { $0.clear.recall },
      ratio("Prcn", "precision of the boxes") { $0.clear.precision },
      ratio("F1", "harmonic mean of both") { $0.clear.f1 },
      perFrame,
      ratio("MTR", "share of mostly tracked tracks") { $0.clear.mostlyTrackedShare },
      ratio("PTR", "share of partly tracked tracks") { $0.clear.partlyTrackedShare },
      ratio("MLR", "share of mostly lost tracks", better: .lower) { $0.clear.mostlyLostShare },
    ]
  }

  static func clearCounts(_ rule: TrackingRule) -> [TrackingMetric] {
    let counts = [
      count("TP", "pairs", better: .higher) { $0.clear.truePositives },
      count("FN", "boxes of the ground truth without a partner", better: .lower) { $0.clear.falseNegatives },
      count("FP", "boxes of the result without a partner", better: .lower) { $0.clear.falsePositives },
      count("IDsw", "identity switches", better: .lower) { $0.clear.identitySwitches },
      count("Frag", "interruptions of tracks", better: .lower) { $0.clear.fragmentations },
      count("MT", "mostly tracked tracks", better: .higher) { $0.clear.mostlyTracked },
      count("PT", "partly tracked tracks") { $0.clear.partlyTracked },
      count("ML", "mostly lost tracks", better: .lower) { $0.clear.mostlyLost },
    ]
    guard rule == .pyMotmetrics else { return counts }
    return counts + [
      count("transfer", "boxes of the result that change their partner", better: .lower) { $0.clear.transfers },
      count("ascend", "identity switches to a new track of the result", better: .lower) { $0.clear.ascends },
      count("migrate", "transfers to a new track of the ground truth", better: .lower) { $0.clear.migrations },
    ]
  }

  static let identity = [
    ratio("IDF1", "F1 of the boxes whose tracks belong together") { $0.identity.f1 },
    ratio("IDP", "their precision") { $0.identity.precision },
    ratio("IDR", "their recall") { $0.identity.recall },
    count("IDTP", "boxes that agree between paired tracks", better: .higher) { $0.identity.truePositives },
    count("IDFN", "other boxes of the ground truth", better: .lower) { $0.identity.falseNegatives },
    count("IDFP", "other boxes of the result", better: .lower) { $0.identity.falsePositives },
  ]

  static let sizes = [
    count("frames", "frames") { $0.clear.frames },
    count("GT_Dets", "boxes of the ground truth") { $0.clear.truthCount },
    count("GT_IDs", "tracks of the ground truth") { $0.clear.trackCount },
    count("Dets", "boxes of the result") { $0.clear.truePositives + $0.clear.falsePositives },
    count("IDs", "tracks of the result") { $0.trackCount },
    count("removed", "boxes of the result on distractors") { $0.removedCount },
  ]

  /// All metrics by a rule, each with its meaning.
  static func all(_ rule: TrackingRule = .official) -> [TrackingMetric] { hota + clear(rule) + clearCounts(rule) + identity + sizes }
}
