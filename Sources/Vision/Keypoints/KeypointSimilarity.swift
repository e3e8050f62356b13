import Base
import Foundation

extension Skeleton {
  /// Object keypoint similarity (OKS) of found points with annotated ones, 0...1: the mean of `exp(-d² / (2 · area · (2σ)²))` over the
  /// labelled points.
  ///
  /// A body without a labelled point is ignored by the evaluation; there distances are those to a box three times as large in each
  /// direction, as COCO has it.
  /// - Parameters:
  ///   - points: one for each keypoint, in pixels.
  ///   - truth: one for each keypoint.
  ///   - area: of the annotated body's segment, px².
  ///   - box: the annotated box.
  /// - Source: cocodataset.org/#keypoints-eval; `COCOeval.computeOks` of pycocotools.
  public func similarity(of points: [SIMD2<Double>], to truth: [Keypoint], area: Double, box: BoundingBox) -> Double {
    require(points.count == count && truth.count == count, "Skeleton.similarity: \(points.count) and \(truth.count) of \(count) keypoints")
    let labeled = truth.indices.filter { truth[$0].isLabeled }
    let counted = labeled.isEmpty ? Array(truth.indices) : labeled
    let hull = (low: SIMD2(box.x - box.width, box.y - box.height), high: SIMD2(box.x + 2 * box.width, box.y + 2 * box.height))
    var sum = 0.0
    for k in counted {
      let d: SIMD2<Double>
      if labeled.isEmpty {
        d = pointwiseMax(SIMD2(0, 0), hull.low - points[k]) + pointwiseMax(SIMD2(0, 0), points[k] - hull.high)
      } else {
        d = points[k] - truth[k].position
      }
      let kappa = 2 * sigmas[k]
      sum += exp(-((d * d).sum() / (kappa * kappa) / (area + Skeleton.least) / 2))
    }
    return sum / Double(counted.count)
  }

  /// OKS of two found bodies, over all keypoints; the area is the mean of both.
  /// - Source: `oks_iou` of HRNet's authors.
  public func similarity(of first: [SIMD2<Double>], and second: [SIMD2<Double>], areas: (Double, Double)) -> Double {
    require(first.count == count && second.count == count, "Skeleton.similarity: \(first.count) and \(second.count) of \(count) keypoints")
    let area = (areas.0 + areas.1) / 2 + Skeleton.least
    var sum = 0.0
    for k in 0..<count {
      let d = first[k] - second[k]
      let kappa = 2 * sigmas[k]
      sum += exp(-((d * d).sum() / (kappa * kappa) / area / 2))
    }
    return sum / Double(count)
  }

  /// numpy's `spacing(1)`: keeps an area of zero from dividing.
  private static let least = 0x1p-52

  /// Greedy suppression by OKS: the best body is kept, and those that are more like it than the threshold are dropped; and so on.
  /// - Parameters:
  ///   - bodies: points, score, and area in px² (HRNet takes that of the enlarged crop).
  ///   - threshold: HRNet's is 0.9.
  /// - Returns: indices of what is kept, best first; at equal scores the earlier one comes first.
  /// - Source: `oks_nms` of HRNet's authors.
  public func suppressed(_ bodies: [(points: [SIMD2<Double>], score: Double, area: Double)], threshold: Double) -> [Int] {
    var order = bodies.indices.sorted { AveragePrecision.precedes(bodies[$0].score, $0, bodies[$1].score, $1) }
    var kept: [Int] = []
    while let best = order.first {
      kept.append(best)
      order = order.dropFirst().filter {
        similarity(of: bodies[best].points, and: bodies[$0].points, areas: (bodies[best].area, bodies[$0].area)) <= threshold
      }
    }
    return kept
  }
}
