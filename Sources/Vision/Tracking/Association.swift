import Base

/// Who belongs to whom, of two lists.
public struct Association: Sendable, Equatable {
  /// Pairs of a detection and a track.
  public var pairs: [Pair] = []
  /// Detections without a track.
  public var detections: [Int] = []
  /// Tracks without a detection.
  public var tracks: [Int] = []

  public struct Pair: Sendable, Hashable {
    public let detection: Int
    public let track: Int

    public init(detection: Int, track: Int) {
      self.detection = detection
      self.track = track
    }
  }

  public init() {}
}

extension Association {
  /// SORT's association: the pairing of detections with predicted boxes that has the largest sum of IoU, without those below the threshold.
  ///
  /// If the pairs above the threshold already are a pairing, these are taken as they are. Detections that were paired and rejected follow
  /// those that were not paired at all: in this order new tracks begin.
  /// - Parameter threshold: the smallest IoU of a pair, 0...1.
  public static func byIoU(_ detections: [BoundingBox], _ tracks: [BoundingBox], threshold: Double) -> Association {
    let iou = detections.flatMap { detection in tracks.map { detection.iou(with: $0) } }
    let partner = plainPairing(iou, detections.count, tracks.count, threshold)
      ?? LinearAssignment.cheapest(iou.map { -$0 }, rows: detections.count, columns: tracks.count)
      ?? Array(repeating: nil, count: detections.count)
    var result = Association()
    var rejected: [Int] = []
    for (detection, track) in partner.enumerated() {
      guard let track else {
        result.detections.append(detection)
        continue
      }
      if iou[detection * tracks.count + track] < threshold {
        rejected.append(detection)
      } else {
        result.pairs.append(Pair(detection: detection, track: track))
      }
    }
    result.detections += rejected
    let found = Set(result.pairs.map(\.track))
    result.tracks = tracks.indices.filter { !found.contains($0) }
    return result
  }

  /// The pairs above the threshold, if there are any and none has a rival.
  private static func plainPairing(_ iou: [Double], _ rows: Int, _ columns: Int, _ threshold: Double) -> [Int?]? {
    var partner = [Int?](repeating: nil, count: rows)
    var isTaken = [Bool](repeating: false, count: columns)
    for (place, value) in iou.enumerated() where value > threshold {
      let (row, column) = (place / columns, place % columns)
      guard partner[row] == nil, !isTaken[column] else { return nil }
      partner[row] = column
      isTaken[column] = true
    }
    return partner.contains { $0 != nil } ? partner : nil
  }
}
