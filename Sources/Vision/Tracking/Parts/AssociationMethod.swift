import Base

/// The fourth step: which tracks and detections belong together, by the costs of pairs.
public protocol AssociationMethod: Sendable {
  /// - Parameters:
  ///   - costs: of a track and a detection; +∞ for pairs that must not be.
  ///   - limit: the largest cost of a pair.
  func callAsFunction(
    _ tracks: [Int], _ detections: [Int], limit: Double, costs: (_ track: Int, _ detection: Int) -> Double
  ) -> Association
}

/// The pairing with the smallest sum of costs, as `Association.byCost`.
public struct HungarianAssociation: AssociationMethod {
  public init() {}

  public func callAsFunction(
    _ tracks: [Int], _ detections: [Int], limit: Double, costs: (_ track: Int, _ detection: Int) -> Double
  ) -> Association {
    Association.byCost(tracks, detections, limit: limit, costs: costs)
  }
}

/// The cheapest pair first, then the cheapest of those that are left, and so on; of equal costs the earlier track, then the earlier
/// detection.
public struct GreedyAssociation: AssociationMethod {
  public init() {}

  public func callAsFunction(
    _ tracks: [Int], _ detections: [Int], limit: Double, costs: (_ track: Int, _ detection: Int) -> Double
  ) -> Association {
    var candidates: [(cost: Double, row: Int, column: Int)] = []
    for (row, track) in tracks.enumerated() {
      for (column, detection) in detections.enumerated() {
        let cost = costs(track, detection)
        if cost <= limit { candidates.append((cost, row, column)) }
      }
    }
    var isTrackFree = [Bool](repeating: true, count: tracks.count)
    var isDetectionFree = [Bool](repeating: true, count: detections.count)
    var result = Association()
    for (_, row, column) in candidates.sorted(by: <) where isTrackFree[row] && isDetectionFree[column] {
      (isTrackFree[row], isDetectionFree[column]) = (false, false)
      result.pairs.append(.init(detection: detections[column], track: tracks[row]))
    }
    result.tracks = tracks.indices.filter { isTrackFree[$0] }.map { tracks[$0] }
    result.detections = detections.indices.filter { isDetectionFree[$0] }.map { detections[$0] }
    return result
  }
}

/// How tracks and detections are paired. Section `association`.
public struct AssociationSettings: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Method: String, ConfigChoice {
    /// The pairing with the smallest sum of costs.
    case hungarian
    /// The best pair first.
    case greedy

    var method: any AssociationMethod { self == .hungarian ? HungarianAssociation() : GreedyAssociation() }
  }

  public var method = Method.hungarian
  /// The least affinity of a pair.
  public var minAffinity = 0.3
  /// Whether tracks that were seen a frame ago choose first, then those seen two frames ago, and so on.
  public var cascade = false
  /// A second stage: tracks that are not confirmed and those that were seen a frame ago, by the overlap of predicted boxes alone. The first
  /// stage is then for confirmed tracks.
  public var iouStage = false
  /// One minus the IoU of a pair of the second stage, at most.
  public var maxIouDistance = 0.7

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(minAffinity >= 0 && minAffinity <= 1, "min_affinity", minAffinity, "0 to 1")
    problems.require(maxIouDistance >= 0 && maxIouDistance <= 1, "max_iou_distance", maxIouDistance, "0 to 1")
    return problems
  }
}
