import Base
import Foundation
import Testing
import Vision

/// The parts of the configurable tracker one by one.
@Suite("Parts of trackers") struct TrackingPartsTests {
  static func box(_ x: Double, _ y: Double = 20) -> BoundingBox { BoundingBox(x: x, y: y, width: 40, height: 80) }

  static func observation(_ frame: Int, _ boxes: [BoundingBox], vectors: [[Double]] = []) -> FrameObservation {
    var observation = FrameObservation(frame: frame, detections: boxes.map { DetectedBox($0, score: 0.9) })
    observation.appearance = vectors
    return observation
  }

  static func observation(_ boxes: [BoundingBox], vectors: [[Double]] = []) -> FrameObservation {
    observation(0, boxes, vectors: vectors)
  }

  /// A flow field in which everything moves alike, but for what lies right of a column.
  static func flow(_ u: Float, _ v: Float, rightOf column: Int = .max, _ right: (Float, Float) = (0, 0)) -> FlowField {
    let (height, width) = (150, 400)
    var vectors: [Float] = []
    for _ in 0..<height { for x in 0..<width { vectors += x >= column ? [right.0, right.1] : [u, v] } }
    return FlowField(height: height, width: width, vectors: vectors)
  }

  static func track(_ observation: FrameObservation, _ detection: Int = 0) throws -> Track {
    try #require(Track(id: 1, .deepsort, observation, detection))
  }

  @Test("IoU, Mahalanobis and appearance score pairs between 0 and 1") func scores() throws {
    let start = Self.observation([Self.box(0), Self.box(200)], vectors: [[1, 0], [0, 2]])
    let tracks = [try Self.track(start, 0), try Self.track(start, 1)]
    let next = Self.observation(1, [Self.box(0), Self.box(20), Self.box(500)], vectors: [[3, 0], [-1, 1], [0, 0]])
    let iou = IoUAffinity().scores(tracks, next)
    #expect(iou.count == 6 && iou[0] == 1 && abs(iou[1] - 1.0 / 3) < 1e-12 && iou[2] == 0 && iou[3] == 0)
    let motion = MahalanobisAffinity().scores(tracks, next)
    #expect(motion[0] == 1 && motion[1] > 0 && motion[1] < 1 && motion[2] == 0)
    let appearance = AppearanceAffinity().scores(tracks, next)
    #expect(appearance[0] == 1 && appearance[1] == 0 && abs(appearance[4] - 0.5.squareRoot()) < 1e-12)
    #expect(appearance[2].isNaN && appearance[5].isNaN, "a vector without direction says nothing")
  }

  @Test("a weighted mean leaves out the terms that cannot tell") func weightedMean() throws {
    struct Constant: Affinity {
      let value: Double
      func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
        Array(repeating: value, count: tracks.count * observation.detections.count)
      }
    }
    let observation = Self.observation([Self.box(0)])
    let tracks = [try Self.track(observation)]
    let mean = WeightedAffinity([.init(3, Constant(value: 1)), .init(1, Constant(value: 0.2)), .init(5, Constant(value: .nan)), .init(0, Constant(value: 0))])
    #expect(abs(mean.scores(tracks, observation)[0] - 0.8) < 1e-12)
    #expect(WeightedAffinity([.init(1, Constant(value: .nan))]).scores(tracks, observation)[0].isNaN)
    #expect(mean.scores([], observation).isEmpty)
  }

  @Test("a box moves by the median flow of its inner half, and stays where none is known") func movedBoxes() {
    // Boxes count pixels from 1: this one covers the columns 0 to 39, the inner half 10 to 29.
    let box = BoundingBox(x: 1, y: 1, width: 40, height: 80)
    #expect(box.moved(by: Self.flow(3, -2)) == BoundingBox(x: 4, y: -1, width: 40, height: 80))
    #expect(box.moved(by: Self.flow(3, -2, rightOf: 25, (90, 0))).x == 4, "a part in front of it does not count")
    #expect(box.moved(by: Self.flow(3, -2, rightOf: 15, (90, 0))).x == 91)
    #expect(box.moved(by: Self.flow(.nan, .infinity)) == box)
    let outside = Self.box(9000)
    #expect(outside.moved(by: Self.flow(3, -2)) == outside)
    #expect(!Self.box(.nan).moved(by: Self.flow(3, 3)).isFinite)
    var unknown = Self.flow(3, -2)
    unknown.isValid = Array(repeating: false, count: unknown.isValid.count)
    #expect(box.moved(by: unknown) == box)
  }

  @Test("pose similarity is 1 for the same pose, and says nothing without one") func poses() throws {
    let skeleton = Skeleton.coco
    func observation(_ frame: Int, shift: Double?) -> FrameObservation {
      var observation = Self.observation(frame, [Self.box(0)])
      let body = (0..<skeleton.count).map { ScoredKeypoint(SIMD2(Double($0) * 2 + (shift ?? 0), Double($0) * 4), score: 0.8) }
      observation.poses = [shift == nil ? [] : body]
      return observation
    }
    let tracks = [try Self.track(observation(0, shift: 0))]
    let affinity = PoseAffinity(skeleton)
    #expect(affinity.scores(tracks, observation(1, shift: 0)) == [1])
    let near = affinity.scores(tracks, observation(1, shift: 2))[0]
    let far = affinity.scores(tracks, observation(1, shift: 9))[0]
    #expect(near < 1 && far < near && far > 0)
    #expect(affinity.scores(tracks, observation(1, shift: nil))[0].isNaN)
    #expect(affinity.scores([try Self.track(observation(0, shift: nil))], observation(1, shift: 0))[0].isNaN)
  }

  @Test("greedy association takes the best pair first, the Hungarian the best sum") func associations() {
    let costs = [[0.1, 0.2], [0.15, 0.9]]
    let greedy = GreedyAssociation()([0, 1], [5, 6], limit: 1) { costs[$0][$1 - 5] }
    #expect(greedy.pairs == [.init(detection: 5, track: 0), .init(detection: 6, track: 1)])
    let best = HungarianAssociation()([0, 1], [5, 6], limit: 1) { costs[$0][$1 - 5] }
    #expect(Set(best.pairs) == [.init(detection: 6, track: 0), .init(detection: 5, track: 1)])
    let limited = GreedyAssociation()([0, 1], [5, 6], limit: 0.5) { costs[$0][$1 - 5] }
    #expect(limited.pairs.count == 1 && limited.tracks == [1] && limited.detections == [6])
    let none = GreedyAssociation()([0], [5], limit: 10) { _, _ in .infinity }
    #expect(none.pairs.isEmpty && none.tracks == [0] && none.detections == [5])
  }

  @Test("observations are the same from wherever a sequence is entered") func observations() throws {
    struct Counter: DetectionSource {
      let batchSize = 4
      let needsImages = true
      var calls: [[Int]] = []
      mutating func detections(in frames: [VideoFrame]) -> [[DetectedBox]] {
        calls.append(frames.map(\.index))
        return frames.map { [DetectedBox(TrackingPartsTests.box(Double($0.index + frames[0].index)))] }
      }
    }
    struct Neighbours: FrameMeasurement {
      func measure(_ frame: VideoFrame, after previous: VideoFrame?, into observation: inout FrameObservation) {
        observation.appearance = [[Double(previous?.image?.pixels[0] ?? 99), Double(frame.image?.pixels[0] ?? 99)]]
      }
    }
    func all(from start: Int) throws -> [FrameObservation] {
      var sequence = ObservationSequence(Counter(), [Neighbours()], length: 10, startingAt: start) { frame in
        Image(height: 1, width: 1, channels: 3, pixels: [UInt8(frame), 0, 0])
      }
      var found: [FrameObservation] = []
      while let observation = try sequence.next() { found.append(observation) }
      return found
    }
    let whole = try all(from: 0)
    #expect(whole.map(\.frame) == Array(0..<10))
    #expect(whole[0].appearance == [[99, 0]] && whole[5].appearance == [[4, 5]])
    #expect(whole[9].detections[0].box.x == 17, "the last batch begins with frame 8")
    for start in [1, 4, 6, 9, 10] {
      let part = try all(from: start)
      #expect(part.map(\.frame) == Array(start..<10))
      #expect(part.map(\.detections) == whole[start...].map(\.detections) && part.map(\.appearance) == whole[start...].map(\.appearance))
    }
  }
}
