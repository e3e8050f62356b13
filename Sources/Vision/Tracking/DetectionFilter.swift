/// The choice of detections before tracking: by score and height, and without those that a better one covers.
///
/// - Source: `deep_sort_app.py` and `preprocessing.py` of DeepSORT's authors. The overlap is taken with inclusive pixels, and relative to
///   the area of the worse box.
public struct DetectionFilter: Sendable, Equatable {
  /// Score, at least.
  public var minScore: Double
  /// Height in pixels, at least.
  public var minHeight: Double
  /// Share of a box that a better one may cover; 1: all stay.
  public var maxOverlap: Double

  public init(minScore: Double = -.infinity, minHeight: Double = 0, maxOverlap: Double = 1) {
    self.minScore = minScore
    self.minHeight = minHeight
    self.maxOverlap = maxOverlap
  }

  /// The indices of the chosen ones, the best first; of equal scores the last one. Those that are not usable are left out.
  public func callAsFunction(_ detections: [DetectedBox]) -> [Int] {
    let usable = detections.indices.filter { index in
      let detection = detections[index]
      return detection.isUsable && detection.score >= minScore && detection.box.height >= minHeight
    }
    let order = usable.sorted { (detections[$0].score, $0) > (detections[$1].score, $1) }
    guard maxOverlap < 1 else { return order }
    var chosen: [Int] = []
    for index in order {
      let isCovered = chosen.contains { covered(detections[index].box, by: detections[$0].box) > maxOverlap }
      if !isCovered { chosen.append(index) }
    }
    return chosen
  }

  /// The share of a box that another one covers, in inclusive pixels.
  private func covered(_ box: BoundingBox, by other: BoundingBox) -> Double {
    let width = max(0, min(box.x1, other.x1) - max(box.x, other.x) + 1)
    let height = max(0, min(box.y1, other.y1) - max(box.y, other.y) + 1)
    return width * height / ((box.width + 1) * (box.height + 1))
  }
}
