import Base

/// Ground truth and result of one sequence as the metrics take them: what counts in each frame, who overlaps whom and by how much.
/// Distractors are excused.
///
/// Tracks are numbered from 0 in the order in which they occur. IoU is that of continuous coordinates, without a pixel added.
public struct TrackingComparison: Sendable {
  /// Two boxes of a frame that overlap.
  public struct Overlap: Sendable, Equatable {
    /// Index of the box among `truths` of the frame.
    public let truth: Int
    /// Index of the box among `hypotheses` of the frame.
    public let hypothesis: Int
    public let iou: Double
  }

  public struct Frame: Sendable, Equatable {
    /// Track of each box of the ground truth.
    public var truths: [Int] = []
    /// Track of each box of the result.
    public var hypotheses: [Int] = []
    /// Pairs with an IoU above 0.
    public var overlaps: [Overlap] = []
  }

  public private(set) var frames: [Frame] = []
  /// Frames of each track of the ground truth.
  public private(set) var truthLengths: [Int] = []
  /// Frames of each track of the result.
  public private(set) var hypothesisLengths: [Int] = []
  /// Hypotheses that were removed because they lie on a distractor.
  public private(set) var removedCount = 0

  /// Compares a result with the ground truth. Frames that only one of them has are empty in the other.
  /// - Parameters:
  ///   - isPreprocessed: whether distractors are excused and other classes than pedestrians left out. Without, every box of the ground
  ///     truth that is flagged counts; MOT15 knows nothing else.
  ///   - rule: of the pairing with distractors.
  /// - Throws: `.badData` for an identity that occurs twice in a frame, and for a box without size.
  public init(
    truth: [[TruthBox]], result: [[TrackedBox]], benchmark: TrackingBenchmark, isPreprocessed: Bool = true, rule: TrackingRule = .official
  ) throws {
    let isPreprocessed = isPreprocessed && benchmark.hasClasses
    let distractors = benchmark.distractors(rule)
    var truthNumbers: [Int: Int] = [:]
    var hypothesisNumbers: [Int: Int] = [:]
    for index in 0..<max(truth.count, result.count) {
      let truths = index < truth.count ? truth[index] : []
      let hypotheses = index < result.count ? result[index] : []
      try Self.check(truths.map { ($0.id, $0.box) }, "the ground truth", frame: index + 1)
      try Self.check(hypotheses.map { ($0.id, $0.box) }, "the result", frame: index + 1)
      let overlaps = Self.overlaps(truths.map(\.box), hypotheses.map(\.box))
      var isRemoved = [Bool](repeating: false, count: hypotheses.count)
      if isPreprocessed {
        for pair in Self.partners(overlaps, rule) where distractors.contains(truths[pair.truth].category) {
          isRemoved[pair.hypothesis] = true
          removedCount += 1
        }
      }
      let isKept = truths.map { $0.isEvaluated && (!isPreprocessed || $0.category == .pedestrian) }
      let truthPlaces = Self.places(isKept)
      let hypothesisPlaces = Self.places(isRemoved.map { !$0 })
      var frame = Frame()
      frame.truths = truths.indices.filter { isKept[$0] }.map { Self.number(of: truths[$0].id, &truthNumbers, &truthLengths) }
      frame.hypotheses = hypotheses.indices.filter { !isRemoved[$0] }
        .map { Self.number(of: hypotheses[$0].id, &hypothesisNumbers, &hypothesisLengths) }
      frame.overlaps = overlaps.compactMap { pair in
        guard let truth = truthPlaces[pair.truth], let hypothesis = hypothesisPlaces[pair.hypothesis] else { return nil }
        return Overlap(truth: truth, hypothesis: hypothesis, iou: pair.iou)
      }
      frames.append(frame)
    }
  }

  /// Boxes of the ground truth that count.
  public var truthCount: Int { truthLengths.reduce(0, +) }
  /// Boxes of the result that count.
  public var hypothesisCount: Int { hypothesisLengths.reduce(0, +) }

  private static func check(_ boxes: [(id: Int, box: BoundingBox)], _ side: String, frame: Int) throws {
    var ids: Set<Int> = []
    for (id, box) in boxes {
      guard ids.insert(id).inserted else {
        throw Failure(.badData, at: "", "\(side) has the id \(id) twice in frame \(frame)", remedy: "An identity has one box in a frame.")
      }
      guard box.isFinite, !box.isEmpty else {
        throw Failure(.badData, at: "", "\(side) has a box without size in frame \(frame): id \(id), \(box.width) x \(box.height)")
      }
    }
  }

  private static func overlaps(_ truths: [BoundingBox], _ hypotheses: [BoundingBox]) -> [Overlap] {
    var overlaps: [Overlap] = []
    for (i, truth) in truths.enumerated() {
      for (j, hypothesis) in hypotheses.enumerated() {
        let iou = hypothesis.iou(with: truth)
        if iou > 0 { overlaps.append(Overlap(truth: i, hypothesis: j, iou: iou)) }
      }
    }
    return overlaps
  }

  /// The pairing of all hypotheses with all boxes of the ground truth by which distractors are told.
  private static func partners(_ overlaps: [Overlap], _ rule: TrackingRule) -> [Overlap] {
    let allowed = overlaps.filter { rule.allows($0.iou) }
    // py-motmetrics takes as many pairs as it can, and the smallest distances among such pairings.
    let bonus = rule == .official ? 0 : Double(allowed.count)
    return LinearAssignment.heaviest(allowed.map { .init(row: $0.truth, column: $0.hypothesis, weight: $0.iou + bonus) })
      .map { allowed[$0] }
  }

  /// The place of each kept element among the kept ones; nil for the others.
  private static func places(_ isKept: [Bool]) -> [Int?] {
    var count = 0
    return isKept.map { isKept in
      guard isKept else { return nil }
      count += 1
      return count - 1
    }
  }

  /// The number of a track, which is longer by one frame.
  private static func number(of id: Int, _ numbers: inout [Int: Int], _ lengths: inout [Int]) -> Int {
    let number = numbers[id] ?? numbers.count
    if number == lengths.count {
      numbers[id] = number
      lengths.append(0)
    }
    lengths[number] += 1
    return number
  }
}
