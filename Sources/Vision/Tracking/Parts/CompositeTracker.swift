import Base

/// Birth, confirmation and death of tracks, and what is said of them. Section `tracks`.
public struct TrackLifecycle: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Reported: String, ConfigChoice {
    /// The box of the motion filter.
    case filtered
    /// The box of the detection.
    case detected
  }

  /// Score of a detection, at least; lower ones are passed over.
  public var minScore = 0.3
  /// Score of a detection that begins a track, at least.
  public var birthScore = 0.3
  /// Height of a detection in pixels, at least.
  public var minHeight = 0.0
  /// Share of a detection that a better one may cover; 1: all stay.
  public var maxOverlap = 1.0
  /// The filter that predicts boxes.
  public var motion = BoxMotion.Kind.deepsort
  /// Appearance vectors that a track keeps.
  public var budget = 100
  /// Detections that confirm a track, the first one included. Until then it is not reported.
  public var confirmationHits = 3
  /// Frames without a detection that a track may have before it is confirmed.
  public var tentativeAge = 0
  /// Frames without a detection after which a confirmed track ends.
  public var maxAge = 30
  /// Frames for which a track without a detection is reported with its predicted box; 0: only detections are.
  public var coasting = 0
  /// Whether tracks need no confirmation in the first frames of a sequence, as many as `confirmation_hits`.
  public var earlyReports = false
  public var report = Reported.filtered

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(minScore.isFinite, "min_score", minScore, "a finite number")
    problems.require(birthScore.isFinite, "birth_score", birthScore, "a finite number")
    problems.require(minHeight >= 0 && minHeight.isFinite, "min_height", minHeight, "0 or more")
    problems.require(maxOverlap >= 0 && maxOverlap <= 1, "max_overlap", maxOverlap, "0 to 1")
    problems.require((1...100_000).contains(budget), "budget", budget, "1 to 100000")
    problems.require((1...100_000).contains(confirmationHits), "confirmation_hits", confirmationHits, "1 to 100000")
    problems.require((0...100_000).contains(tentativeAge), "tentative_age", tentativeAge, "0 to 100000")
    problems.require((0...100_000).contains(maxAge), "max_age", maxAge, "0 to 100000")
    problems.require(coasting >= 0 && coasting <= max(0, maxAge), "coasting", coasting, "0 to max_age (\(maxAge))")
    return problems
  }

  /// The choice of detections before tracking.
  public var filter: DetectionFilter { DetectionFilter(minScore: minScore, minHeight: minHeight, maxOverlap: maxOverlap) }
}

/// An online tracker made of parts: any affinity, gates, one of the associations, and a manager of tracks.
///
/// ```swift
/// var tracker = CompositeTracker(WeightedAffinity([.init(1, IoUAffinity()), .init(1, AppearanceAffinity())]))
/// while let observation = try observations.next() { print(tracker.update(observation)) }
/// ```
/// With the appearance alone, DeepSORT's gate, cascade and second stage it is DeepSORT.
public struct CompositeTracker: OnlineTracker {
  /// All that goes from one frame to the next: a tracker that takes up a state that was stored goes on as if nothing had happened.
  public struct State: Sendable, Codable, Equatable {
    public fileprivate(set) var tracks: [Track] = []
    /// Tracks so far, ended ones included.
    public fileprivate(set) var trackCount = 0
    /// Frames so far.
    public fileprivate(set) var frameCount = 0
  }

  public var state = State()
  private let affinity: any Affinity
  private let gates: TrackingGates
  private let association: AssociationSettings
  private let lifecycle: TrackLifecycle

  public init(
    _ affinity: any Affinity, gates: TrackingGates = .init(), association: AssociationSettings = .init(),
    lifecycle: TrackLifecycle = .init()
  ) {
    (self.affinity, self.gates, self.association, self.lifecycle) = (affinity, gates, association, lifecycle)
  }

  /// - Returns: the boxes of confirmed tracks with a detection, and of those that coast, by age; ids count from 1. A box without a
  ///   detection is a prediction.
  public mutating func update(_ observation: FrameObservation) -> [TrackedBox] {
    state.frameCount += 1
    state.tracks = state.tracks.compactMap { track in
      var track = track
      return track.advance(by: observation.flow) ? track : nil
    }
    let pairing = associate(lifecycle.filter(observation.detections), observation)
    for pair in pairing.pairs { match(pair.track, pair.detection, observation) }
    for index in pairing.tracks { state.tracks[index].miss() }
    state.tracks.removeAll(where: isOver)
    for index in pairing.detections where observation.detections[index].score >= lifecycle.birthScore { begin(index, observation) }
    return state.tracks.compactMap { reported($0, observation) }
  }

  // MARK: Association

  private func associate(_ usable: [Int], _ observation: FrameObservation) -> Association {
    let tracks = state.tracks
    let count = observation.detections.count
    let scores = affinity.scores(tracks, observation)
    require(scores.count == tracks.count * count, "CompositeTracker: \(scores.count) scores of \(tracks.count * count) pairs")
    func cost(_ track: Int, _ detection: Int) -> Double {
      let score = scores[track * count + detection]
      guard !score.isNaN, gates.allows(tracks[track], detection, of: observation) else { return .infinity }
      return 1 - score
    }
    let first = tracks.indices.filter { tracks[$0].isConfirmed || !association.iouStage }
    let method = association.method.method
    let limit = 1 - association.minAffinity
    var result = association.cascade
      ? Association.cascade(first, ages: first.map { tracks[$0].timeSinceUpdate }, depth: max(lifecycle.maxAge, lifecycle.tentativeAge),
                            usable, limit: limit, by: method, costs: cost)
      : method(first, usable, limit: limit, costs: cost)
    guard association.iouStage else { return result }
    let recent = result.tracks.filter { tracks[$0].timeSinceUpdate == 1 }
    let candidates = tracks.indices.filter { !tracks[$0].isConfirmed } + recent
    let second = method(candidates, result.detections, limit: association.maxIouDistance) { track, detection in
      let found = observation.detections[detection]
      if gates.category, let own = tracks[track].category, let other = found.category, own != other { return .infinity }
      return 1 - found.box.iou(with: tracks[track].predicted)
    }
    result.tracks = result.tracks.filter { tracks[$0].timeSinceUpdate != 1 } + second.tracks
    result.pairs += second.pairs
    result.detections = second.detections
    return result
  }

  // MARK: Tracks

  private mutating func match(_ track: Int, _ detection: Int, _ observation: FrameObservation) {
    state.tracks[track].match(detection, of: observation, budget: lifecycle.budget)
    if state.tracks[track].hits >= lifecycle.confirmationHits { state.tracks[track].isConfirmed = true }
  }

  private mutating func begin(_ detection: Int, _ observation: FrameObservation) {
    guard var track = Track(id: state.trackCount + 1, lifecycle.motion, observation, detection) else { return }
    track.isConfirmed = lifecycle.confirmationHits <= 1
    state.trackCount += 1
    state.tracks.append(track)
  }

  private func isOver(_ track: Track) -> Bool {
    track.timeSinceUpdate > (track.isConfirmed ? lifecycle.maxAge : lifecycle.tentativeAge)
  }

  private func reported(_ track: Track, _ observation: FrameObservation) -> TrackedBox? {
    let isEarly = lifecycle.earlyReports && state.frameCount <= lifecycle.confirmationHits && track.timeSinceUpdate == 0
    guard track.isConfirmed || isEarly, track.timeSinceUpdate <= lifecycle.coasting else { return nil }
    let detected = lifecycle.report == .detected ? track.detection.map { observation.detections[$0].box } : nil
    guard let box = detected ?? track.motion.box else { return nil }
    return TrackedBox(id: track.id, box: box, score: track.score, detection: track.detection, category: track.category)
  }
}
