extension CLEARMetrics {
  /// py-motmetrics' rule: a track of the ground truth gets its last partner back first, however old, if the IoU allows it; the rest is
  /// assigned with as many pairs as possible and then the smallest sum of distances.
  static func reattaching(_ comparison: TrackingComparison) -> CLEARMetrics {
    var state = Reattaching(comparison)
    for frame in comparison.frames { state.add(frame) }
    var metrics = state.metrics
    metrics.frames = comparison.frames.count
    metrics.countTracks(state.found, comparison.truthLengths) { $0 >= 0.8 }
    return metrics
  }
}

/// The counts of py-motmetrics after some frames, and what it remembers.
private struct Reattaching {
  private(set) var metrics = CLEARMetrics()
  /// Frames of each track of the ground truth with a partner.
  private(set) var found: [Int]
  /// The last partner of each track of the ground truth.
  private var partner: [Int?]
  /// Whether a track of the ground truth was there without partner the last time.
  private var isMissing: [Bool]
  /// The track of the ground truth that each hypothesis was assigned to last; getting a partner back does not count.
  private var assigned: [Int?]
  /// Whether a hypothesis ever had a partner.
  private var hadPartner: [Bool]

  init(_ comparison: TrackingComparison) {
    found = Array(repeating: 0, count: comparison.truthLengths.count)
    partner = Array(repeating: nil, count: comparison.truthLengths.count)
    isMissing = Array(repeating: false, count: comparison.truthLengths.count)
    assigned = Array(repeating: nil, count: comparison.hypothesisLengths.count)
    hadPartner = Array(repeating: false, count: comparison.hypothesisLengths.count)
  }

  mutating func add(_ frame: TrackingComparison.Frame) {
    let allowed = frame.overlaps.filter { TrackingRule.pyMotmetrics.allows($0.iou) }
    var isPaired = [Bool](repeating: false, count: frame.truths.count)
    var isTaken = [Bool](repeating: false, count: frame.hypotheses.count)
    // The pairs are in the order of the boxes of the ground truth: the first of two with the same last partner gets it.
    for pair in allowed where !isPaired[pair.truth] && !isTaken[pair.hypothesis] {
      guard partner[frame.truths[pair.truth]] == frame.hypotheses[pair.hypothesis] else { continue }
      isPaired[pair.truth] = true
      isTaken[pair.hypothesis] = true
      count(frame.truths[pair.truth], frame.hypotheses[pair.hypothesis], pair.iou)
    }
    let free = allowed.filter { !isPaired[$0.truth] && !isTaken[$0.hypothesis] }
    let bonus = Double(free.count)
    let chosen = LinearAssignment.heaviest(free.map { .init(row: $0.truth, column: $0.hypothesis, weight: $0.iou + bonus) })
    for pair in chosen.map({ free[$0] }) {
      isPaired[pair.truth] = true
      isTaken[pair.hypothesis] = true
      assign(frame.truths[pair.truth], frame.hypotheses[pair.hypothesis], pair.iou)
    }
    for (truth, isPaired) in zip(frame.truths, isPaired) where !isPaired {
      isMissing[truth] = true
      metrics.falseNegatives += 1
    }
    metrics.falsePositives += isTaken.count { !$0 }
  }

  /// A pair that was not one before.
  private mutating func assign(_ truth: Int, _ hypothesis: Int, _ iou: Double) {
    if let last = partner[truth], last != hypothesis {
      metrics.identitySwitches += 1
      if !hadPartner[hypothesis] { metrics.ascends += 1 }
    }
    if let last = assigned[hypothesis], last != truth {
      metrics.transfers += 1
      if found[truth] == 0 { metrics.migrations += 1 }
    }
    assigned[hypothesis] = truth
    count(truth, hypothesis, iou)
  }

  private mutating func count(_ truth: Int, _ hypothesis: Int, _ iou: Double) {
    metrics.truePositives += 1
    metrics.iouSum += iou
    if isMissing[truth], found[truth] > 0 { metrics.fragmentations += 1 }
    isMissing[truth] = false
    found[truth] += 1
    partner[truth] = hypothesis
    hadPartner[hypothesis] = true
  }
}
