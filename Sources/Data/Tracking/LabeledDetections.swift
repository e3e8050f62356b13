import Base
import Vision

/// The detections of a sequence with the identity of the object that each of them shows.
///
/// In every frame the pairing with the largest sum of IoU, of pairs with an IoU of 0.5 or more, says who is who; what has no partner that
/// counts for the benchmark is a false box.
public struct LabeledDetections: Sendable {
  /// A detection and whom it shows; nil: nobody.
  public struct Item: Sendable, Equatable {
    public let detection: DetectedBox
    public let id: Int?
  }

  public let name: String
  /// Frame by frame.
  public let frames: [[Item]]

  public init(name: String, detections: [[DetectedBox]], truth: [[TruthBox]]) {
    self.name = name
    frames = detections.indices.map { frame in
      let found = detections[frame].filter(\.isUsable)
      let truths = (frame < truth.count ? truth[frame] : []).filter(\.isEvaluatedPedestrian)
      var edges: [LinearAssignment.Edge] = []
      for (row, detection) in found.enumerated() {
        for (column, own) in truths.enumerated() {
          let iou = detection.box.iou(with: own.box)
          if iou >= 0.5 { edges.append(.init(row: row, column: column, weight: iou)) }
        }
      }
      var ids = [Int?](repeating: nil, count: found.count)
      for edge in LinearAssignment.heaviest(edges) { ids[edges[edge].row] = truths[edges[edge].column].id }
      return zip(found, ids).map { Item(detection: $0, id: $1) }
    }
  }

  /// The detections and the ground truth of a sequence's files.
  /// - Throws: the failures of reading.
  public init(_ sequence: MOTSequence) throws {
    self.init(name: sequence.name, detections: try sequence.detections(), truth: try sequence.truth())
  }
}

/// Tracks as they were up to a frame, and the detections of a later one: whom do they show?
public struct MatchingCases: Dataset {
  /// A track at a moment, and the detections that may belong to it.
  public struct Case: Sendable, Equatable {
    /// The pairs with each detection near enough, the most alike first.
    public let pairs: [Pair]
  }

  /// The features of a track and a detection, and whether they belong together.
  public struct Pair: Sendable, Equatable {
    public let features: PairFeatures
    public let isMatch: Bool
  }

  /// A place in a sequence: a track was seen last in frame `frame`, and detections are those `gap` frames later.
  private struct Place: Sendable {
    let sequence: Int
    let id: Int
    let frame: Int
    let gap: Int
  }

  private let sequences: [LabeledDetections]
  private let places: [Place]
  private let noise: BoxNoise
  private let falseRate: Double
  private let mostPairs: Int
  private let seed: UInt64

  /// Frames of a track that count.
  private static let historyLength = 20

  /// - Parameters:
  ///   - longestGap: frames between the last sight of a track and the detections, at most.
  ///   - noise: further misses and jitter, besides those that the detections have.
  ///   - falseRate: further false boxes near a track, on average.
  ///   - mostPairs: detections for a track, at most; those that are most alike.
  ///   - seed: of the noise where no other source is given.
  /// - Throws: `.badData` if no detection shows anybody.
  public init(
    _ sequences: [LabeledDetections], longestGap: Int, noise: BoxNoise, falseRate: Double, mostPairs: Int, seed: UInt64
  ) throws {
    self.sequences = sequences
    (self.noise, self.falseRate, self.mostPairs, self.seed) = (noise, falseRate, mostPairs, seed)
    var places: [Place] = []
    for (number, sequence) in sequences.enumerated() {
      for (frame, items) in sequence.frames.enumerated() {
        for id in items.compactMap(\.id).sorted() {
          for gap in 1...longestGap where frame + gap < sequence.frames.count && !sequence.frames[frame + gap].isEmpty {
            places.append(Place(sequence: number, id: id, frame: frame, gap: gap))
          }
        }
      }
    }
    guard !places.isEmpty else {
      throw Failure(.badData, at: sequences.map(\.name).joined(separator: ", "), "no detection lies on a box of the ground truth",
                    remedy: "Detections and ground truth must be of the same sequences: look at det/det.txt.")
    }
    self.places = places
  }

  public var count: Int { places.count }

  /// `SEQUENCE/id/frame+gap`.
  public func name(of index: Int) -> String {
    let place = places[index]
    return "\(sequences[place.sequence].name)/\(place.id)/\(place.frame + 1)+\(place.gap)"
  }

  /// A case with noise of its own, the same at each call.
  public func sample(at index: Int) -> Case {
    var random = Random(seed: seed, stream: .noise, sample: index)
    return sample(at: index, &random)
  }

  /// A case with noise from a source.
  public func sample(at index: Int, _ random: inout Random) -> Case {
    let place = places[index]
    let frames = sequences[place.sequence].frames
    let history = history(place, frames, &random)
    guard let last = history.last.flatMap({ $0 }), let predicted = Self.predicted(history, gap: place.gap) else { return Case(pairs: []) }
    var candidates = frames[place.frame + place.gap].map { item in
      LabeledDetections.Item(
        detection: DetectedBox(noise.jittered(item.detection.box, &random), score: item.detection.score), id: item.id)
    }
    candidates += falseBoxes(near: predicted, &random)
    let pairs = candidates.map { item in
      let features = PairFeatures(predicted: predicted, last: last, gap: place.gap, detection: item.detection)
      return Pair(features: features, isMatch: item.id == place.id)
    }
    // The most alike are the hardest; a match is kept, however far it is.
    func distance(_ pair: Pair) -> Double { pair.features.values[4] }
    let sorted = pairs.sorted { distance($0) == distance($1) ? $0.isMatch && !$1.isMatch : distance($0) < distance($1) }
    let kept = sorted.enumerated().filter { $0.element.isMatch || ($0.offset < mostPairs && distance($0.element) < 1) }
    return Case(pairs: kept.map(\.element))
  }

  /// The boxes of a track frame by frame up to where it was seen last; nil where it was missed.
  private func history(_ place: Place, _ frames: [[LabeledDetections.Item]], _ random: inout Random) -> [BoundingBox?] {
    let first = max(0, place.frame - Self.historyLength + 1)
    let isSeen = noise.seen(place.frame - first, &random) + [true]
    return (first...place.frame).map { frame in
      let box = frames[frame].first { $0.id == place.id }.map { noise.jittered($0.detection.box, &random) }
      return isSeen[frame - first] ? box : nil
    }
  }

  /// The box of the Kalman filter after a history and some frames more; nil if there is none.
  private static func predicted(_ history: [BoundingBox?], gap: Int) -> BoundingBox? {
    guard var motion = DeepSORTMotion(following: history.drop { $0 == nil }) else { return nil }
    var box = motion.box
    for _ in 0..<gap { box = motion.predict() }
    return box
  }

  /// False boxes of about the size of the track, near where it is expected.
  private func falseBoxes(near box: BoundingBox, _ random: inout Random) -> [LabeledDetections.Item] {
    let count = Int(falseRate) + (random.chance(falseRate - falseRate.rounded(.down)) ? 1 : 0)
    return (0..<count).map { _ in
      let move = SIMD4(random.uniform(-1.5, 1.5), random.uniform(-0.6, 0.6), 0.3 * random.normal(), 0.2 * random.normal())
      return LabeledDetections.Item(detection: DetectedBox(box.moved(by: BoxDisplacement(move)), score: random.uniform(0.1, 0.8)), id: nil)
    }
  }
}
