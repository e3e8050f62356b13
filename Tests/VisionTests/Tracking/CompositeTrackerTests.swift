import Base
import Foundation
import Testing
import Vision

/// The online tracker made of parts.
@Suite("Configurable tracker") struct CompositeTrackerTests {
  private static func box(_ x: Double, _ y: Double = 20) -> BoundingBox { TrackingPartsTests.box(x, y) }

  private static func tracker(
    _ affinity: any Affinity = IoUAffinity(), gates: TrackingGates = .init(), _ edit: (inout TrackLifecycle, inout AssociationSettings) -> Void = { _, _ in }
  ) -> CompositeTracker {
    var lifecycle = TrackLifecycle()
    var association = AssociationSettings()
    edit(&lifecycle, &association)
    return CompositeTracker(affinity, gates: gates, association: association, lifecycle: lifecycle)
  }

  private static func ids(_ tracker: inout CompositeTracker, _ boxes: [BoundingBox], vectors: [[Double]] = []) -> [Int] {
    tracker.update(TrackingPartsTests.observation(tracker.state.frameCount, boxes, vectors: vectors)).map(\.id)
  }

  @Test("tracks are born, confirmed, coast and die as the settings say; empty frames count") func lifecycle() {
    var tracker = Self.tracker { lifecycle, _ in (lifecycle.maxAge, lifecycle.coasting) = (3, 1) }
    #expect((0..<4).map { _ in Self.ids(&tracker, [Self.box(0)]) } == [[], [], [1], [1]])
    #expect(Self.ids(&tracker, []) == [1], "one frame of coasting")
    #expect(Self.ids(&tracker, []) == [])
    #expect(Self.ids(&tracker, [Self.box(0)]) == [1], "found again after two frames")
    for _ in 0..<4 { _ = Self.ids(&tracker, []) }
    #expect(tracker.state.tracks.isEmpty, "lost for longer than max_age")
    #expect((0..<3).map { _ in Self.ids(&tracker, [Self.box(0)]) } == [[], [], [2]])
  }

  @Test("a prediction is told by the missing detection, and score, class and index are carried through") func flags() throws {
    var tracker = Self.tracker { lifecycle, _ in (lifecycle.confirmationHits, lifecycle.coasting) = (1, 5) }
    var observation = FrameObservation(frame: 0, detections: [DetectedBox(Self.box(.nan)), DetectedBox(Self.box(0), score: 0.7, category: 4)])
    let seen = try #require(tracker.update(observation).first)
    #expect(seen.detection == 1 && seen.score == 0.7 && seen.category == 4)
    observation = FrameObservation(frame: 1, detections: [])
    let coasted = try #require(tracker.update(observation).first)
    #expect(coasted.detection == nil && coasted.score == 0.7 && coasted.category == 4 && coasted.id == 1)
    observation = FrameObservation(frame: 2, detections: [DetectedBox(Self.box(0), score: 0.8, category: 5)])
    #expect(tracker.update(observation).map(\.id) == [1, 2], "another class is another object")
  }

  @Test("early reports and tentative ages") func early() {
    var early = Self.tracker { lifecycle, _ in lifecycle.earlyReports = true }
    #expect(Self.ids(&early, [Self.box(0)]) == [1])
    var strict = Self.tracker()
    _ = Self.ids(&strict, [Self.box(0)])
    _ = Self.ids(&strict, [])
    #expect(strict.state.tracks.isEmpty)
    var patient = Self.tracker { lifecycle, _ in lifecycle.tentativeAge = 1 }
    for boxes in [[Self.box(0)], [], [Self.box(0)]] { _ = Self.ids(&patient, boxes) }
    #expect(Self.ids(&patient, [Self.box(0)]) == [1])
  }

  @Test("weak detections continue tracks and begin none") func birthScore() {
    var tracker = Self.tracker { lifecycle, _ in (lifecycle.minScore, lifecycle.birthScore, lifecycle.confirmationHits) = (0.1, 0.6, 1) }
    func frame(_ score: Double) -> [TrackedBox] { tracker.update(FrameObservation(frame: 0, detections: [DetectedBox(Self.box(0), score: score)])) }
    #expect(frame(0.3).isEmpty && frame(0.7).map(\.id) == [1] && frame(0.2).map(\.id) == [1])
    #expect(frame(0.05).isEmpty)
  }

  @Test("gates exclude pairs whatever their affinity") func gates() {
    struct Always: Affinity {
      func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
        Array(repeating: 1, count: tracks.count * observation.detections.count)
      }
    }
    func secondID(_ x: Double, vector: [Double] = [1, 0], _ edit: (inout TrackingGates) -> Void) -> [Int] {
      var gates = TrackingGates()
      edit(&gates)
      var tracker = Self.tracker(Always(), gates: gates) { lifecycle, _ in lifecycle.confirmationHits = 1 }
      _ = Self.ids(&tracker, [Self.box(0)], vectors: [[1, 0]])
      return Self.ids(&tracker, [Self.box(x)], vectors: [vector])
    }
    #expect(secondID(300) { _ in } == [1])
    #expect(secondID(300) { $0.mahalanobis = .box } == [2] && secondID(300) { $0.mahalanobis = .center } == [2])
    #expect(secondID(3) { $0.mahalanobis = .box } == [1] && secondID(3) { $0.mahalanobis = .center } == [1])
    #expect(secondID(30) { $0.iou = 0.3 } == [2] && secondID(3) { $0.iou = 0.3 } == [1])
    #expect(secondID(3, vector: [0, 1]) { $0.cosine = 0.5 } == [2] && secondID(3, vector: [1, 0.1]) { $0.cosine = 0.5 } == [1])
  }

  @Test("optical flow follows a jump of the camera that motion alone cannot") func cameraMotion() {
    func ids(_ affinity: any Affinity) -> [Int] {
      var tracker = Self.tracker(affinity) { lifecycle, _ in lifecycle.confirmationHits = 1 }
      // Of equal scores the last detection comes first: the right box is track 1.
      _ = Self.ids(&tracker, [Self.box(100), Self.box(160)])
      // Everything jumps by 60 pixels: each box lies where its neighbour was.
      var observation = TrackingPartsTests.observation(1, [Self.box(160), Self.box(220)])
      observation.flow = TrackingPartsTests.flow(60, 0)
      return tracker.update(observation).sorted { ($0.detection ?? 9) < ($1.detection ?? 9) }.map(\.id)
    }
    #expect(ids(FlowAffinity()) == [2, 1])
    #expect(ids(IoUAffinity()) == [1, 3])
  }

  @Test("no box that is none leaves the tracker, whatever detections and flow hold") func noNaN() {
    for kind in [BoxMotion.Kind.sort, .deepsort] {
      var tracker = Self.tracker(WeightedAffinity([.init(1, IoUAffinity()), .init(1, FlowAffinity()), .init(1, MahalanobisAffinity())])) {
        lifecycle, _ in
        (lifecycle.motion, lifecycle.confirmationHits, lifecycle.coasting) = (kind, 1, 30)
      }
      let bad = [Self.box(.nan), Self.box(.infinity), BoundingBox(x: 0, y: 0, width: 0, height: 3),
                 BoundingBox(x: 0, y: 0, width: 1e200, height: 1e200), BoundingBox(x: 1e300, y: 1e300, width: 1e150, height: 1e-150)]
      for frame in 0..<12 {
        var observation = TrackingPartsTests.observation(frame, bad + [Self.box(Double(frame))], vectors: Array(repeating: [.nan, 1], count: 6))
        if frame % 3 == 1 { observation = FrameObservation(frame: frame, detections: []) }
        observation.flow = TrackingPartsTests.flow(.nan, 1)
        let found = tracker.update(observation)
        #expect(found.allSatisfy { $0.box.isFinite && !$0.box.isEmpty }, "\(found)")
      }
      #expect(tracker.state.tracks.contains { $0.hits > 5 })
    }
  }

  @Test("a state that was stored and read goes on the same") func storing() throws {
    var tracker = Self.tracker(WeightedAffinity([.init(1, IoUAffinity()), .init(1, AppearanceAffinity())]))
    func boxes(_ frame: Int) -> FrameObservation {
      TrackingPartsTests.observation(
        frame, [Self.box(Double(frame) / 3), Self.box(300.1 - Double(frame))], vectors: [[1, 0.1 * Double(frame)], [0.1, 1]])
    }
    for frame in 0..<7 { _ = tracker.update(boxes(frame)) }
    var restored = Self.tracker(WeightedAffinity([.init(1, IoUAffinity()), .init(1, AppearanceAffinity())]))
    restored.state = try JSONDecoder().decode(CompositeTracker.State.self, from: JSONEncoder().encode(tracker.state))
    #expect(restored.state == tracker.state)
    for frame in 7..<12 {
      let observation = boxes(frame)
      #expect(restored.update(observation) == tracker.update(observation))
    }
  }

  @Test("with DeepSORT's parts it is DeepSORT", arguments: [1, 2, 3]) func equalsDeepSORT(seed: Int) {
    var random = Random(seed: UInt64(seed), stream: .test)
    var gates = TrackingGates()
    gates.mahalanobis = .box
    var composite = Self.tracker(AppearanceAffinity(), gates: gates) { lifecycle, association in
      lifecycle.coasting = 1
      (association.minAffinity, association.cascade, association.iouStage) = (0.8, true, true)
    }
    var original = DeepSORT()
    var places = (0..<8).map { _ in SIMD2(random.uniform() * 600, random.uniform() * 200) }
    for frame in 0..<80 {
      var observation = FrameObservation(frame: frame, detections: [])
      for index in places.indices {
        places[index] += SIMD2(Double(index % 3) * 2 - 2, 0.5)
        guard random.uniform() < 0.8 else { continue }
        let box = BoundingBox(x: places[index].x + random.normal(), y: places[index].y + random.normal(), width: 40 + random.normal(), height: 90 + random.normal())
        observation.detections.append(DetectedBox(box, score: 0.2 + 0.8 * random.uniform()))
        observation.appearance.append((0..<6).map { ($0 == index % 6 ? 1 : 0.1) + 0.2 * random.normal() })
      }
      #expect(composite.update(observation) == original.update(observation), "frame \(frame)")
    }
    #expect(original.trackCount > 8)
  }
}
