import Base
import Foundation
import Testing
import TestSupport
import Vision

@Suite("SORT") struct SORTTests {
  private static func box(_ x: Double) -> BoundingBox { BoundingBox(x: x, y: 20, width: 40, height: 80) }
  private static func detections(_ x: Double...) -> [DetectedBox] { x.map { DetectedBox(box($0), score: 0.9) } }

  @Test("in the first frames every track is reported, later ones from their fourth detection on") func firstReports() {
    var tracker = SORT()
    #expect(tracker.update(Self.detections(0)).map(\.id) == [1])
    for _ in 0..<4 { #expect(tracker.update(Self.detections(0)).map(\.id) == [1]) }
    for frame in 0..<3 { #expect(tracker.update(Self.detections(0, 300)).map(\.id) == [1], "frame \(frame)") }
    #expect(tracker.update(Self.detections(0, 300)).map(\.id) == [2, 1])  // the newest first
  }

  @Test("after a frame without detection a track needs three matches in a row again, and keeps its id") func gap() {
    var tracker = SORT()
    for _ in 0..<5 { _ = tracker.update(Self.detections(0)) }
    #expect(tracker.update([]).isEmpty)
    #expect(tracker.update(Self.detections(0)).isEmpty)
    #expect(tracker.update(Self.detections(0)).isEmpty)
    #expect(tracker.update(Self.detections(0)).map(\.id) == [1])
  }

  @Test("a track ends after more than maxAge frames without detection; every frame advances it") func ageing() {
    var settings = SORT.Settings()
    settings.minHits = 0
    for (maxAge, isKept) in [(1, false), (2, true)] {
      settings.maxAge = maxAge
      var tracker = SORT(settings)
      for _ in 0..<3 { _ = tracker.update(Self.detections(0)) }
      _ = tracker.update([])
      _ = tracker.update([])
      let ids = tracker.update(Self.detections(0)).map(\.id)
      #expect(ids == [isKept ? 1 : 2], "max_age \(maxAge)")
      #expect(tracker.frameCount == 6 && tracker.trackCount == (isKept ? 1 : 2))
    }
  }

  @Test("boxes carry the score and the index of their detection") func detections() throws {
    var tracker = SORT()
    _ = tracker.update([DetectedBox(Self.box(0), score: 0.5), DetectedBox(Self.box(300), score: 0.7)])
    let found = tracker.update([DetectedBox(Self.box(301), score: 0.8), DetectedBox(Self.box(1), score: 0.6)])
    #expect(found.map(\.id) == [2, 1] && found.map(\.detection) == [0, 1] && found.map(\.score) == [0.8, 0.6])
  }

  @Test("boxes without size, and those that are not finite, are passed over") func badDetections() {
    var tracker = SORT()
    let bad = [BoundingBox(x: .nan, y: 0, width: 4, height: 4), BoundingBox(x: 0, y: 0, width: 0, height: 4),
               BoundingBox(x: 0, y: 0, width: .infinity, height: 4), BoundingBox(x: 0, y: 0, width: 1e200, height: 1e200)]
    for _ in 0..<6 {
      let noScore = DetectedBox(Self.box(300), score: .nan)
      let found = tracker.update(bad.map { DetectedBox($0) } + [noScore] + Self.detections(50))
      #expect(found.allSatisfy { $0.box.isFinite && $0.detection == 5 })
      #expect(found.count == 1)
    }
  }

  @Test("a tracker that was stored and read goes on the same") func storing() throws {
    var tracker = SORT()
    for frame in 0..<6 { _ = tracker.update(Self.detections(Double(3 * frame), 300.1 / Double(frame + 1))) }
    var restored = try JSONDecoder().decode(SORT.self, from: JSONEncoder().encode(tracker))
    #expect(restored == tracker)
    for frame in 6..<12 {
      let detections = Self.detections(Double(3 * frame), 60)
      #expect(restored.update(detections) == tracker.update(detections))
    }
  }

  @Test func association() {
    let tracks = [Self.box(0), Self.box(100)]
    let plain = Association.byIoU([Self.box(101), Self.box(400), Self.box(2)], tracks, threshold: 0.3)
    #expect(plain.pairs == [.init(detection: 0, track: 1), .init(detection: 2, track: 0)])
    #expect(plain.detections == [1] && plain.tracks == [])
    #expect(Association.byIoU([], tracks, threshold: 0.3).tracks == [0, 1])
    #expect(Association.byIoU([Self.box(0)], [], threshold: 0.3).detections == [0])
    // The first one is paired and rejected, so that it follows the one that was not paired at all.
    let rejected = Association.byIoU([Self.box(27), Self.box(400)], [Self.box(0)], threshold: 0.3)
    #expect(rejected.pairs.isEmpty && rejected.detections == [1, 0] && rejected.tracks == [0])
    // Two rivals for a track: the sum decides.
    let rivals = Association.byIoU([Self.box(1), Self.box(5)], [Self.box(3), Self.box(14)], threshold: 0.3)
    #expect(rivals.pairs == [.init(detection: 0, track: 0), .init(detection: 1, track: 1)])
  }

  @Test func settings() {
    var settings = SORT.Settings()
    #expect(settings.problems().isEmpty)
    (settings.maxAge, settings.minHits, settings.iouThreshold) = (-1, -1, .nan)
    #expect(settings.problems().map(\.key) == ["max_age", "min_hits", "iou_threshold"])
  }
}
