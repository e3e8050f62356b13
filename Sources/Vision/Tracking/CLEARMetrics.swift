import Foundation

/// The CLEAR MOT metrics as counts; sequences combine by adding.
///
/// ```swift
/// var all = CLEARMetrics(first)
/// all += CLEARMetrics(second)
/// print(all.mota, all.identitySwitches)
/// ```
/// Ratios without a denominator (no ground truth, no result) are 0.
/// - Source: Bernardin, Stiefelhagen 2008; the rules are those of TrackEval and py-motmetrics.
public struct CLEARMetrics: Sendable, Equatable {
  /// Frames of all sequences. TrackEval leaves out sequences without any result or truth, so that its FAF is larger there.
  public internal(set) var frames = 0
  /// Pairs of a box of the ground truth and a hypothesis.
  public internal(set) var truePositives = 0
  /// Boxes of the ground truth without a partner: misses.
  public internal(set) var falseNegatives = 0
  /// Hypotheses without a partner.
  public internal(set) var falsePositives = 0
  /// Pairs in which a track of the ground truth has another partner than the last time.
  public internal(set) var identitySwitches = 0
  /// Interruptions of tracks that are found again later.
  public internal(set) var fragmentations = 0
  /// Tracks of the ground truth that are found in more than 80 % of their frames (py-motmetrics: 80 % or more).
  public internal(set) var mostlyTracked = 0
  /// Tracks that are neither mostly tracked nor mostly lost.
  public internal(set) var partlyTracked = 0
  /// Tracks that are found in less than 20 % of their frames.
  public internal(set) var mostlyLost = 0
  /// Sum of the IoU of all pairs.
  public internal(set) var iouSum = 0.0
  /// Pairs in which a hypothesis had another partner before; only py-motmetrics counts these three.
  public internal(set) var transfers = 0
  /// Identity switches to a hypothesis that had no partner before.
  public internal(set) var ascends = 0
  /// Transfers to a track of the ground truth that had no partner before.
  public internal(set) var migrations = 0

  /// The counts of no sequence.
  public init() {}

  public init(_ comparison: TrackingComparison, rule: TrackingRule = .official) {
    switch rule {
    case .official: self = Self.official(comparison)
    case .pyMotmetrics: self = Self.reattaching(comparison)
    }
  }

  public static func += (sum: inout CLEARMetrics, other: CLEARMetrics) {
    sum.frames += other.frames
    sum.truePositives += other.truePositives
    sum.falseNegatives += other.falseNegatives
    sum.falsePositives += other.falsePositives
    sum.identitySwitches += other.identitySwitches
    sum.fragmentations += other.fragmentations
    sum.mostlyTracked += other.mostlyTracked
    sum.partlyTracked += other.partlyTracked
    sum.mostlyLost += other.mostlyLost
    sum.iouSum += other.iouSum
    sum.transfers += other.transfers
    sum.ascends += other.ascends
    sum.migrations += other.migrations
  }

  // MARK: Ratios

  /// Boxes of the ground truth.
  public var truthCount: Int { truePositives + falseNegatives }
  /// Tracks of the ground truth.
  public var trackCount: Int { mostlyTracked + partlyTracked + mostlyLost }

  /// Accuracy, `1 - (FN + FP + IDsw) / GT`: at most 1, and negative if there are more errors than boxes.
  public var mota: Double { ratio(truePositives - falsePositives - identitySwitches, truthCount) }
  /// MOTA without identity switches.
  public var moda: Double { ratio(truePositives - falsePositives, truthCount) }
  /// MOTA with the decadic logarithm of the identity switches.
  public var motal: Double {
    let switches = identitySwitches > 0 ? log10(Double(identitySwitches)) : 0
    return truthCount == 0 ? 0 : (Double(truePositives - falsePositives) - switches) / Double(truthCount)
  }
  /// MOTA with the IoU of a pair in place of 1.
  public var smota: Double { truthCount == 0 ? 0 : (iouSum - Double(falsePositives + identitySwitches)) / Double(truthCount) }
  /// Precision of the boxes: the mean IoU of the pairs, higher is better.
  public var motp: Double { truePositives == 0 ? 0 : iouSum / Double(truePositives) }
  /// Precision of the boxes as py-motmetrics has it: the mean distance 1 - IoU of the pairs, lower is better.
  public var motpDistance: Double { truePositives == 0 ? 0 : 1 - motp }
  public var recall: Double { ratio(truePositives, truthCount) }
  public var precision: Double { ratio(truePositives, truePositives + falsePositives) }
  public var f1: Double { ratio(2 * truePositives, 2 * truePositives + falseNegatives + falsePositives) }
  /// False positives a frame (FAF).
  public var falsePositivesPerFrame: Double { ratio(falsePositives, frames) }
  public var mostlyTrackedShare: Double { ratio(mostlyTracked, trackCount) }
  public var partlyTrackedShare: Double { ratio(partlyTracked, trackCount) }
  public var mostlyLostShare: Double { ratio(mostlyLost, trackCount) }
}

/// `numerator / denominator`; 0 without a denominator.
func ratio(_ numerator: Int, _ denominator: Int) -> Double { denominator == 0 ? 0 : Double(numerator) / Double(denominator) }

// MARK: Counting

extension CLEARMetrics {
  /// Worth of keeping the partner of the frame before, beside an IoU of at most 1.
  private static let continuation = 1000.0

  /// TrackEval's rule: in each frame one assignment, which keeps pairs of the frame before wherever it can and then has the largest sum of
  /// IoU. A frame in which one side is empty changes no partner.
  private static func official(_ comparison: TrackingComparison) -> CLEARMetrics {
    var metrics = CLEARMetrics()
    var history = TrackHistories(lengths: comparison.truthLengths)
    metrics.frames = comparison.frames.count
    for frame in comparison.frames {
      guard !frame.truths.isEmpty, !frame.hypotheses.isEmpty else {
        metrics.falsePositives += frame.hypotheses.count
        metrics.falseNegatives += frame.truths.count
        continue
      }
      let allowed = frame.overlaps.filter { TrackingRule.official.allows($0.iou) }
      let edges = allowed.map { pair in
        let isContinued = history.previous[frame.truths[pair.truth]] == frame.hypotheses[pair.hypothesis]
        return LinearAssignment.Edge(
          row: pair.truth, column: pair.hypothesis, weight: isContinued ? continuation + pair.iou : pair.iou)
      }
      let pairs = LinearAssignment.heaviest(edges).map { allowed[$0] }
      for pair in pairs {
        metrics.iouSum += pair.iou
        let truth = frame.truths[pair.truth]
        if let last = history.last[truth], last != frame.hypotheses[pair.hypothesis] { metrics.identitySwitches += 1 }
      }
      history.add(pairs.map { (frame.truths[$0.truth], frame.hypotheses[$0.hypothesis]) })
      metrics.truePositives += pairs.count
      metrics.falseNegatives += frame.truths.count - pairs.count
      metrics.falsePositives += frame.hypotheses.count - pairs.count
    }
    metrics.fragmentations = history.starts.reduce(0) { $0 + max(0, $1 - 1) }
    metrics.countTracks(history.found, comparison.truthLengths) { $0 > 0.8 }
    return metrics
  }

  /// Adds the tracks by the share of their frames in which they were found.
  mutating func countTracks(_ found: [Int], _ lengths: [Int], isMostlyTracked: (Double) -> Bool) {
    for (found, length) in zip(found, lengths) {
      let share = Double(found) / Double(length)
      if isMostlyTracked(share) { mostlyTracked += 1 } else if share >= 0.2 { partlyTracked += 1 } else { mostlyLost += 1 }
    }
  }
}

/// What has become of the tracks of the ground truth so far.
private struct TrackHistories {
  /// Partner in the frame before in which both sides had boxes.
  private(set) var previous: [Int?]
  /// The last partner ever.
  private(set) var last: [Int?]
  /// Frames with a partner.
  private(set) var found: [Int]
  /// How often the track was found without having been found in the frame before.
  private(set) var starts: [Int]

  init(lengths: [Int]) {
    previous = Array(repeating: nil, count: lengths.count)
    last = previous
    found = Array(repeating: 0, count: lengths.count)
    starts = found
  }

  /// The pairs of the next frame, as tracks.
  mutating func add(_ pairs: [(truth: Int, hypothesis: Int)]) {
    var present = [Int?](repeating: nil, count: previous.count)
    for (truth, hypothesis) in pairs {
      if previous[truth] == nil { starts[truth] += 1 }
      found[truth] += 1
      last[truth] = hypothesis
      present[truth] = hypothesis
    }
    previous = present
  }
}
