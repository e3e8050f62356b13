import Base

/// PCKh, the percentage of correct keypoints of MPII Human Pose: those nearer to the truth than a share of the head's size.
///
/// The head's size is 0.6 times the diagonal of its box. The mean is over all labelled keypoints but pelvis and thorax, weighted by their
/// number.
///
/// ```swift
/// var score = HeadNormalizedPCK(.mpii)
/// score.add(points, truth: keypoints, headBox: box)
/// score.share(threshold: 0.5)          // 0.903 for HRNet-W32
/// ```
/// - Source: Andriluka et al., CVPR 2014; the evaluation of HRNet's authors, whose "Mean@0.1" reads the threshold 0.11.
public struct HeadNormalizedPCK: Sendable {
  /// The rows of MPII's table: names of keypoints without left and right.
  public static let rows = ["head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
  /// Keypoints that are not in the mean.
  static let excluded: Set = ["pelvis", "thorax"]

  private let skeleton: Skeleton
  /// For each keypoint the distances of labelled ones as shares of the head's size.
  private var distances: [[Double]]
  public private(set) var bodyCount = 0

  public init(_ skeleton: Skeleton) {
    self.skeleton = skeleton
    distances = skeleton.names.map { _ in [] }
  }

  /// The size of a head, px.
  public static func headSize(of box: BoundingBox) -> Double { 0.6 * (box.width * box.width + box.height * box.height).squareRoot() }

  /// Adds a body.
  /// - Parameters:
  ///   - points: found, in the pixels of `truth`.
  ///   - headBox: of the annotation; one without extent makes every point wrong.
  public mutating func add(_ points: [SIMD2<Double>], truth: [Keypoint], headBox: BoundingBox) {
    require(points.count == skeleton.count && truth.count == skeleton.count,
            "HeadNormalizedPCK: \(points.count) and \(truth.count) of \(skeleton.count) keypoints")
    bodyCount += 1
    let size = Self.headSize(of: headBox)
    for (k, keypoint) in truth.enumerated() where keypoint.isLabeled {
      let d = points[k] - keypoint.position
      distances[k].append(size > 0 ? (d * d).sum().squareRoot() / size : .infinity)
    }
  }

  /// The share of correct keypoints in the mean; NaN if none is labelled.
  public func share(threshold: Double) -> Double { share(of: counted, threshold) }

  /// Labelled keypoints in the mean.
  public var keypointCount: Int { counted.reduce(0) { $0 + distances[$1].count } }

  private var counted: [Int] { skeleton.names.indices.filter { !Self.excluded.contains(skeleton.names[$0]) } }

  /// The share of correct keypoints of a row of the table: left and right averaged, whatever their numbers; NaN if none is labelled.
  public func share(row: String, threshold: Double) -> Double {
    let members = skeleton.names.indices.filter { index in
      let name = skeleton.names[index]
      return name == row || name == "\(row)_top" || name == "left_\(row)" || name == "right_\(row)"
    }
    let shares = members.map { share(of: [$0], threshold) }
    return shares.isEmpty ? .nan : shares.reduce(0, +) / Double(shares.count)
  }

  private func share(of members: [Int], _ threshold: Double) -> Double {
    let all = members.flatMap { distances[$0] }
    return all.isEmpty ? .nan : Double(all.count { $0 <= threshold }) / Double(all.count)
  }
}
