import Base
import Testing
import TestSupport
import Vision

/// Maps of one row; the arithmetic stands beside each.
@Suite("Panoptic quality") struct PanopticQualityTests {
  private let categories = [
    PanopticQuality.Category(id: 1, isThing: true), PanopticQuality.Category(id: 2, isThing: true), PanopticQuality.Category(id: 9, isThing: false),
  ]

  /// `(11, 4)` stands for four pixels of the segment 11.
  private func map(_ runs: (UInt32, Int)...) -> PanopticMap {
    let segments = runs.flatMap { Array(repeating: $0.0, count: $0.1) }
    return PanopticMap(height: 1, width: segments.count, segments: segments)
  }

  private func segment(_ id: UInt32, _ category: Int, crowd: Bool = false, area: Int? = nil) -> PanopticSegment {
    PanopticSegment(id: id, category: category, isCrowd: crowd, area: area)
  }

  @Test("matches, misses and false alarms") func counting() throws {
    var quality = PanopticQuality(categories: categories)
    try quality.add(
      truth: map((11, 10), (12, 6), (13, 4), (19, 20)),
      truthSegments: [segment(11, 1), segment(12, 1), segment(13, 2), segment(19, 9)],
      predicted: map((1, 8), (2, 5), (3, 3), (4, 4), (5, 20)),
      predictedSegments: [segment(1, 1), segment(2, 1), segment(3, 1), segment(4, 1), segment(5, 9)])
    // Category 1: 1 covers 8 of 11's 10 pixels, IoU 8/10. 2 has 2 pixels of 11 and 3 of 12: 3 / (5 + 6 − 3) = 3/8, no match.
    // 3 has 3 of 12's 6: exactly 1/2, not above. 4 covers 13, which is of category 2.
    // So TP 1, FP 3 (2, 3, 4), FN 1 (12): SQ = 0.8, RQ = 1 / (1 + 1.5 + 0.5) = 1/3.
    let things = try #require(quality.tally(of: 1))
    #expect(things.truePositives == 1 && things.falsePositives == 3 && things.falseNegatives == 1 && things.iou == 0.8)
    let score = quality.score(of: 1)
    #expect(abs(score.pq - 0.8 / 3) < 1e-15 && score.sq == 0.8 && abs(score.rq - 1.0 / 3) < 1e-15)
    // Category 2: one miss, PQ 0. Category 9: equal.
    #expect(quality.score(of: 2) == PanopticQuality.Score(pq: 0, sq: 0, rq: 0, count: 1))
    #expect(quality.stuff == PanopticQuality.Score(pq: 1, sq: 1, rq: 1, count: 1))
    #expect(abs(quality.things.pq - 0.8 / 6) < 1e-15 && quality.things.sq == 0.4 && quality.things.count == 2)
    #expect(abs(quality.all.pq - (0.8 / 3 + 0 + 1) / 3) < 1e-15 && quality.all.count == 3)
  }

  @Test("void pixels do not count in the union, nor do predictions on them") func void() throws {
    var quality = PanopticQuality(categories: categories)
    try quality.add(
      truth: map((11, 6), (0, 14)), truthSegments: [segment(11, 1)],
      predicted: map((1, 10), (2, 5), (0, 2), (3, 3)), predictedSegments: [segment(1, 1), segment(2, 1), segment(3, 2)])
    // 1: 6 in common, union 10 + 6 − 6 − 4 on void = 6, IoU 1. 2 and 3 lie on void: not wrong.
    #expect(quality.score(of: 1) == PanopticQuality.Score(pq: 1, sq: 1, rq: 1, count: 1))
    #expect(quality.score(of: 2).count == 0 && quality.all.count == 1)
    // A prediction with exactly half of its pixels on void is wrong.
    try quality.add(truth: map((11, 2), (0, 2)), truthSegments: [segment(11, 2)], predicted: map((1, 4)), predictedSegments: [segment(1, 1)])
    #expect(quality.tally(of: 1)?.falsePositives == 1 && quality.tally(of: 2)?.falseNegatives == 1 && quality.imageCount == 2)
  }

  @Test("crowds are neither missed nor matched, and excuse their own category") func crowds() throws {
    var quality = PanopticQuality(categories: categories)
    try quality.add(
      truth: map((11, 12), (12, 8)), truthSegments: [segment(11, 1, crowd: true), segment(12, 2)],
      predicted: map((1, 8), (2, 4), (3, 8)), predictedSegments: [segment(1, 1), segment(2, 2), segment(3, 2)])
    // 1 lies on the crowd of its category: excused. 2 lies on a crowd of another one: wrong. 3 matches 12.
    #expect(quality.tally(of: 1) == PanopticQuality.Tally())
    let other = try #require(quality.tally(of: 2))
    #expect(other.truePositives == 1 && other.falsePositives == 1 && other.falseNegatives == 0 && other.iou == 1)
    // PQ = 1 / (1 + 0.5) = 2/3.
    #expect(abs(quality.all.pq - 2.0 / 3) < 1e-15)
  }

  @Test("numbers that are not listed match nothing and are no void; areas are the file's") func unlisted() throws {
    var quality = PanopticQuality(categories: categories)
    try quality.add(truth: map((11, 6), (77, 4)), truthSegments: [segment(11, 1, area: 8)],
                    predicted: map((1, 10)), predictedSegments: [segment(1, 1)])
    // 6 / (10 + 8 − 6) = 1/2: no match, and nothing excuses 1.
    let tally = try #require(quality.tally(of: 1))
    #expect(tally.truePositives == 0 && tally.falsePositives == 1 && tally.falseNegatives == 1)
  }

  @Test("parts add up") func merging() throws {
    var a = PanopticQuality(categories: categories)
    var b = a
    var both = a
    let first = map((11, 6), (12, 4))
    let second = map((1, 5), (2, 5))
    let truths = [segment(11, 1), segment(12, 2)]
    let predictions = [segment(1, 1), segment(2, 2)]
    try a.add(truth: first, truthSegments: truths, predicted: second, predictedSegments: predictions)
    try b.add(truth: second, truthSegments: predictions, predicted: first, predictedSegments: truths)
    try both.add(truth: first, truthSegments: truths, predicted: second, predictedSegments: predictions)
    try both.add(truth: second, truthSegments: predictions, predicted: first, predictedSegments: truths)
    a.merge(b)
    #expect(a.all == both.all && a.imageCount == 2)
    // 5/6 twice in category 1, 4/5 twice in category 2.
    #expect(abs(a.all.pq - (5.0 / 6 + 4.0 / 5) / 2) < 1e-15)
  }

  @Test("wrong input is told") func wrong() {
    var quality = PanopticQuality(categories: categories)
    expectFailure(.badData, "different size", "1 x 2", "1 x 3") {
      try quality.add(truth: map((0, 3)), truthSegments: [], predicted: map((0, 2)), predictedSegments: [])
    }
    expectFailure(.badData, "segment 4", "not listed") {
      try quality.add(truth: map((0, 3)), truthSegments: [], predicted: map((4, 3)), predictedSegments: [])
    }
    expectFailure(.badData, "segment 4 is listed, but not in") {
      try quality.add(truth: map((0, 3)), truthSegments: [], predicted: map((0, 3)), predictedSegments: [segment(4, 1)])
    }
    expectFailure(.badData, "segment 4 has the unknown category 33") {
      try quality.add(truth: map((4, 3)), truthSegments: [segment(4, 33)], predicted: map((0, 3)), predictedSegments: [])
    }
    #expect(quality.imageCount == 0 && quality.all == PanopticQuality.Score())
  }

  @Test("the picture of a map") func picture() {
    let map = PanopticMap(height: 1, width: 3, segments: [0, 0x030201, 0xFFFFFF])
    #expect(map.colors.pixels == [0, 0, 0, 1, 2, 3, 255, 255, 255])
    #expect(PanopticMap(colors: map.colors) == map && map.mask(of: 0x030201).counts == [1, 1, 1])
  }
}
