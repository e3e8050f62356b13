import Base

/// Panoptic quality, gathered image by image; equal to panopticapi's.
///
/// A predicted and an annotated segment of one category match if their IoU is above 1/2, so that each has at most one partner. For each
/// category `PQ = Σ IoU / (TP + FP/2 + FN/2) = SQ · RQ` with `SQ = Σ IoU / TP`; the score of several is the mean over those that occur.
///
/// - **Void**, pixels of no annotated segment (number 0), does not count in the union of a pair.
/// - **Crowd** segments match nothing and are never missed.
/// - An unmatched prediction with more than half of its pixels on void and on the crowd segment of its category (the last one, if there
///   are several) is not wrong.
/// - Source: Kirillov et al., "Panoptic segmentation", CVPR 2019.
public struct PanopticQuality: Sendable {
  /// A kind of segment.
  public struct Category: Sendable, Hashable {
    public let id: Int
    /// Countable objects, rather than stuff such as grass or sky.
    public let isThing: Bool

    public init(id: Int, isThing: Bool) {
      self.id = id
      self.isThing = isThing
    }
  }

  /// The counts of one category.
  public struct Tally: Sendable, Equatable {
    /// Sum over the matches.
    public internal(set) var iou = 0.0
    public internal(set) var truePositives = 0
    public internal(set) var falsePositives = 0
    public internal(set) var falseNegatives = 0

    public init() {}

    var occurs: Bool { truePositives + falsePositives + falseNegatives > 0 }

    var score: Score {
      let half = Double(truePositives) + 0.5 * Double(falsePositives) + 0.5 * Double(falseNegatives)
      guard half > 0 else { return Score() }
      return Score(pq: iou / half, sq: truePositives == 0 ? 0 : iou / Double(truePositives), rq: Double(truePositives) / half, count: 1)
    }
  }

  /// Panoptic, segmentation and recognition quality, 0...1.
  public struct Score: Sendable, Equatable {
    public var pq: Double
    public var sq: Double
    public var rq: Double
    /// Categories over which the mean was taken; without any, all is 0.
    public var count: Int

    public init(pq: Double = 0, sq: Double = 0, rq: Double = 0, count: Int = 0) {
      self.pq = pq
      self.sq = sq
      self.rq = rq
      self.count = count
    }
  }

  public let categories: [Category]
  public private(set) var imageCount = 0
  private var tallies: [Int: Tally]

  /// - Precondition: no id twice.
  public init(categories: [Category]) {
    self.categories = categories
    tallies = Dictionary(categories.map { ($0.id, Tally()) }) { first, _ in first }
    require(tallies.count == categories.count, "PanopticQuality: a category has the id of another")
  }

  /// Adds one image.
  /// - Parameters:
  ///   - truth: the annotated map; numbers that `truthSegments` does not list match nothing.
  ///   - predicted: the map to be judged.
  /// - Throws: `.badData` if the maps differ in size, a number of the predicted map is not listed or one listed is not there, or a category
  ///   is unknown.
  public mutating func add(
    truth: PanopticMap, truthSegments: [PanopticSegment], predicted: PanopticMap, predictedSegments: [PanopticSegment]
  ) throws {
    guard truth.height == predicted.height, truth.width == predicted.width else {
      let sizes = "predicted \(predicted.height) x \(predicted.width) pixels, annotated \(truth.height) x \(truth.width)"
      throw Failure(.badData, at: "", "panoptic maps of different size: \(sizes)")
    }
    for segment in truthSegments + predictedSegments where tallies[segment.category] == nil {
      throw Failure(.badData, at: "", "the panoptic segment \(segment.id) has the unknown category \(segment.category)")
    }
    let overlap = PanopticOverlap(truth: truth.segments, predicted: predicted.segments)
    try Self.check(predictedSegments, against: overlap)
    let (matchedTruths, matchedPredictions) = match(truthSegments, predictedSegments, overlap)
    countMissed(truthSegments, matchedTruths)
    countWrong(predictedSegments, matchedPredictions, truthSegments, overlap)
    imageCount += 1
  }

  /// Adds the images of another accumulator.
  /// - Precondition: the same categories.
  public mutating func merge(_ other: PanopticQuality) {
    require(categories == other.categories, "PanopticQuality.merge: other categories")
    imageCount += other.imageCount
    for (category, tally) in other.tallies {
      update(category) {
        $0.iou += tally.iou
        $0.truePositives += tally.truePositives
        $0.falsePositives += tally.falsePositives
        $0.falseNegatives += tally.falseNegatives
      }
    }
  }

  // MARK: Scores

  /// The counts of a category; nil for one that is not measured.
  public func tally(of category: Int) -> Tally? { tallies[category] }
  /// The score of one category; 0 with `count` 0 if it occurs nowhere.
  public func score(of category: Int) -> Score { tallies[category]?.score ?? Score() }
  public var all: Score { mean { _ in true } }
  public var things: Score { mean(\.isThing) }
  public var stuff: Score { mean { !$0.isThing } }

  private func mean(_ isMeant: (Category) -> Bool) -> Score {
    let scores = categories.filter(isMeant).compactMap { tallies[$0.id] }.filter(\.occurs).map(\.score)
    guard !scores.isEmpty else { return Score() }
    let n = Double(scores.count)
    return Score(pq: scores.reduce(0) { $0 + $1.pq } / n, sq: scores.reduce(0) { $0 + $1.sq } / n,
                 rq: scores.reduce(0) { $0 + $1.rq } / n, count: scores.count)
  }

  // MARK: One image

  private static func check(_ segments: [PanopticSegment], against overlap: PanopticOverlap) throws {
    let listed = Set(segments.map(\.id))
    if let stray = overlap.predictedAreas.keys.filter({ $0 != PanopticMap.void && !listed.contains($0) }).min() {
      throw Failure(.badData, at: "", "the predicted panoptic map has the segment \(stray), which is not listed")
    }
    if let absent = segments.first(where: { overlap.predictedAreas[$0.id] == nil }) {
      throw Failure(.badData, at: "", "the predicted segment \(absent.id) is listed, but not in the panoptic map")
    }
  }

  private mutating func match(
    _ truths: [PanopticSegment], _ predictions: [PanopticSegment], _ overlap: PanopticOverlap
  ) -> (truths: Set<UInt32>, predictions: Set<UInt32>) {
    var matchedTruths: Set<UInt32> = []
    var matchedPredictions: Set<UInt32> = []
    for truth in truths where !truth.isCrowd {
      for prediction in predictions where prediction.category == truth.category {
        let intersection = overlap.area(truth: truth.id, predicted: prediction.id)
        guard intersection > 0 else { continue }
        let areas = (truth.area ?? overlap.truthAreas[truth.id] ?? 0) + (overlap.predictedAreas[prediction.id] ?? 0)
        let union = areas - intersection - overlap.area(truth: PanopticMap.void, predicted: prediction.id)
        let iou = Double(intersection) / Double(union)
        guard iou > 0.5 else { continue }
        update(truth.category) {
          $0.truePositives += 1
          $0.iou += iou
        }
        matchedTruths.insert(truth.id)
        matchedPredictions.insert(prediction.id)
      }
    }
    return (matchedTruths, matchedPredictions)
  }

  private mutating func countMissed(_ truths: [PanopticSegment], _ matched: Set<UInt32>) {
    for truth in truths where !truth.isCrowd && !matched.contains(truth.id) { update(truth.category) { $0.falseNegatives += 1 } }
  }

  private mutating func countWrong(
    _ predictions: [PanopticSegment], _ matched: Set<UInt32>, _ truths: [PanopticSegment], _ overlap: PanopticOverlap
  ) {
    for prediction in predictions where !matched.contains(prediction.id) {
      var excused = overlap.area(truth: PanopticMap.void, predicted: prediction.id)
      if let crowd = truths.last(where: { $0.isCrowd && $0.category == prediction.category }) {
        excused += overlap.area(truth: crowd.id, predicted: prediction.id)
      }
      if 2 * excused > overlap.predictedAreas[prediction.id] ?? 0 { continue }
      update(prediction.category) { $0.falsePositives += 1 }
    }
  }

  private mutating func update(_ category: Int, _ change: (inout Tally) -> Void) {
    if var tally = tallies[category] {
      change(&tally)
      tallies[category] = tally
    }
  }
}

/// How many pixels each pair of an annotated and a predicted segment has in common.
private struct PanopticOverlap {
  private struct Pair: Hashable {
    let truth: UInt32
    let predicted: UInt32
  }

  private var areas: [Pair: Int] = [:]
  private(set) var truthAreas: [UInt32: Int] = [:]
  private(set) var predictedAreas: [UInt32: Int] = [:]

  init(truth: [UInt32], predicted: [UInt32]) {
    // Neighbours are mostly of one pair: runs are counted, not pixels.
    var start = 0
    while start < truth.count {
      let pair = Pair(truth: truth[start], predicted: predicted[start])
      var end = start + 1
      while end < truth.count && truth[end] == pair.truth && predicted[end] == pair.predicted { end += 1 }
      areas[pair, default: 0] += end - start
      start = end
    }
    for (pair, area) in areas {
      truthAreas[pair.truth, default: 0] += area
      predictedAreas[pair.predicted, default: 0] += area
    }
  }

  func area(truth: UInt32, predicted: UInt32) -> Int { areas[Pair(truth: truth, predicted: predicted)] ?? 0 }
}
