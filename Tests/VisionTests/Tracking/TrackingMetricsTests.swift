import Base
import Testing
import TestSupport
import Vision

/// Small sequences whose metrics can be told by hand; the numbers of whole sequences are checked with the files' readers.
@Suite("Tracking metrics") struct TrackingMetricsTests {
  /// A box of 10 x 10 at a place, where boxes of other places do not reach; `shift` moves it: an IoU of (10 - shift) / (10 + shift).
  static func box(_ place: Int, shift: Double = 0) -> BoundingBox {
    BoundingBox(x: Double(place) * 100 + shift, y: 50, width: 10, height: 10)
  }

  /// Frames of ids and places.
  static func truth(_ frames: [[(id: Int, place: Int)]]) -> [[TruthBox]] {
    frames.map { $0.map { TruthBox(id: $0.id, box: box($0.place)) } }
  }
  static func result(_ frames: [[(id: Int, place: Int)]]) -> [[TrackedBox]] {
    frames.map { $0.map { TrackedBox(id: $0.id, box: box($0.place)) } }
  }

  static func metrics(
    _ truth: [[(id: Int, place: Int)]], _ result: [[(id: Int, place: Int)]], rule: TrackingRule = .official
  ) throws -> TrackingMetrics {
    let comparison = try TrackingComparison(truth: Self.truth(truth), result: Self.result(result), benchmark: .mot15, rule: rule)
    return TrackingMetrics(comparison, rule: rule)
  }

  @Test("a perfect result has 1 everywhere") func perfect() throws {
    let frames = [[(1, 0), (2, 1)], [(1, 0), (2, 1)], [(2, 1)]]
    let metrics = try Self.metrics(frames, frames)
    #expect(metrics.clear.mota == 1 && metrics.clear.motp == 1 && metrics.clear.mostlyTracked == 2 && metrics.clear.fragmentations == 0)
    #expect(metrics.identity.f1 == 1 && metrics.identity.truePositives == 5)
    #expect(metrics.hota.hota == 1 && metrics.hota.locA == 1 && metrics.hota.assA == 1)
    #expect(metrics.clear.smota == 1 && metrics.clear.motal == 1 && metrics.clear.f1 == 1)
  }

  @Test("a switch costs one in MOTA, and half of the boxes in IDF1", arguments: TrackingRule.allCases)
  func oneSwitch(rule: TrackingRule) throws {
    let truth = Array(repeating: [(id: 1, place: 0)], count: 10)
    let result = (0..<10).map { [(id: $0 < 5 ? 7 : 8, place: 0)] }
    let metrics = try Self.metrics(truth, result, rule: rule)
    #expect(metrics.clear.identitySwitches == 1 && metrics.clear.mota == 0.9 && metrics.clear.fragmentations == 0)
    #expect(metrics.clear.motal == 1 && metrics.clear.moda == 1)
    #expect(metrics.identity.truePositives == 5 && metrics.identity.f1 == 0.5)
    // Each half is together in 5 of the 10 frames.
    #expect(abs(metrics.hota.assA - 0.5) < 1e-12 && abs(metrics.hota.hota - 0.5.squareRoot()) < 1e-12)
    #expect(metrics.clear.ascends == (rule == .official ? 0 : 1))
  }

  @Test("the old partner is kept at 0.5 and more, though another fits better") func continuation() throws {
    let truth = Array(repeating: [TruthBox(id: 1, box: Self.box(0))], count: 2)
    let old = TrackedBox(id: 1, box: Self.box(0, shift: 3))  // IoU 7/13
    let result = [[TrackedBox(id: 1, box: Self.box(0))], [old, TrackedBox(id: 2, box: Self.box(0))]]
    let metrics = TrackingMetrics(try TrackingComparison(truth: truth, result: result, benchmark: .mot15))
    #expect(metrics.clear.identitySwitches == 0 && metrics.clear.falsePositives == 1)
    #expect(abs(metrics.clear.motp - (1 + 7.0 / 13) / 2) < 1e-12)
    #expect(abs(metrics.clear.motpDistance - 3.0 / 13) < 1e-12)
  }

  @Test("after a gap only py-motmetrics gives the old partner back") func reattaching() throws {
    // In frame 2 the track 1 is missed; in frame 3 its old partner still fits, but a new one better.
    let other = (id: 9, place: 5)
    let truth = Self.truth(Array(repeating: [(1, 0), other], count: 3))
    let third = [TrackedBox(id: 1, box: Self.box(0, shift: 3)), TrackedBox(id: 2, box: Self.box(0)), TrackedBox(id: 9, box: Self.box(5))]
    let result = Self.result([[(1, 0), other], [other]]) + [third]
    let comparison = try TrackingComparison(truth: truth, result: result, benchmark: .mot15)
    #expect(CLEARMetrics(comparison).identitySwitches == 1)
    let attached = CLEARMetrics(comparison, rule: .pyMotmetrics)
    #expect(attached.identitySwitches == 0 && attached.fragmentations == 1 && attached.falsePositives == 1)
  }

  @Test("a gap counts as a fragment though the truth itself was absent, by the official rule alone") func fragments() throws {
    let other = (id: 9, place: 5)
    let truth = [[(1, 0), other], [other], [(1, 0), other]]
    let metrics = try Self.metrics(truth, truth)
    #expect(metrics.clear.fragmentations == 1)
    #expect(try Self.metrics(truth, truth, rule: .pyMotmetrics).clear.fragmentations == 0)
  }

  @Test("80 % of the frames are mostly tracked by py-motmetrics alone") func mostlyTracked() throws {
    let truth = Array(repeating: [(id: 1, place: 0)], count: 5)
    let result = Array(repeating: [(id: 1, place: 0)], count: 4)
    #expect(try Self.metrics(truth, result).clear.partlyTracked == 1)
    #expect(try Self.metrics(truth, result, rule: .pyMotmetrics).clear.mostlyTracked == 1)
    let lost = try Self.metrics(truth + truth, [[(1, 0)]])
    #expect(lost.clear.mostlyLost == 1 && lost.clear.mostlyLostShare == 1)
  }

  @Test("transfers and migrations: a hypothesis goes over to another object") func transfers() throws {
    let truth = [[(1, 0)], [(1, 0), (2, 1)]]
    let metrics = try Self.metrics(truth, [[(7, 0)], [(8, 0), (7, 1)]], rule: .pyMotmetrics)
    #expect(metrics.clear.identitySwitches == 1 && metrics.clear.ascends == 1)
    #expect(metrics.clear.transfers == 1 && metrics.clear.migrations == 1)
  }

  @Test("py-motmetrics takes as many pairs as it can, the official rule the largest sum of IoU") func numberOfPairs() throws {
    // Four places in a row, 3 apart (IoU 7/13): two pairs agree fully, three are possible.
    let truth = [[0.0, 3, 6].enumerated().map { TruthBox(id: $0, box: Self.box(0, shift: $1)) }]
    let result = [[3.0, 6, 9].enumerated().map { TrackedBox(id: $0, box: Self.box(0, shift: $1)) }]
    let comparison = try TrackingComparison(truth: truth, result: result, benchmark: .mot15)
    let official = CLEARMetrics(comparison)
    #expect(official.truePositives == 2 && official.motp == 1)
    let most = CLEARMetrics(comparison, rule: .pyMotmetrics)
    #expect(most.truePositives == 3 && abs(most.motp - 7.0 / 13) < 1e-12)
    // The same pairing tells distractors: only in the larger one the first box, a reflection, has a partner.
    var classed = truth
    classed[0][0].category = .reflection
    for (rule, count) in [(TrackingRule.official, 0), (.pyMotmetrics, 1)] {
      let removed = try TrackingComparison(truth: classed, result: result, benchmark: .mot17, rule: rule).removedCount
      #expect(removed == count, "\(rule)")
    }
  }

  // MARK: Emptiness

  @Test("more errors than boxes: MOTA is negative") func negative() throws {
    let metrics = try Self.metrics([[(1, 0)]], [[(1, 3), (2, 4), (3, 5)]])
    #expect(metrics.clear.mota == -3 && metrics.clear.moda == -3 && metrics.clear.recall == 0 && metrics.clear.motp == 0)
    #expect(metrics.clear.falsePositivesPerFrame == 3)
    #expect(metrics.hota.hota == 0 && metrics.hota.locA == 1 && metrics.identity.f1 == 0)
  }

  @Test("no result: all is missed", arguments: TrackingRule.allCases) func noResult(rule: TrackingRule) throws {
    let metrics = try Self.metrics([[(1, 0), (2, 1)], [(1, 0)]], [], rule: rule)
    #expect(metrics.clear.falseNegatives == 3 && metrics.clear.mostlyLost == 2 && metrics.clear.mota == 0 && metrics.clear.frames == 2)
    #expect(metrics.identity.falseNegatives == 3 && metrics.identity.precision == 0)
    #expect(metrics.hota.hota == 0 && metrics.hota.tallies.allSatisfy { $0.falseNegatives == 3 && $0.locA == 1 })
  }

  @Test("no ground truth: all is wrong, and nothing is NaN", arguments: TrackingRule.allCases) func noTruth(rule: TrackingRule) throws {
    let metrics = try Self.metrics([], [[(1, 0)], [(1, 0), (2, 1)]], rule: rule)
    #expect(metrics.clear.falsePositives == 3 && metrics.clear.mota == 0 && metrics.clear.trackCount == 0)
    #expect(metrics.identity.falsePositives == 3 && metrics.hota.tallies[0].falsePositives == 3 && metrics.hota.hota == 0)
    expectFinite(metrics)
  }

  @Test("nothing at all") func nothing() throws {
    let metrics = try Self.metrics([[], []], [[]])
    #expect(metrics.clear.frames == 2)
    expectFinite(metrics)
    expectFinite(TrackingMetrics())
  }

  private func expectFinite(_ metrics: TrackingMetrics) {
    let clear = metrics.clear
    let ratios = [clear.mota, clear.moda, clear.motal, clear.smota, clear.motp, clear.motpDistance, clear.recall, clear.precision, clear.f1,
                  clear.falsePositivesPerFrame, clear.mostlyTrackedShare, clear.partlyTrackedShare, clear.mostlyLostShare]
    let hota = metrics.hota
    let means = [hota.hota, hota.detA, hota.assA, hota.detRe, hota.detPr, hota.assRe, hota.assPr, hota.locA, hota.hota0, hota.locA0]
    let all = ratios + means + [metrics.identity.precision, metrics.identity.recall, metrics.identity.f1]
    #expect(all.allSatisfy { $0.isFinite })
  }

  @Test("frames in which one side is empty keep the partners, and count as misses or false boxes") func emptyFrames() throws {
    // Frame 2 has no result: the official memory of the frame before stays, so that nothing is interrupted.
    let truth = Array(repeating: [(id: 1, place: 0)], count: 3)
    let metrics = try Self.metrics(truth, [[(1, 0)], [], [(1, 0)]])
    #expect(metrics.clear.falseNegatives == 1 && metrics.clear.fragmentations == 0 && metrics.clear.identitySwitches == 0)
    #expect(try Self.metrics([[(1, 0)], [], [(1, 0)]], truth).clear.falsePositives == 1)
  }

  // MARK: Several sequences

  @Test("sequences combine by counts, not by averaging ratios") func combination() throws {
    let good = try Self.metrics(Array(repeating: [(id: 1, place: 0)], count: 30), Array(repeating: [(id: 1, place: 0)], count: 30))
    let bad = try Self.metrics(Array(repeating: [(id: 1, place: 0)], count: 10), [])
    var sum = good
    sum += bad
    #expect(sum.clear.mota == 0.75 && sum.identity.recall == 0.75 && sum.clear.trackCount == 2 && sum.clear.frames == 40)
    #expect(abs(sum.hota.detA - 0.75) < 1e-12 && sum.hota.assA == 1 && abs(sum.hota.hota - 0.75.squareRoot()) < 1e-12)
    var reversed = TrackingMetrics()
    reversed += bad
    reversed += good
    #expect(reversed == sum)
  }

  // MARK: Distractors

  @Test("a hypothesis on a distractor is removed, one on a car stays") func distractors() throws {
    let classes: [TrackingClass] = [.pedestrian, .reflection, .car, .nonMotorizedVehicle]
    let truth = [classes.enumerated().map { TruthBox(id: $0, box: Self.box($0), isEvaluated: $1 == .pedestrian, category: $1) }]
    let result = Self.result([classes.indices.map { (id: $0, place: $0) }])
    func falsePositives(_ benchmark: TrackingBenchmark, isPreprocessed: Bool = true, rule: TrackingRule = .official) throws -> Int {
      let comparison = try TrackingComparison(
        truth: truth, result: result, benchmark: benchmark, isPreprocessed: isPreprocessed, rule: rule)
      #expect(comparison.truthCount == 1 && comparison.removedCount + comparison.hypothesisCount == 4)
      return CLEARMetrics(comparison, rule: rule).falsePositives
    }
    #expect(try falsePositives(.mot16) == 2 && falsePositives(.mot17) == 2)
    #expect(try falsePositives(.mot20) == 1 && falsePositives(.mot20, rule: .pyMotmetrics) == 2)
    #expect(try falsePositives(.mot17, isPreprocessed: false) == 3 && falsePositives(.mot15) == 3)
  }

  @Test("a pedestrian that is not flagged is no truth, and a hypothesis on it a false one") func flags() throws {
    let truth = [[TruthBox(id: 1, box: Self.box(0), isEvaluated: false), TruthBox(id: 2, box: Self.box(1))]]
    let metrics = try TrackingMetrics(TrackingComparison(truth: truth, result: Self.result([[(1, 0), (2, 1)]]), benchmark: .mot17))
    #expect(metrics.clear.truePositives == 1 && metrics.clear.falsePositives == 1 && metrics.clear.falseNegatives == 0)
  }

  // MARK: Refusals

  @Test("an identity twice in a frame and boxes without size are refused") func refusals() {
    let twice = Self.result([[], [(3, 0), (3, 1)]])
    expectFailure(.badData, "the result has the id 3 twice in frame 2") {
      try TrackingComparison(truth: [], result: twice, benchmark: .mot15)
    }
    for width in [0, -1, Double.nan, .infinity] {
      let flat = TruthBox(id: 1, box: BoundingBox(x: 0, y: 0, width: width, height: 4))
      expectFailure(.badData, "the ground truth has a box without size in frame 1") {
        try TrackingComparison(truth: [[flat]], result: [], benchmark: .mot15)
      }
    }
  }
}
