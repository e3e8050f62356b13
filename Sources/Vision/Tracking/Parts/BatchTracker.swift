import Base
import Foundation

/// Association over a whole sequence. Section `batch`.
public struct BatchSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Frames from a detection to the next one of its track, at most.
  public var maxStep = 5
  /// What a link costs for each frame that it skips: a natural logarithm of odds, as all costs here.
  public var skipCost = 0.5
  /// What a track's first detection costs, and its last one.
  public var boundaryCost = 3.0
  /// Share of detections that are false, β: each one that is taken costs `log(β / (1 - β))`, less than nothing.
  public var falseShare = 0.1
  /// Frames from the end of a piece of a track to the beginning of the next one that is linked to it by appearance, at most; 0: none is.
  public var linkStep = 0
  /// Cosine distance of the mean appearance of two pieces that are linked, at most.
  public var linkDistance = 0.2
  /// How far the two ends may lie apart for each frame between them, in heights of the box.
  public var linkReach = 0.25
  /// Frames of a gap that is filled, at most; 0: gaps stay.
  public var fillGaps = 20
  /// Boxes of a track, at least, the filled ones included; shorter ones are left out.
  public var minLength = 3

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((1...1000).contains(maxStep), "max_step", maxStep, "1 to 1000")
    problems.require((0...1000).contains(skipCost), "skip_cost", skipCost, "0 to 1000")
    problems.require((0...1000).contains(boundaryCost), "boundary_cost", boundaryCost, "0 to 1000")
    problems.require((1e-6...0.5).contains(falseShare), "false_share", falseShare, "0.000001 to 0.5")
    problems.require((0...100_000).contains(linkStep), "link_step", linkStep, "0 (none) to 100000")
    problems.require((0...2).contains(linkDistance), "link_distance", linkDistance, "0 to 2")
    problems.require((0...1000).contains(linkReach), "link_reach", linkReach, "0 to 1000")
    problems.require((0...100_000).contains(fillGaps), "fill_gaps", fillGaps, "0 (none) to 100000")
    problems.require((1...100_000).contains(minLength), "min_length", minLength, "1 to 100000")
    return problems
  }
}

/// A batch tracker made of parts: the tracks that cost least over the whole sequence, with any affinity as the probability of a link.
///
/// ```swift
/// var tracker = BatchTracker(IoUAffinity())
/// while let observation = try observations.next() { tracker.add(observation) }
/// print(tracker.tracks())
/// ```
/// Every detection is a track of its own as long as it may be linked; affinities compare it with the detections of the frames to come. It
/// takes over motion, history and appearance along its cheapest link, so that affinities know as much of it as of an online track; which
/// links count is decided over the whole sequence.
public struct BatchTracker {
  private struct Node {
    let frame: Int
    /// Index in its frame.
    let index: Int
    let found: DetectedBox
    let vector: [Double]?
  }

  private let affinity: any Affinity
  private let gates: TrackingGates
  private let settings: BatchSettings
  private let lifecycle: TrackLifecycle
  private let minAffinity: Double
  private var nodes: [Node] = []
  private var links: [NetworkFlowAssociation.Link] = []
  /// Detections of the last frames as tracks, whose ids are indices of nodes.
  private var recent: [Track] = []
  private var frameCount = 0

  /// - Parameters:
  ///   - lifecycle: its choice of detections, its motion filter and its budget of vectors count.
  ///   - minAffinity: of a link.
  public init(
    _ affinity: any Affinity, _ settings: BatchSettings = .init(), gates: TrackingGates = .init(), lifecycle: TrackLifecycle = .init(),
    minAffinity: Double = 0.3
  ) {
    (self.affinity, self.settings, self.gates, self.lifecycle) = (affinity, settings, gates, lifecycle)
    self.minAffinity = minAffinity
  }

  /// The next frame; also to be called for frames without detections.
  public mutating func add(_ observation: FrameObservation) {
    recent = recent.compactMap { track in
      var track = track
      guard track.advance(by: observation.flow), track.timeSinceUpdate <= settings.maxStep else { return nil }
      return track
    }
    let usable = lifecycle.filter(observation.detections).sorted()
    let scores = affinity.scores(recent, observation)
    let count = observation.detections.count
    var added: [Track] = []
    for index in usable {
      guard let fresh = Track(id: nodes.count, lifecycle.motion, observation, index) else { continue }
      var best: (cost: Double, track: Track)?
      for (row, earlier) in recent.enumerated() {
        let score = scores[row * count + index]
        guard score >= minAffinity, score > 0, gates.allows(earlier, index, of: observation) else { continue }
        let cost = max(0, -log(score) + Double(earlier.timeSinceUpdate - 1) * settings.skipCost)
        links.append(.init(from: earlier.id, to: fresh.id, cost: cost))
        if cost < best?.cost ?? .infinity { best = (cost, earlier) }
      }
      added.append(best?.track.continued(as: fresh.id, index, of: observation, budget: lifecycle.budget) ?? fresh)
      nodes.append(Node(frame: frameCount, index: index, found: observation.detections[index], vector: observation.vector(of: index)))
    }
    for row in recent.indices { recent[row].miss() }
    recent += added
    frameCount += 1
  }

  /// The tracks of all frames so far, frame by frame; ids count from 1 in the order of beginnings.
  public func tracks() -> [[TrackedBox]] {
    let cost = log(settings.falseShare / (1 - settings.falseShare))
    let graph = NetworkFlowAssociation(
      detections: Array(repeating: cost, count: nodes.count), links: links, birth: settings.boundaryCost, death: settings.boundaryCost)
    var frames = [[TrackedBox]](repeating: [], count: frameCount)
    for (number, track) in linked(graph.tracks()).enumerated() {
      for node in track.map({ nodes[$0] }) {
        frames[node.frame].append(TrackedBox(
          id: number + 1, box: node.found.box, score: node.found.score, detection: node.index, category: node.found.category))
      }
    }
    return TrackRefinement.removingShortTracks(
      TrackRefinement.interpolatingGaps(frames, ofAtMost: settings.fillGaps), below: settings.minLength)
  }

  // MARK: Pieces

  /// Pieces of tracks that look alike and can follow each other, made one: those with the smallest sum of distances, and again until there
  /// is nothing to link.
  private func linked(_ pieces: [[Int]]) -> [[Int]] {
    guard settings.linkStep > 0 else { return pieces }
    var pieces = pieces
    while true {
      let means = pieces.map(meanVector)
      let all = Array(pieces.indices)
      let pairs = Association.byCost(all, all, limit: settings.linkDistance) { earlier, later in
        guard follows(pieces[later], pieces[earlier]), let a = means[earlier], let b = means[later] else { return .infinity }
        return 1 - zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
      }.pairs
      guard !pairs.isEmpty else { return pieces }
      let next = Dictionary(uniqueKeysWithValues: pairs.map { ($0.track, $0.detection) })
      let continued = Set(pairs.map(\.detection))
      pieces = all.filter { !continued.contains($0) }.map { first in
        var whole = pieces[first]
        var piece = first
        while let following = next[piece] {
          whole += pieces[following]
          piece = following
        }
        return whole
      }
    }
  }

  /// Whether a piece can be the same object as an earlier one.
  private func follows(_ later: [Int], _ earlier: [Int]) -> Bool {
    guard let last = earlier.last.map({ nodes[$0] }), let first = later.first.map({ nodes[$0] }) else { return false }
    let step = first.frame - last.frame
    guard step >= 1, step <= settings.linkStep else { return false }
    if gates.category, let own = last.found.category, let other = first.found.category, own != other { return false }
    let (a, b) = (last.found.box, first.found.box)
    let (dx, dy) = (a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2)
    let reach = settings.linkReach * Double(step) * max(a.height, b.height)
    return dx * dx + dy * dy <= reach * reach
  }

  /// The mean appearance of a piece at unit length; nil if it has none.
  private func meanVector(_ piece: [Int]) -> [Double]? {
    let vectors = piece.compactMap { nodes[$0].vector }
    guard var sum = vectors.first else { return nil }
    for vector in vectors.dropFirst() { for i in sum.indices { sum[i] += vector[i] } }
    return AppearanceGallery.unit(sum)
  }
}
