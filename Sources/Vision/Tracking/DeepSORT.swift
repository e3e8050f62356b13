import Base

/// DeepSORT: tracks by motion and appearance, which find their objects again after occlusions.
///
/// ```swift
/// var tracker = DeepSORT()
/// for (detections, vectors) in frames { print(tracker.update(detections, appearance: vectors)) }
/// ```
/// A track is reported from its third detection on, and one frame longer than it is seen, with its predicted box.
/// - Source: Wojke et al. 2017, "Simple online and realtime tracking with a deep association metric", and the authors' `deep_sort`.
///
/// The whole state is `Codable`: a tracker that was stored and read goes on as if nothing had happened.
public struct DeepSORT: Sendable, Codable, Equatable {
  public struct Settings: Codable, Sendable, Equatable, ValidatedConfig {
    /// Cosine distance of a detection from the gallery of a track, at most.
    public var maxCosineDistance = 0.2
    /// Appearance vectors that a track keeps; 0: all.
    public var budget = 100
    /// One minus the IoU of a detection and a predicted box, at most, where appearance decides nothing.
    public var maxIouDistance = 0.7
    /// Frames without a detection after which a confirmed track ends.
    public var maxAge = 30
    /// Detections in a row that confirm a track, the first one included.
    public var confirmationHits = 3
    /// Score of a detection, at least.
    public var minConfidence = 0.3
    /// Height of a detection in pixels, at least.
    public var minDetectionHeight = 0.0
    /// Share of a detection that a better one may cover; 1: all stay.
    public var nmsMaxOverlap = 1.0
    /// Whether motion gates by the centre alone.
    public var gatesByPositionOnly = false

    public init() {}

    public func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require(maxCosineDistance >= 0 && maxCosineDistance <= 2, "max_cosine_distance", maxCosineDistance, "0 to 2")
      problems.require(budget >= 0, "budget", budget, "0 or more")
      problems.require(maxIouDistance >= 0 && maxIouDistance <= 1, "max_iou_distance", maxIouDistance, "0 to 1")
      problems.require(maxAge >= 0, "max_age", maxAge, "0 or more")
      problems.require(confirmationHits >= 1, "confirmation_hits", confirmationHits, "1 or more")
      problems.require(minConfidence.isFinite, "min_confidence", minConfidence, "a finite number")
      problems.require(minDetectionHeight >= 0, "min_detection_height", minDetectionHeight, "0 or more")
      problems.require(nmsMaxOverlap >= 0 && nmsMaxOverlap <= 1, "nms_max_overlap", nmsMaxOverlap, "0 to 1")
      return problems
    }
  }

  private struct Track: Sendable, Codable, Equatable {
    let id: Int
    var motion: DeepSORTMotion
    /// The predicted box of this frame.
    var predicted: BoundingBox
    var score: Double
    /// Index of the detection of this frame.
    var detection: Int?
    var category: Int?
    var isConfirmed: Bool
    var hits = 1
    var timeSinceUpdate = 0
    /// Appearance vectors that are not in the gallery yet.
    var vectors: [[Double]]
  }

  public let settings: Settings
  /// Tracks so far, ended ones included.
  public private(set) var trackCount = 0
  private var tracks: [Track] = []
  private var gallery: AppearanceGallery

  public init(_ settings: Settings = Settings()) {
    self.settings = settings
    gallery = AppearanceGallery(budget: settings.budget == 0 ? nil : settings.budget)
  }

  /// The next frame. Detections that are not usable are passed over.
  /// - Parameter appearance: a vector of each detection.
  /// - Returns: the boxes of the confirmed tracks that were seen in this frame or the one before, by age; ids count from 1.
  public mutating func update(_ detections: [DetectedBox], appearance: [[Double]]) -> [TrackedBox] {
    require(appearance.count == detections.count, "DeepSORT: \(appearance.count) vectors for \(detections.count) detections")
    let usable = DetectionFilter(
      minScore: settings.minConfidence, minHeight: settings.minDetectionHeight, maxOverlap: settings.nmsMaxOverlap)(detections)
    predict()
    let association = associate(usable, detections, appearance)
    for pair in association.pairs { confirm(pair.track, detections[pair.detection], pair.detection, appearance[pair.detection]) }
    var isEnded = [Bool](repeating: false, count: tracks.count)
    for index in association.tracks { isEnded[index] = !tracks[index].isConfirmed || tracks[index].timeSinceUpdate > settings.maxAge }
    tracks = zip(tracks, isEnded).filter { !$1 }.map(\.0)
    for index in association.detections {
      let detection = detections[index]
      let motion = DeepSORTMotion(detection.box)
      guard motion.box != nil else { continue }  // variances beyond all numbers
      trackCount += 1
      tracks.append(Track(
        id: trackCount, motion: motion, predicted: detection.box, score: detection.score, detection: index,
        category: detection.category, isConfirmed: settings.confirmationHits <= 1, vectors: [appearance[index]]))
    }
    fillGallery()
    return tracks.compactMap { track in
      guard track.isConfirmed, track.timeSinceUpdate <= 1, let box = track.motion.box else { return nil }
      return TrackedBox(id: track.id, box: box, score: track.score, detection: track.detection, category: track.category)
    }
  }

  /// Moves all tracks on by one frame; those whose box is none any more end.
  private mutating func predict() {
    tracks = tracks.compactMap { track in
      var track = track
      guard let box = track.motion.predict() else { return nil }
      track.predicted = box
      track.timeSinceUpdate += 1
      track.detection = nil
      return track
    }
  }

  /// Confirmed tracks by appearance within the gate of motion, then the others, and those that were seen a frame ago, by overlap.
  private func associate(_ usable: [Int], _ detections: [DetectedBox], _ appearance: [[Double]]) -> Association {
    let confirmed = tracks.indices.filter { tracks[$0].isConfirmed }
    let gate = ChiSquared.quantile95(degreesOfFreedom: settings.gatesByPositionOnly ? 2 : 4)
    let cascade = Association.cascade(
      confirmed, ages: confirmed.map { tracks[$0].timeSinceUpdate }, depth: settings.maxAge, usable, limit: settings.maxCosineDistance
    ) { track, detection in
      let motion = tracks[track].motion
      let distance = motion.gatingDistance(to: detections[detection].box, isPositionOnly: settings.gatesByPositionOnly)
      return distance > gate ? .infinity : gallery.distance(of: appearance[detection], from: tracks[track].id)
    }
    let recent = cascade.tracks.filter { tracks[$0].timeSinceUpdate == 1 }
    let candidates = tracks.indices.filter { !tracks[$0].isConfirmed } + recent
    var result = Association.byCost(candidates, cascade.detections, limit: settings.maxIouDistance) { track, detection in
      1 - detections[detection].box.iou(with: tracks[track].predicted)
    }
    result.pairs = cascade.pairs + result.pairs
    result.tracks += cascade.tracks.filter { tracks[$0].timeSinceUpdate != 1 }
    return result
  }

  private mutating func confirm(_ index: Int, _ detection: DetectedBox, _ detectionIndex: Int, _ vector: [Double]) {
    tracks[index].motion.update(detection.box)
    tracks[index].score = detection.score
    tracks[index].detection = detectionIndex
    tracks[index].category = detection.category
    tracks[index].hits += 1
    tracks[index].timeSinceUpdate = 0
    tracks[index].vectors.append(vector)
    if tracks[index].hits >= settings.confirmationHits { tracks[index].isConfirmed = true }
  }

  /// Moves the vectors of confirmed tracks to the gallery, and forgets tracks that ended.
  private mutating func fillGallery() {
    for index in tracks.indices where tracks[index].isConfirmed {
      gallery.add(tracks[index].vectors, to: tracks[index].id)
      tracks[index].vectors = []
    }
    gallery.keep(Set(tracks.lazy.filter(\.isConfirmed).map(\.id)))
  }
}
