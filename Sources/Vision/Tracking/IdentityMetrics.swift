/// The identity metrics as counts; sequences combine by adding.
///
/// Each track of the ground truth is paired with one track of the result at most, over the whole sequence, so that as many of their boxes
/// as possible agree (IoU of 0.5 or more): these are the true positives. Ratios without a denominator are 0.
/// - Source: Ristani et al. 2016. Pairing each track with a private dummy at the price of its length, as they do, has the same optimum.
public struct IdentityMetrics: Sendable, Equatable {
  /// Boxes that agree between paired tracks (IDTP).
  public internal(set) var truePositives = 0
  /// Other boxes of the ground truth (IDFN).
  public internal(set) var falseNegatives = 0
  /// Other boxes of the result (IDFP).
  public internal(set) var falsePositives = 0

  /// The counts of no sequence.
  public init() {}

  public init(_ comparison: TrackingComparison) {
    var agreements: [Int: Int] = [:]
    let columns = comparison.hypothesisLengths.count
    for frame in comparison.frames {
      for pair in frame.overlaps where pair.iou >= 0.5 {
        agreements[frame.truths[pair.truth] * columns + frame.hypotheses[pair.hypothesis], default: 0] += 1
      }
    }
    let edges = agreements.sorted { $0.key < $1.key }.map { key, count in
      LinearAssignment.Edge(row: key / columns, column: key % columns, weight: Double(count))
    }
    truePositives = LinearAssignment.heaviest(edges).reduce(0) { $0 + Int(edges[$1].weight) }
    falseNegatives = comparison.truthCount - truePositives
    falsePositives = comparison.hypothesisCount - truePositives
  }

  public static func += (sum: inout IdentityMetrics, other: IdentityMetrics) {
    sum.truePositives += other.truePositives
    sum.falseNegatives += other.falseNegatives
    sum.falsePositives += other.falsePositives
  }

  /// Precision (IDP).
  public var precision: Double { ratio(truePositives, truePositives + falsePositives) }
  /// Recall (IDR).
  public var recall: Double { ratio(truePositives, truePositives + falseNegatives) }
  /// F1 score (IDF1).
  public var f1: Double { ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives) }
}
