/// Higher-order tracking accuracy at 19 thresholds of IoU, as counts and sums; sequences combine by adding.
///
/// In each frame one assignment, the same for all thresholds, pairs boxes whose tracks agree best over the whole sequence. At a threshold
/// α the pairs with an IoU of α or more are true positives. `HOTA = √(DetA · AssA)`; the score is the mean over the thresholds, after
/// the root.
/// - Source: Luiten et al. 2021, and `hota.py` of TrackEval.
public struct HOTAMetrics: Sendable, Equatable {
  /// The thresholds α: 0.05, 0.10, …, 0.95.
  public static let thresholds = (0..<19).map { 0.05 + Double($0) * 0.05 }

  /// Counts and sums at one threshold.
  public struct Tally: Sendable, Equatable {
    public internal(set) var truePositives = 0
    public internal(set) var falseNegatives = 0
    public internal(set) var falsePositives = 0
    /// Sums over the true positives: of the share of the frames in which the tracks of a pair are together …
    var association = 0.0
    /// … of the length of the true track …
    var associationRecall = 0.0
    /// … of the length of the found track …
    var associationPrecision = 0.0
    /// … and of the IoU.
    var iou = 0.0

    /// Detection accuracy (DetA).
    public var detA: Double { ratio(truePositives, truePositives + falseNegatives + falsePositives) }
    /// Detection recall (DetRe).
    public var detRe: Double { ratio(truePositives, truePositives + falseNegatives) }
    /// Detection precision (DetPr).
    public var detPr: Double { ratio(truePositives, truePositives + falsePositives) }
    /// Association accuracy (AssA).
    public var assA: Double { mean(association) }
    /// Association recall (AssRe).
    public var assRe: Double { mean(associationRecall) }
    /// Association precision (AssPr).
    public var assPr: Double { mean(associationPrecision) }
    /// Localisation accuracy (LocA): mean IoU of the true positives; 1 without any.
    public var locA: Double { truePositives == 0 ? 1 : iou / Double(truePositives) }
    public var hota: Double { (detA * assA).squareRoot() }
    /// The same without a price for false positives (OWTA).
    public var owta: Double { (detRe * assA).squareRoot() }

    private func mean(_ sum: Double) -> Double { truePositives == 0 ? 0 : sum / Double(truePositives) }

    static func += (sum: inout Tally, other: Tally) {
      sum.truePositives += other.truePositives
      sum.falseNegatives += other.falseNegatives
      sum.falsePositives += other.falsePositives
      sum.association += other.association
      sum.associationRecall += other.associationRecall
      sum.associationPrecision += other.associationPrecision
      sum.iou += other.iou
    }
  }

  /// One for each threshold.
  public private(set) var tallies = [Tally](repeating: Tally(), count: thresholds.count)

  /// The counts of no sequence.
  public init() {}

  public init(_ comparison: TrackingComparison) {
    let alignment = Alignment(comparison)
    /// Of each pair of tracks: pairs of boxes by the number of thresholds that they pass.
    var passed: [Int: [Int]] = [:]
    for frame in comparison.frames {
      let edges = frame.overlaps.map { pair in
        let score = alignment.score(frame.truths[pair.truth], frame.hypotheses[pair.hypothesis])
        return LinearAssignment.Edge(row: pair.truth, column: pair.hypothesis, weight: score * pair.iou)
      }
      for pair in LinearAssignment.heaviest(edges).map({ frame.overlaps[$0] }) {
        let count = Self.thresholds.prefix { pair.iou >= $0 - .ulpOfOne }.count
        let key = alignment.key(frame.truths[pair.truth], frame.hypotheses[pair.hypothesis])
        passed[key, default: Array(repeating: 0, count: Self.thresholds.count + 1)][count] += 1
        for i in 0..<count {
          tallies[i].truePositives += 1
          tallies[i].iou += pair.iou
        }
      }
    }
    for (key, counts) in passed.sorted(by: { $0.key < $1.key }) {
      let (truth, hypothesis) = alignment.lengths(of: key)
      addAssociation(counts, truth: truth, hypothesis: hypothesis)
    }
    for i in tallies.indices {
      tallies[i].falseNegatives = comparison.truthCount - tallies[i].truePositives
      tallies[i].falsePositives = comparison.hypothesisCount - tallies[i].truePositives
    }
  }

  /// Adds what two tracks have in common, given their lengths and their pairs of boxes by the number of thresholds passed.
  private mutating func addAssociation(_ counts: [Int], truth: Int, hypothesis: Int) {
    var together = 0
    for i in tallies.indices.reversed() {
      together += counts[i + 1]
      let pairs = Double(together)
      tallies[i].association += pairs * pairs / Double(max(1, truth + hypothesis - together))
      tallies[i].associationRecall += pairs * pairs / Double(max(1, truth))
      tallies[i].associationPrecision += pairs * pairs / Double(max(1, hypothesis))
    }
  }

  public static func += (sum: inout HOTAMetrics, other: HOTAMetrics) {
    for i in sum.tallies.indices { sum.tallies[i] += other.tallies[i] }
  }

  // MARK: Means over the thresholds

  public var hota: Double { mean(\.hota) }
  public var detA: Double { mean(\.detA) }
  public var assA: Double { mean(\.assA) }
  public var detRe: Double { mean(\.detRe) }
  public var detPr: Double { mean(\.detPr) }
  public var assRe: Double { mean(\.assRe) }
  public var assPr: Double { mean(\.assPr) }
  public var locA: Double { mean(\.locA) }
  public var owta: Double { mean(\.owta) }
  /// HOTA at the lowest threshold, HOTA(0).
  public var hota0: Double { tallies[0].hota }
  /// LocA at the lowest threshold, LocA(0).
  public var locA0: Double { tallies[0].locA }

  private func mean(_ value: (Tally) -> Double) -> Double { tallies.reduce(0) { $0 + value($1) } / Double(tallies.count) }
}

/// How well two tracks agree over the whole sequence: the Jaccard index of their frames, where a frame counts by the part of the IoU that
/// the pair has among all its boxes overlap with.
private struct Alignment {
  private let truthLengths: [Int]
  private let hypothesisLengths: [Int]
  /// `[truth tracks, hypothesis tracks]`.
  private var common: [Double]

  init(_ comparison: TrackingComparison) {
    truthLengths = comparison.truthLengths
    hypothesisLengths = comparison.hypothesisLengths
    common = Array(repeating: 0, count: truthLengths.count * hypothesisLengths.count)
    for frame in comparison.frames {
      var ofTruth = [Double](repeating: 0, count: frame.truths.count)
      var ofHypothesis = [Double](repeating: 0, count: frame.hypotheses.count)
      for pair in frame.overlaps {
        ofTruth[pair.truth] += pair.iou
        ofHypothesis[pair.hypothesis] += pair.iou
      }
      for pair in frame.overlaps {
        // Never below the IoU itself, but for rounding.
        let all = max(ofTruth[pair.truth] + ofHypothesis[pair.hypothesis] - pair.iou, pair.iou)
        common[key(frame.truths[pair.truth], frame.hypotheses[pair.hypothesis])] += pair.iou / all
      }
    }
  }

  func key(_ truth: Int, _ hypothesis: Int) -> Int { truth * hypothesisLengths.count + hypothesis }

  func lengths(of key: Int) -> (truth: Int, hypothesis: Int) {
    (truthLengths[key / hypothesisLengths.count], hypothesisLengths[key % hypothesisLengths.count])
  }

  func score(_ truth: Int, _ hypothesis: Int) -> Double {
    let common = common[key(truth, hypothesis)]
    return common / (Double(truthLengths[truth] + hypothesisLengths[hypothesis]) - common)
  }
}
