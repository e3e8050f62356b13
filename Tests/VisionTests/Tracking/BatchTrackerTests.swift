import Base
import Testing
import Vision

/// The batch tracker made of parts.
@Suite("Batch tracker") struct BatchTrackerTests {
  private static func box(_ x: Double) -> BoundingBox { TrackingPartsTests.box(x) }

  private static func tracks(
    _ frames: [[(x: Double, vector: [Double])]], _ affinity: any Affinity = IoUAffinity(), flow: FlowField? = nil,
    _ edit: (inout BatchSettings) -> Void = { _ in }
  ) -> [[TrackedBox]] {
    var settings = BatchSettings()
    edit(&settings)
    var tracker = BatchTracker(affinity, settings)
    for (frame, objects) in frames.enumerated() {
      var observation = TrackingPartsTests.observation(frame, objects.map { Self.box($0.x) }, vectors: objects.map(\.vector))
      observation.flow = frame > 0 ? flow : nil
      tracker.add(observation)
    }
    return tracker.tracks()
  }

  @Test("links bridge misses, and gaps are filled between them") func gaps() {
    let frames = (0..<12).map { frame in [5, 6].contains(frame) ? [] : [(x: Double(frame), vector: [1.0])] }
    let found = Self.tracks(frames)
    #expect(found.map { $0.map(\.id) } == Array(repeating: [1], count: 12))
    #expect(found[5][0].detection == nil && abs(found[5][0].box.x - 5) < 1e-12 && found[4][0].detection == 0)
    let open = Self.tracks(frames) { $0.fillGaps = 0 }
    #expect(open[5].isEmpty && open[6].isEmpty && open[7][0].id == 1)
    let short = Self.tracks(frames) { $0.maxStep = 2 }
    #expect(Set(short.joined().map(\.id)) == [1, 2], "a gap of two frames takes a step of three")
  }

  @Test("short tracks and frames without detections") func short() {
    var frames = Array(repeating: [(x: 0.0, vector: [1.0])], count: 8)
    frames[3].append((x: 500, vector: [1]))
    let found = Self.tracks(frames)
    #expect(found.allSatisfy { $0.map(\.id) == [1] }, "one detection alone does not pay")
    #expect(Self.tracks([]).isEmpty)
    #expect(Self.tracks([[], [], []]) == [[], [], []])
    let brief = Self.tracks(Array(frames.prefix(3))) { $0.minLength = 4 }
    #expect(brief.allSatisfy { $0.isEmpty })
  }

  @Test("pieces that look alike are linked over long gaps, others are not") func pieces() {
    func frames(_ second: [Double]) -> [[(x: Double, vector: [Double])]] {
      (0..<40).map { frame in
        if frame < 10 { return [(x: Double(frame), vector: [1, 0.1])] }
        return frame < 30 ? [] : [(x: Double(frame), vector: second)]
      }
    }
    func ids(_ second: [Double], _ edit: (inout BatchSettings) -> Void) -> Set<Int> { Set(Self.tracks(frames(second), edit).joined().map(\.id)) }
    #expect(ids([1, 0]) { $0.linkStep = 30 } == [1])
    #expect(ids([1, 0]) { $0.linkStep = 20 } == [1, 2], "further apart than link_step")
    #expect(ids([0, 1]) { $0.linkStep = 30 } == [1, 2], "another appearance")
    #expect(ids([1, 0]) { ($0.linkStep, $0.linkReach) = (30, 0.001) } == [1, 2], "too far in place")
    #expect(Self.tracks(frames([1, 0])) { ($0.linkStep, $0.fillGaps) = (30, 30) }[20].map(\.id) == [1])
  }

  @Test("optical flow carries detections from frame to frame") func flow() {
    let frames = (0..<6).map { [(x: 45.0 * Double($0), vector: [1.0])] }
    #expect(Set(Self.tracks(frames, FlowAffinity(), flow: TrackingPartsTests.flow(45, 0)).joined().map(\.id)) == [1])
    #expect(Self.tracks(frames, IoUAffinity()).allSatisfy { $0.isEmpty })
  }

  @Test("a link knows the motion of the links before it") func motion() {
    // 20 pixels a frame, half of the width; a gap of three frames leaves no overlap with the last place.
    let frames = (0..<16).map { frame in (8...10).contains(frame) ? [] : [(x: 20.0 * Double(frame), vector: [1.0])] }
    #expect(Set(Self.tracks(frames).joined().map(\.id)) == [1])
  }

  @Test("settings out of range are told") func settings() {
    var settings = BatchSettings()
    #expect(settings.problems().isEmpty)
    (settings.maxStep, settings.falseShare, settings.linkDistance, settings.minLength) = (0, 0.7, 3, 0)
    #expect(settings.problems().map(\.key) == ["max_step", "false_share", "link_distance", "min_length"])
  }
}

extension BatchTrackerTests {
  private static func tracks(_ frames: [[(x: Double, vector: [Double])]], _ edit: (inout BatchSettings) -> Void) -> [[TrackedBox]] {
    tracks(frames, IoUAffinity(), edit)
  }
}
