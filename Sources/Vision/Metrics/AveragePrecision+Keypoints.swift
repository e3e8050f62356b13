import Base

extension AveragePrecision.Settings {
  /// COCO's for keypoints: ten thresholds of OKS from 0.50 to 0.95, medium and large bodies, the best 20.
  public static let keypoints = Self(
    iouThresholds: evenly(from: 0.5, to: 0.95, count: 10), recallThresholds: evenly(from: 0, to: 1, count: 101),
    areaRanges: [
      .init("all", from: 0, to: 1e10), .init("medium", from: 1024, to: 9216), .init("large", from: 9216, to: 1e10),
    ],
    detectionLimits: [20])
}

extension AveragePrecision {
  /// An annotated body.
  public struct BodyTruth: Sendable, Hashable {
    public var category: Int
    public var keypoints: [Keypoint]
    /// Of the segment, in px².
    public var area: Double
    public var box: BoundingBox
    public var isCrowd: Bool

    public init(category: Int, keypoints: [Keypoint], area: Double, box: BoundingBox, isCrowd: Bool = false) {
      self.category = category
      self.keypoints = keypoints
      self.area = area
      self.box = box
      self.isCrowd = isCrowd
    }
  }

  /// A found body.
  public struct FoundBody: Sendable, Hashable {
    public var category: Int
    public var points: [SIMD2<Double>]
    public var score: Double
    /// In px²; tells medium from large where nothing is matched.
    public var area: Double

    /// - Parameter area: nil: that of the box around the points, as pycocotools has it for results without boxes.
    public init(category: Int, points: [SIMD2<Double>], score: Double, area: Double? = nil) {
      self.category = category
      self.points = points
      self.score = score
      let xs = points.map(\.x)
      let ys = points.map(\.y)
      self.area = area ?? ((xs.max() ?? 0) - (xs.min() ?? 0)) * ((ys.max() ?? 0) - (ys.min() ?? 0))
    }
  }

  /// Adds one image judged by the object keypoint similarity. Bodies without a labelled point are ignored.
  /// - Parameters: as `add(image:truths:detections:similarity:)`.
  /// - Precondition: all have as many points as the skeleton.
  public mutating func add(image: Int, bodies truths: [BodyTruth], found: [FoundBody], _ skeleton: Skeleton) {
    let objects = truths.map { truth in
      Truth(category: truth.category, area: truth.area, isCrowd: truth.isCrowd, isIgnored: !truth.keypoints.contains(where: \.isLabeled))
    }
    let detections = found.map { Detection(category: $0.category, score: $0.score, area: $0.area) }
    add(image: image, truths: objects, detections: detections) { rows, columns in
      rows.flatMap { row in
        columns.map { column in
          let truth = truths[column]
          return skeleton.similarity(of: found[row].points, to: truth.keypoints, area: truth.area, box: truth.box)
        }
      }
    }
  }
}

extension AveragePrecisionResult {
  /// COCO's ten numbers for keypoints, in its order.
  public static let keypointNames = ["AP", "AP50", "AP75", "AP_M", "AP_L", "AR", "AR50", "AR75", "AR_M", "AR_L"]

  /// The ten numbers; −1 where there is no body.
  /// - Precondition: the settings `.keypoints`, or such that contain them.
  public var keypointSummary: [Double] {
    [
      averagePrecision(), averagePrecision(iou: 0.5), averagePrecision(iou: 0.75), averagePrecision(area: "medium"),
      averagePrecision(area: "large"), averageRecall(), averageRecall(iou: 0.5), averageRecall(iou: 0.75), averageRecall(area: "medium"),
      averageRecall(area: "large"),
    ]
  }
}
