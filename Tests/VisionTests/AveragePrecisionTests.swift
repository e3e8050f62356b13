import Base
import Testing
import TestSupport
import Vision

@Suite("Average precision") struct AveragePrecisionTests {
  private typealias Truth = AveragePrecision.Truth
  private typealias Detection = AveragePrecision.Detection

  private struct Case: Decodable {
    struct Expected: Decodable {
      let summary: [Double]
      let sums: [Double]
      let categories: [Double]
    }

    let kind: String
    let size: Int
    let images: [Int]
    let categories: [Int]
    /// Image, category, whether a crowd, area, and the box or the polygon.
    let truths: [[Double]]
    /// Image, category, score, and the box or the polygon.
    let detections: [[Double]]
    let expected: Expected

    func mask(_ corners: ArraySlice<Double>) throws -> RunLengthMask {
      try RunLengthMask(polygons: [Array(corners)], height: size, width: size)
    }

    func box(_ numbers: ArraySlice<Double>) -> BoundingBox {
      let list = Array(numbers)
      return BoundingBox(x: list[0], y: list[1], width: list[2], height: list[3])
    }

    /// Adds one image of the case.
    func add(_ image: Int, to score: inout AveragePrecision) throws {
      let truths = truths.filter { Int($0[0]) == image }
      let detections = detections.filter { Int($0[0]) == image }
      let objects = truths.map { Truth(category: Int($0[1]), area: $0[3], isCrowd: $0[2] == 1) }
      if kind == "masks" {
        let masks = try detections.map { try mask($0[3...]) }
        let found = zip(detections, masks).map { Detection(category: Int($0[1]), score: $0[2], area: Double($1.area)) }
        score.add(image: image, truths: objects, masks: try truths.map { try mask($0[4...]) }, detections: found, masks: masks)
      } else {
        let boxes = detections.map { box($0[3...]) }
        let found = zip(detections, boxes).map { Detection(category: Int($0[1]), score: $0[2], area: $1.area) }
        score.add(image: image, truths: objects, boxes: truths.map { box($0[4...]) }, detections: found, boxes: boxes)
      }
    }
  }

  private func isClose(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-12) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
  }

  /// A sum in pairs, as numpy's: of 50,000 numbers that cancel, a plain one would be off by 1e-10.
  private func sum(_ numbers: [Double]) -> Double { sum(numbers[...]) }

  private func sum(_ numbers: ArraySlice<Double>) -> Double {
    guard numbers.count > 64 else { return numbers.reduce(0, +) }
    return sum(numbers.prefix(numbers.count / 2)) + sum(numbers.dropFirst(numbers.count / 2))
  }

  /// Crowds, sizes, ties in score and IoU, IoUs exactly at a threshold, more detections than count, none at all, categories and images
  /// without objects. Sums of many numbers may differ in their order: 1e-12.
  @Test("equal to pycocotools on generated cases") func generated() throws {
    let cases = try Fixture.json("coco_evaluation.json", as: [Case].self)
    #expect(cases.count == 200)
    for (number, entry) in cases.enumerated() {
      // In two parts and in another order of images: neither may matter.
      var score = AveragePrecision(categories: entry.categories)
      var other = score
      for (place, image) in entry.images.reversed().enumerated() {
        if place % 2 == 0 { try entry.add(image, to: &score) } else { try entry.add(image, to: &other) }
      }
      score.merge(other)
      let result = score.result()
      #expect(isClose(result.summary.values, entry.expected.summary), "case \(number): \(result.summary.values), \(entry.expected.summary)")
      let sums = [result.precision, result.recall, result.scores].map(sum)
      #expect(zip(sums, entry.expected.sums).allSatisfy { abs($0 - $1) <= 1e-10 }, "case \(number): \(sums), \(entry.expected.sums)")
      let categories = entry.categories.map { result.averagePrecision(category: $0) }
      #expect(isClose(categories, entry.expected.categories), "case \(number)")
    }
  }

  // MARK: By hand. Precision is a little below 1 at best: COCO adds 2⁻⁵² to the denominator.

  private func box(_ x: Double) -> BoundingBox { BoundingBox(x: x, y: 0, width: 40, height: 40) }

  private func score(_ objects: [(box: BoundingBox, isCrowd: Bool)], _ found: [(box: BoundingBox, score: Double)]) -> AveragePrecisionResult {
    var score = AveragePrecision(categories: [5])
    score.add(image: 1, truths: objects.map { Truth(category: 5, area: $0.box.area, isCrowd: $0.isCrowd) }, boxes: objects.map(\.box),
              detections: found.map { Detection(category: 5, score: $0.score, area: $0.box.area) }, boxes: found.map(\.box))
    return score.result()
  }

  /// Right, wrong, right: precision 1 up to recall 1/2, then 2/3: (51 · 1 + 50 · 2/3) / 101.
  @Test("a curve by hand") func curve() throws {
    let result = score([(box(0), false), (box(100), false)], [(box(0), 0.9), (box(200), 0.8), (box(100), 0.7)])
    #expect(abs(result.summary.ap - (51 + 50 * 2.0 / 3) / 101) < 1e-14)
    #expect(result.summary.values[6...8] == [0.5, 1, 1] && result.summary.values[3] == -1)
    let curve = try #require(result.precisionRecall(category: 5, iou: 0.5))
    #expect(curve.count == 101 && curve[50].recall == 0.5)
    #expect(isClose([curve[50].precision, curve[51].precision], [1, 2.0 / 3]))
    #expect(result.precisionRecall(category: 6, iou: 0.5) == nil && result.truthCount(category: 5) == 2)
    #expect(result.summary.description.contains("AP50     0.835"))
    #expect(result.table(names: [5: "bird"]).contains("bird            2"))
  }

  @Test("a detection in a crowd region is neither hit nor false alarm") func crowd() {
    let region = BoundingBox(x: 200, y: 0, width: 400, height: 400)
    let plain = score([(box(0), false)], [(box(0), 0.5)])
    let crowded = score([(box(0), false), (region, true)], [(box(220), 0.9), (box(300), 0.8), (box(0), 0.5)])
    #expect(crowded.summary.values == plain.summary.values.enumerated().map { $0 == 6 ? 0 : $1 })  // AR_1: the crowd takes the only place
    #expect(score([(region, true)], [(box(220), 0.9)]).summary.values == Array(repeating: -1, count: 12))
  }

  /// pycocotools takes the id 0 for "no match" and would say AP 0.
  @Test("the first annotation, whatever its id, keeps its match") func identifierZero() {
    #expect(isClose([score([(box(0), false)], [(box(0), 0.5)]).summary.ap], [1]))
  }

  @Test("nothing at all, and scores that are not numbers") func empty() {
    #expect(AveragePrecision(categories: [1]).result().summary.values == Array(repeating: -1, count: 12))
    #expect(score([(box(0), false)], []).summary.values.filter { $0 != 0 } == [-1, -1, -1, -1])
    #expect(isClose([score([(box(0), false)], [(box(200), .nan), (box(0), 0.1)]).summary.ap], [1]))
    #expect(score([(box(0), false)], [(BoundingBox(x: .nan, y: 0, width: 9, height: 9), 0.9)]).summary.ap == 0)
  }

  @Test("any similarity can be given") func similarity() {
    var score = AveragePrecision(categories: [1])
    let truths = [Truth(category: 1, area: 2000), Truth(category: 1, area: 2000, isIgnored: true)]
    let detections = [Detection(category: 1, score: 0.2, area: 1), Detection(category: 2, score: 0.9, area: 1),
                      Detection(category: 1, score: 0.4, area: 1)]
    score.add(image: 3, truths: truths, detections: detections) { rows, columns in
      #expect(rows == [2, 0] && columns == [0, 1])
      return [0, 0.97, 0.96, 0]
    }
    #expect(isClose([score.result().summary.ap], [1]) && score.images == [3])
  }
}
