import Base
import Foundation
import Testing
import TestSupport
import Vision

@Suite("DeepSORT") struct DeepSORTTests {
  private static func box(_ x: Double) -> BoundingBox { BoundingBox(x: x, y: 20, width: 40, height: 80) }
  private static let a: [Double] = [1, 0, 0]
  private static let b: [Double] = [0, 1, 0]

  private func update(_ tracker: inout DeepSORT, _ objects: [(x: Double, vector: [Double])]) -> [TrackedBox] {
    tracker.update(objects.map { DetectedBox(Self.box($0.x), score: 0.9) }, appearance: objects.map(\.vector))
  }

  @Test("a track is reported from its third detection on, and one frame after its last with its predicted box") func reports() {
    var tracker = DeepSORT()
    let ids = (0..<4).map { _ in update(&tracker, [(0, Self.a)]).map(\.id) }
    #expect(ids == [[], [], [1], [1]])
    let coasted = update(&tracker, [])
    #expect(coasted.map(\.id) == [1] && coasted[0].detection == nil)
    #expect(update(&tracker, []).isEmpty)
  }

  @Test("a track is found again by its appearance after a long gap") func occlusion() {
    var tracker = DeepSORT()
    for _ in 0..<5 { _ = update(&tracker, [(0, Self.a)]) }
    for _ in 0..<25 { _ = update(&tracker, []) }
    #expect(update(&tracker, [(4, Self.a)]).map(\.id) == [1])
    #expect(tracker.trackCount == 1)
    // Another appearance at the same place is a new track, though the overlap is large: the track was not seen a frame ago.
    for _ in 0..<25 { _ = update(&tracker, []) }
    let ids = (0..<3).map { _ in update(&tracker, [(4, Self.b)]).map(\.id) }
    #expect(ids == [[], [], [2]])
  }

  @Test("a track is not found again in the frame in which it becomes older than maxAge, and its id does not come back") func ending() {
    var settings = DeepSORT.Settings()
    settings.maxAge = 4
    for (gap, id) in [(3, 1), (4, 2)] {
      var tracker = DeepSORT(settings)
      for _ in 0..<4 { _ = update(&tracker, [(0, Self.a)]) }
      for _ in 0..<gap { _ = update(&tracker, []) }
      for _ in 0..<2 { _ = update(&tracker, [(0, Self.a)]) }
      #expect(update(&tracker, [(0, Self.a)]).map(\.id) == [id], "gap \(gap)")
    }
  }

  @Test("a tentative track ends with its first miss; its id is used up") func tentative() {
    var tracker = DeepSORT()
    _ = update(&tracker, [(0, Self.a)])
    _ = update(&tracker, [])
    let ids = (0..<3).map { _ in update(&tracker, [(0, Self.a)]).map(\.id) }
    #expect(ids == [[], [], [2]])
  }

  @Test("appearance cannot bridge what motion excludes") func gate() {
    var tracker = DeepSORT()
    for _ in 0..<5 { _ = update(&tracker, [(0, Self.a)]) }
    _ = update(&tracker, [(900, Self.a)])
    #expect(tracker.trackCount == 2)
  }

  @Test("of two tracks that look alike the one seen last comes first") func cascade() {
    // Track 8 was seen a frame ago and takes the detection, though track 7 is nearer.
    let result = Association.cascade([7, 8], ages: [3, 1], depth: 30, [0], limit: 0.2) { track, _ in track == 7 ? 0 : 0.1 }
    #expect(result.pairs == [.init(detection: 0, track: 8)] && result.tracks == [7] && result.detections.isEmpty)
    let old = Association.cascade([7], ages: [31], depth: 30, [0], limit: 0.2) { _, _ in 0 }
    #expect(old.pairs.isEmpty && old.tracks == [7] && old.detections == [0])
  }

  @Test("pairs above the limit are rejected, and their detections come last") func limit() {
    let costs = [[0.9, 0.1], [.infinity, 0.15]]
    let result = Association.byCost([0, 1], [4, 5], limit: 0.2) { costs[$0][$1 - 4] }
    #expect(result.pairs == [.init(detection: 5, track: 0)] && result.tracks == [1] && result.detections == [4])
  }

  @Test func gallery() {
    var gallery = AppearanceGallery(budget: 2)
    gallery.add([[2, 0], [0, 3]], to: 1)
    #expect(gallery.distance(of: [1, 0], from: 1) == 0 && gallery.distance(of: [-1, 0], from: 1) == 1)
    gallery.add([[0, -1]], to: 1)  // the first one goes
    #expect(gallery.distance(of: [1, 0], from: 1) == 1 && gallery.distance(of: [0, 5], from: 1) == 0)
    gallery.add([[0, 0], [.nan, 1]], to: 1)
    #expect(gallery.distance(of: [0, 5], from: 1) == 0)
    #expect(gallery.distance(of: [0, 0], from: 1) == .infinity && gallery.distance(of: [1, 0], from: 2) == .infinity)
    gallery.add([[1, 1]], to: 2)
    gallery.keep([2])
    #expect(gallery.tracks == [2])
  }

  @Test("scores, heights and overlaps choose detections, the best first") func filter() {
    let detections = [DetectedBox(Self.box(0), score: 0.5), DetectedBox(Self.box(2), score: 0.9), DetectedBox(Self.box(300), score: 0.2),
                      DetectedBox(BoundingBox(x: 0, y: 0, width: 9, height: 9), score: 1), DetectedBox(Self.box(.nan), score: 1)]
    #expect(DetectionFilter()(detections) == [3, 1, 0, 2])
    #expect(DetectionFilter(minScore: 0.5)(detections) == [3, 1, 0])
    #expect(DetectionFilter(minHeight: 10)(detections) == [1, 0, 2])
    // Boxes 41 pixels wide, inclusive, of which 39 are common.
    #expect(DetectionFilter(minHeight: 10, maxOverlap: 0.96)(detections) == [1, 0, 2])
    #expect(DetectionFilter(minHeight: 10, maxOverlap: 0.95)(detections) == [1, 2])
  }

  @Test("a tracker that was stored and read goes on the same") func storing() throws {
    var tracker = DeepSORT()
    for frame in 0..<6 { _ = update(&tracker, [(Double(frame) / 3, Self.a), (300 - Double(frame), [0.1, 1, 0.3])]) }
    var restored = try JSONDecoder().decode(DeepSORT.self, from: JSONEncoder().encode(tracker))
    #expect(restored == tracker)
    for _ in 0..<4 {
      let objects = [(2.0, Self.a), (294, [0.1, 1, 0.2])]
      #expect(update(&restored, objects) == update(&tracker, objects))
    }
  }

  @Test func settings() {
    var settings = DeepSORT.Settings()
    #expect(settings.problems().isEmpty)
    (settings.maxAge, settings.confirmationHits, settings.maxCosineDistance, settings.budget) = (-1, 0, 3, -1)
    #expect(settings.problems().map(\.key) == ["max_cosine_distance", "budget", "max_age", "confirmation_hits"])
  }

  @Test("bad detections are passed over, and no box that is none is reported") func badDetections() {
    var tracker = DeepSORT()
    let bad = [Self.box(.nan), BoundingBox(x: 0, y: 0, width: 0, height: 3), BoundingBox(x: 0, y: 0, width: 1e200, height: 1e200),
               BoundingBox(x: 0, y: 0, width: 1e200, height: 1e150)]
    for _ in 0..<6 {
      let boxes = (bad + [Self.box(50)]).map { DetectedBox($0) }
      let found = tracker.update(boxes, appearance: Array(repeating: Self.a, count: 5))
      #expect(found.allSatisfy { $0.box.isFinite && !$0.box.isEmpty })
    }
  }
}
