import Base

extension Association {
  /// DeepSORT's association: the pairing of tracks with detections that has the smallest sum of costs, without pairs above the limit.
  ///
  /// Costs above the limit all count as slightly more than it. Detections that were paired and rejected follow those that were not paired
  /// at all: in this order the next association looks at them, and new tracks begin.
  /// - Parameters:
  ///   - costs: of a track and a detection; +∞ for pairs that must not be.
  ///   - limit: the largest cost of a pair.
  public static func byCost(
    _ tracks: [Int], _ detections: [Int], limit: Double, costs: (_ track: Int, _ detection: Int) -> Double
  ) -> Association {
    var result = Association()
    guard !tracks.isEmpty, !detections.isEmpty else {
      (result.tracks, result.detections) = (tracks, detections)
      return result
    }
    let matrix = tracks.flatMap { track in detections.map { min(costs(track, $0), limit + 1e-5) } }
    let partner = LinearAssignment.cheapest(matrix, rows: tracks.count, columns: detections.count) ?? tracks.map { _ in nil }
    let assigned = Set(partner.compactMap { $0 })
    result.detections = detections.indices.filter { !assigned.contains($0) }.map { detections[$0] }
    result.tracks = tracks.indices.filter { partner[$0] == nil }.map { tracks[$0] }
    for (row, column) in partner.enumerated() {
      guard let column else { continue }
      if matrix[row * detections.count + column] > limit {
        result.tracks.append(tracks[row])
        result.detections.append(detections[column])
      } else {
        result.pairs.append(Pair(detection: detections[column], track: tracks[row]))
      }
    }
    return result
  }

  /// The matching cascade: tracks that were seen a frame ago choose among the detections first, then those seen two frames ago, and so on.
  /// Otherwise tracks long lost, whose place is uncertain, would seem close to everything.
  /// - Parameters:
  ///   - ages: frames since each of the tracks was seen, from 1.
  ///   - depth: the largest age that is matched.
  ///   - method: of each round.
  public static func cascade(
    _ tracks: [Int], ages: [Int], depth: Int, _ detections: [Int], limit: Double, by method: any AssociationMethod = HungarianAssociation(),
    costs: (_ track: Int, _ detection: Int) -> Double
  ) -> Association {
    require(ages.count == tracks.count, "Association.cascade: \(ages.count) ages of \(tracks.count) tracks")
    var result = Association()
    result.detections = detections
    for age in Set(ages).sorted() where age <= depth {
      let level = tracks.indices.filter { ages[$0] == age }.map { tracks[$0] }
      let matched = method(level, result.detections, limit: limit, costs: costs)
      result.pairs += matched.pairs
      result.detections = matched.detections
    }
    let found = Set(result.pairs.map(\.track))
    result.tracks = tracks.filter { !found.contains($0) }
    return result
  }
}
