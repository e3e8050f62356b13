import Base

/// SORT: tracks by the motion and the overlap of boxes alone, frame by frame.
///
/// ```swift
/// var tracker = SORT()
/// for detections in frames { print(tracker.update(detections)) }   // also for frames without detections
/// ```
/// Outside the first frames a track is reported from its fourth detection on, and after a gap it needs `minHits` matches again; predicted
/// boxes are never reported.
/// - Source: Bewley et al. 2016, "Simple online and realtime tracking", and the authors' `sort.py`.
///
/// The whole state is `Codable`: a tracker that was stored and read goes on as if nothing had happened.
public struct SORT: Sendable, Codable, Equatable {
  public struct Settings: Codable, Sendable, Equatable, ValidatedConfig {
    /// Frames without a detection after which a track ends.
    public var maxAge = 1
    /// Detections in a row before a track is reported.
    public var minHits = 3
    /// IoU of a detection and a predicted box, at least.
    public var iouThreshold = 0.3

    public init() {}

    public func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require(maxAge >= 0, "max_age", maxAge, "0 or more")
      problems.require(minHits >= 0, "min_hits", minHits, "0 or more")
      problems.require(iouThreshold >= 0 && iouThreshold <= 1, "iou_threshold", iouThreshold, "0 to 1")
      return problems
    }
  }

  private struct Track: Sendable, Codable, Equatable {
    let id: Int
    var motion: SORTMotion
    var score: Double
    /// Index of the detection of this frame.
    var detection: Int?
    var category: Int?
    var timeSinceUpdate = 0
    var hitStreak = 0
  }

  public let settings: Settings
  /// Frames so far.
  public private(set) var frameCount = 0
  /// Tracks so far, ended ones included.
  public private(set) var trackCount = 0
  private var tracks: [Track] = []

  public init(_ settings: Settings = Settings()) { self.settings = settings }

  /// The next frame. Detections that are not usable are passed over.
  /// - Returns: the filtered boxes of the tracks that are reported, the newest first as the authors write them; ids count from 1.
  public mutating func update(_ detections: [DetectedBox]) -> [TrackedBox] {
    frameCount += 1
    let usable = detections.indices.filter { detections[$0].isUsable }
    let predicted = predict()
    let association = Association.byIoU(usable.map { detections[$0].box }, predicted, threshold: settings.iouThreshold)
    for pair in association.pairs {
      let detection = detections[usable[pair.detection]]
      tracks[pair.track].motion.update(detection.box)
      tracks[pair.track].score = detection.score
      tracks[pair.track].detection = usable[pair.detection]
      tracks[pair.track].category = detection.category
      tracks[pair.track].timeSinceUpdate = 0
      tracks[pair.track].hitStreak += 1
    }
    for index in association.detections.map({ usable[$0] }) {
      let motion = SORTMotion(detections[index].box)
      guard motion.box != nil else { continue }  // an area beyond all numbers
      trackCount += 1
      let detection = detections[index]
      tracks.append(Track(id: trackCount, motion: motion, score: detection.score, detection: index, category: detection.category))
    }
    let isEarly = frameCount <= settings.minHits
    let reported = tracks.reversed().compactMap { track -> TrackedBox? in
      guard track.timeSinceUpdate < 1, track.hitStreak >= settings.minHits || isEarly, let box = track.motion.box else { return nil }
      return TrackedBox(id: track.id, box: box, score: track.score, detection: track.detection, category: track.category)
    }
    tracks.removeAll { $0.timeSinceUpdate > settings.maxAge }
    return reported
  }

  /// Moves all tracks on by one frame; those whose box is none any more end.
  /// - Returns: the predicted boxes.
  private mutating func predict() -> [BoundingBox] {
    var boxes: [BoundingBox] = []
    var remaining: [Track] = []
    for var track in tracks {
      let box = track.motion.predict()
      if track.timeSinceUpdate > 0 { track.hitStreak = 0 }
      track.timeSinceUpdate += 1
      track.detection = nil
      guard let box else { continue }
      boxes.append(box)
      remaining.append(track)
    }
    tracks = remaining
    return boxes
  }
}
