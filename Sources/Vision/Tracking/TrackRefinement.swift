import Base

/// Corrections of whole tracks after association, for batch tracking: they use frames to come. Frames are arrays of boxes.
public enum TrackRefinement {
  /// Fills gaps of tracks with boxes between the last one before and the first one after, linear in all four sides.
  ///
  /// The boxes have no detection, and the lower score of the two.
  /// - Parameter limit: frames that a gap may have; longer ones stay.
  public static func interpolatingGaps(_ frames: [[TrackedBox]], ofAtMost limit: Int) -> [[TrackedBox]] {
    require(limit >= 0, "TrackRefinement: gaps of at most \(limit) frames, expected 0 or more")
    var result = frames
    var last: [Int: (frame: Int, box: TrackedBox)] = [:]
    for (frame, boxes) in frames.enumerated() {
      for box in boxes {
        if let start = last[box.id], frame - start.frame - 1 <= limit {
          for between in start.frame + 1..<max(frame, start.frame + 1) {
            let share = Double(between - start.frame) / Double(frame - start.frame)
            let score = min(start.box.score, box.score)
            let place = start.box.box.interpolated(to: box.box, share: share)
            result[between].append(TrackedBox(id: box.id, box: place, score: score, category: box.category))
          }
        }
        last[box.id] = (frame, box)
      }
    }
    return result
  }

  /// Leaves out tracks with fewer boxes.
  public static func removingShortTracks(_ frames: [[TrackedBox]], below count: Int) -> [[TrackedBox]] {
    var lengths: [Int: Int] = [:]
    for box in frames.joined() { lengths[box.id, default: 0] += 1 }
    return frames.map { $0.filter { lengths[$0.id, default: 0] >= count } }
  }
}

extension BoundingBox {
  /// The box on the way to another one: this one at a share of 0, the other at 1.
  func interpolated(to other: BoundingBox, share: Double) -> BoundingBox {
    func between(_ a: Double, _ b: Double) -> Double { a + (b - a) * share }
    return BoundingBox(
      x: between(x, other.x), y: between(y, other.y), width: between(width, other.width), height: between(height, other.height))
  }
}
