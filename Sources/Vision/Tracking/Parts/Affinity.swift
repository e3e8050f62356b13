import Base
import Foundation

/// The third step: how well tracks and detections go together.
public protocol Affinity {
  /// The affinity of every track with every detection, 0...1, row-major `[tracks, detections]`; NaN where it cannot tell, for want of
  /// an appearance vector, say.
  func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double]
}

extension Affinity {
  /// The scores by a function of single pairs.
  /// - Parameter score: of a track and the index of a detection; nil: it cannot tell.
  func scores(
    _ tracks: [Track], _ observation: FrameObservation, by score: (_ track: Track, _ detection: Int) -> Double?
  ) -> [Double] {
    tracks.flatMap { track in observation.detections.indices.map { score(track, $0) ?? .nan } }
  }
}

/// IoU of the predicted box with the detection.
public struct IoUAffinity: Affinity {
  public init() {}

  public func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
    scores(tracks, observation) { $0.predicted.iou(with: observation.detections[$1].box) }
  }
}

/// The place of a detection within the gate of the motion model, `1 - d² / gate`, at least 0, with the squared Mahalanobis distance d².
public struct MahalanobisAffinity: Affinity {
  public init() {}

  public func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
    let gate = ChiSquared.quantile95(degreesOfFreedom: 4)
    return scores(tracks, observation) { max(0, 1 - $0.motion.gatingDistance(to: observation.detections[$1].box) / gate) }
  }
}

/// Cosine similarity of appearance vectors, of a track's most similar one, at least 0.
public struct AppearanceAffinity: Affinity {
  public init() {}

  public func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
    let vectors = observation.detections.indices.map(observation.vector)
    return scores(tracks, observation) { track, detection in
      vectors[detection].flatMap(track.cosineDistance).map { (1 - $0).clamped(to: 0...1) }
    }
  }
}

/// IoU of the detection with the track's last one, moved on by optical flow.
public struct FlowAffinity: Affinity {
  public init() {}

  public func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
    scores(tracks, observation) { $0.carried.iou(with: observation.detections[$1].box) }
  }
}

/// Object keypoint similarity (OKS) of the pose in this frame with the track's last one; the area is the mean of both boxes.
public struct PoseAffinity: Affinity {
  private let skeleton: Skeleton

  public init(_ skeleton: Skeleton) { self.skeleton = skeleton }

  public func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
    scores(tracks, observation) { track, detection in
      guard track.pose.count == skeleton.count, let pose = observation.pose(of: detection), pose.count == skeleton.count else { return nil }
      let similarity = skeleton.similarity(
        of: track.pose.map(\.position), and: pose.map(\.position),
        areas: (track.predicted.area, observation.detections[detection].box.area))
      return similarity.isFinite ? similarity : nil
    }
  }
}

/// The weighted mean of other affinities. A term that cannot tell of a pair is left out of its mean; if none can, neither can this.
public struct WeightedAffinity: Affinity {
  public struct Term {
    /// 0 or more.
    public let weight: Double
    public let affinity: any Affinity

    public init(_ weight: Double, _ affinity: any Affinity) {
      self.weight = weight
      self.affinity = affinity
    }
  }

  private let terms: [Term]

  public init(_ terms: [Term]) {
    require(terms.allSatisfy { $0.weight >= 0 && $0.weight.isFinite }, "WeightedAffinity: the weights are \(terms.map(\.weight))")
    self.terms = terms.filter { $0.weight > 0 }
  }

  public func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
    let count = tracks.count * observation.detections.count
    guard count > 0 else { return [] }
    var sums = [Double](repeating: 0, count: count)
    var weights = [Double](repeating: 0, count: count)
    for term in terms {
      let scores = term.affinity.scores(tracks, observation)
      require(scores.count == count, "WeightedAffinity: a term gave \(scores.count) scores of \(count) pairs")
      for (pair, score) in scores.enumerated() where !score.isNaN {
        sums[pair] += term.weight * score
        weights[pair] += term.weight
      }
    }
    // Without a term that can tell: 0 / 0.
    return zip(sums, weights).map { $0 / $1 }
  }
}

/// Conditions that a pair must meet, whatever its affinity. Section `gates`.
public struct TrackingGates: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Motion: String, ConfigChoice {
    case none
    /// The squared Mahalanobis distance of the box lies within the 0.95 quantile of the χ² distribution, with 4 degrees of freedom.
    case box
    /// The same for its centre alone, with 2.
    case center
  }

  /// Whether the motion model excludes pairs.
  public var mahalanobis = Motion.none
  /// IoU of predicted box and detection, at least; 0: no gate.
  public var iou = 0.0
  /// Cosine distance of appearance vectors, at most, where both have some; 2: no gate.
  public var cosine = 2.0
  /// Whether a pair must be of one class, where both have one.
  public var category = true

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(iou >= 0 && iou <= 1, "iou", iou, "0 (no gate) to 1")
    problems.require(cosine >= 0 && cosine <= 2, "cosine", cosine, "0 to 2 (no gate)")
    return problems
  }

  /// Whether a pair may be.
  func allows(_ track: Track, _ detection: Int, of observation: FrameObservation) -> Bool {
    let found = observation.detections[detection]
    if category, let own = track.category, let other = found.category, own != other { return false }
    if iou > 0, track.predicted.iou(with: found.box) < iou { return false }
    if mahalanobis != .none {
      let isCenter = mahalanobis == .center
      let distance = track.motion.gatingDistance(to: found.box, isPositionOnly: isCenter)
      if !(distance <= ChiSquared.quantile95(degreesOfFreedom: isCenter ? 2 : 4)) { return false }
    }
    if cosine < 2, let distance = observation.vector(of: detection).flatMap(track.cosineDistance), distance > cosine { return false }
    return true
  }
}
