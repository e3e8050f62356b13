import Base
import Foundation
import Testing
import TestSupport
import Vision

@Suite("Keypoint similarity and its average precision") struct KeypointTests {
  private struct Case: Decodable {
    struct Expected: Decodable {
      let summary: [Double]
      let sums: [Double]
      let similarity: [Double]
    }

    let count: Int
    let images: [Int]
    let categories: [Int]
    let sigmas: [Double]
    /// Image, category, whether a crowd, area, box, and x, y, visibility of each keypoint.
    let truths: [[Double]]
    /// Image, category, score, and x, y of each keypoint.
    let results: [[Double]]
    let expected: Expected

    var skeleton: Skeleton { sigmas.isEmpty ? .coco : Skeleton(names: (0..<count).map { "point \($0)" }, sigmas: sigmas) }

    func bodies(_ image: Int) -> [AveragePrecision.BodyTruth] {
      truths.filter { Int($0[0]) == image }.map { row in
        let points = (0..<count).map { k in
          Keypoint(x: row[8 + 3 * k], y: row[9 + 3 * k], visibility: .init(rawValue: Int(row[10 + 3 * k])) ?? .unlabeled)
        }
        let box = BoundingBox(x: row[4], y: row[5], width: row[6], height: row[7])
        return .init(category: Int(row[1]), keypoints: points, area: row[3], box: box, isCrowd: row[2] == 1)
      }
    }

    func found(_ image: Int) -> [AveragePrecision.FoundBody] {
      results.filter { Int($0[0]) == image }.map { row in
        .init(category: Int(row[1]), points: (0..<count).map { SIMD2(row[3 + 2 * $0], row[4 + 2 * $0]) }, score: row[2])
      }
    }
  }

  private func sum(_ numbers: ArraySlice<Double>) -> Double {
    guard numbers.count > 64 else { return numbers.reduce(0, +) }
    return sum(numbers.prefix(numbers.count / 2)) + sum(numbers.dropFirst(numbers.count / 2))
  }

  /// Crowds, bodies without labelled points, ties, more results than count, other numbers of points with σ of their own.
  @Test("equal to pycocotools on generated cases") func generated() throws {
    let cases = try Fixture.json("coco_keypoints.json", as: [Case].self)
    #expect(cases.count == 120)
    for (number, entry) in cases.enumerated() {
      var score = AveragePrecision(categories: entry.categories, settings: .keypoints)
      for image in entry.images { score.add(image: image, bodies: entry.bodies(image), found: entry.found(image), entry.skeleton) }
      let result = score.result()
      #expect(zip(result.keypointSummary, entry.expected.summary).allSatisfy { abs($0 - $1) <= 1e-12 },
              "case \(number): \(result.keypointSummary), \(entry.expected.summary)")
      let sums = [result.precision, result.recall, result.scores].map { sum($0[...]) }
      #expect(zip(sums, entry.expected.sums).allSatisfy { abs($0 - $1) <= 1e-10 }, "case \(number): \(sums), \(entry.expected.sums)")
      // The similarities of the first image and category, whose rows are the results by score.
      let truths = entry.bodies(entry.images[0]).filter { $0.category == entry.categories[0] }
      let found = entry.found(entry.images[0]).filter { $0.category == entry.categories[0] }
        .enumerated().sorted { ($0.element.score, $1.offset) > ($1.element.score, $0.offset) }.prefix(20).map(\.element)
      let similarity = found.flatMap { body in
        truths.map { entry.skeleton.similarity(of: body.points, to: $0.keypoints, area: $0.area, box: $0.box) }
      }
      #expect(similarity.count == entry.expected.similarity.count)
      #expect(zip(similarity, entry.expected.similarity).allSatisfy { abs($0 - $1) <= 1e-12 }, "case \(number)")
    }
  }

  // MARK: By hand

  private let pair = Skeleton(names: ["left_eye", "right_eye"], sigmas: [0.05, 0.1], flipPairs: [.init(0, 1)])

  @Test("one point off by κ·√area, the other not labelled") func similarity() {
    let truth = [Keypoint(x: 10, y: 10, visibility: .hidden), .unlabeled]
    let box = BoundingBox(x: 0, y: 0, width: 20, height: 20)
    let near = pair.similarity(of: [SIMD2(11, 10), SIMD2(900, 900)], to: truth, area: 100, box: box)
    #expect(abs(near - exp(-0.5)) < 1e-15)
    // Nothing labelled: within three times the box everything is right.
    let free = [Keypoint.unlabeled, .unlabeled]
    #expect(pair.similarity(of: [SIMD2(-20, 40), SIMD2(5, 5)], to: free, area: 100, box: box) == 1)
    #expect(pair.similarity(of: [SIMD2(-21, 40), SIMD2(5, 5)], to: free, area: 100, box: box) < 1)
  }

  /// Greedy by score, equal scores by place; the area is the mean of both.
  @Test("suppression by similarity") func suppression() {
    let bodies: [(points: [SIMD2<Double>], score: Double, area: Double)] = [
      ([SIMD2(0, 0), SIMD2(10, 0)], 0.5, 100), ([SIMD2(0.1, 0), SIMD2(10, 0)], 0.9, 300), ([SIMD2(50, 0), SIMD2(60, 0)], 0.5, 100),
      ([SIMD2(50.1, 0), SIMD2(60, 0)], 0.5, 100),
    ]
    let near = pair.similarity(of: bodies[0].points, and: bodies[1].points, areas: (100, 300))
    #expect(abs(near - (exp(-0.01 / 0.01 / 200 / 2) + 1) / 2) < 1e-15)
    #expect(pair.suppressed(bodies, threshold: 0.9) == [1, 2])
    #expect(pair.suppressed(bodies, threshold: near) == [1, 0, 2, 3])
    #expect(pair.suppressed([], threshold: 0.5).isEmpty)
  }

  @Test("pairs by their names") func names() {
    let skeleton = Skeleton(names: ["Nose", "LeftEye", "RightEye", "l_paw", "r_paw", "left_ear", "tail"], limbs: [.init(0, 1), .init(6, 7)])
    #expect(skeleton.flipPairs == [.init(1, 2), .init(3, 4)] && skeleton.limbs == [.init(0, 1)])
    #expect(skeleton.mirrored == [0, 2, 1, 4, 3, 5, 6] && skeleton.sigmas == Array(repeating: Skeleton.standardSigma, count: 7))
    #expect(Skeleton(names: Skeleton.coco.names, limbs: []) == .coco && Skeleton.coco.count == 17 && Skeleton.mpii.count == 16)
    #expect(Skeleton(names: Skeleton.coco.names + ["tail"], limbs: []).flipPairs == Skeleton.coco.flipPairs)
  }

  @Test("a skeleton that contradicts itself stops") func contradiction() async {
    await #expect(processExitsWith: .failure) { _ = Skeleton(names: ["a", "b"], flipPairs: [.init(0, 2)]) }
    await #expect(processExitsWith: .failure) { _ = Skeleton(names: ["a", "b"], sigmas: [0.1]) }
  }

  /// A head of 30 x 40 px has the size 0.6 · 50 = 30: 15 px is just right at 0.5. Pelvis and thorax are not in the mean.
  @Test("PCKh by hand") func headNormalized() {
    let skeleton = Skeleton.mpii
    let truth = skeleton.names.map { name in
      name == "left_wrist" ? Keypoint.unlabeled : Keypoint(x: 100, y: 100, visibility: .visible)
    }
    var points = truth.map { _ in SIMD2(100.0, 100.0) }
    points[0] = SIMD2(115, 100)  // right ankle, just right
    points[5] = SIMD2(115.001, 100)  // left ankle, wrong
    points[6] = SIMD2(500, 500)  // pelvis, not counted
    points[15] = SIMD2(500, 500)  // left wrist, not labelled
    points[9] = SIMD2(103, 100)  // head top
    var score = HeadNormalizedPCK(skeleton)
    score.add(points, truth: truth, headBox: BoundingBox(x: 0, y: 0, width: 30, height: 40))
    #expect(HeadNormalizedPCK.headSize(of: BoundingBox(x: 1, y: 2, width: 30, height: 40)) == 30)
    #expect(abs(score.share(threshold: 0.5) - 12.0 / 13) < 1e-15 && score.bodyCount == 1)
    #expect(score.share(row: "ankle", threshold: 0.5) == 0.5 && score.share(row: "head", threshold: 0.1) == 1)
    #expect(score.share(row: "head", threshold: 0.09) == 0)
    // One labelled wrist of two: the mean of left and right is not known.
    #expect(score.share(row: "wrist", threshold: 0.5).isNaN)
    score.add(points, truth: truth, headBox: BoundingBox(x: 0, y: 0, width: 0, height: 0))
    #expect(abs(score.share(threshold: 0.5) - 12.0 / 26) < 1e-15)
  }
}
