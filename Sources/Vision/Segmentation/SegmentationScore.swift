import Base

/// Scores of a segmentation over a whole set: one matrix of pixels, true classes by found ones.
///
/// With the counts `n[i, j]` of pixels of class `i` found as `j`, the IoU of class `i` is
/// `n[i, i] / (Σⱼ n[i, j] + Σⱼ n[j, i] - n[i, i])`.
/// - Source: the Cityscapes and PASCAL VOC benchmarks; Long, Shelhamer, Darrell 2015 for pixel and mean accuracy.
public struct SegmentationScore: Sendable, Equatable {
  public let classes: Int
  /// `[classes, classes]`, row-major: rows are true classes.
  public private(set) var counts: [Int]

  public init(classes: Int) {
    require(classes > 0, "SegmentationScore: \(classes) classes")
    self.classes = classes
    counts = Array(repeating: 0, count: classes * classes)
  }

  /// Adds a picture; pixels whose true label is `LabelMap.ignored` do not count.
  /// - Precondition: both maps have one size; other labels are below `classes`.
  public mutating func add(truth: LabelMap, found: LabelMap) {
    require(truth.height == found.height && truth.width == found.width,
            "SegmentationScore: labels of \(truth.height)x\(truth.width), found \(found.height)x\(found.width)")
    for (label, other) in zip(truth.values, found.values) where label != LabelMap.ignored {
      guard label < classes, other < classes else { stop("SegmentationScore: the class \(max(label, other)) of \(classes)") }
      counts[Int(label) * classes + Int(other)] += 1
    }
  }

  /// Adds the pixels of another matrix of the same classes.
  public mutating func add(_ other: SegmentationScore) {
    require(classes == other.classes, "SegmentationScore: \(classes) and \(other.classes) classes")
    for i in counts.indices { counts[i] += other.counts[i] }
  }

  /// One class.
  public struct ClassScore: Sendable, Equatable {
    /// Pixels of the class, pixels found as it, and those that are both.
    public let truePixels: Int
    public let foundPixels: Int
    public let hits: Int

    /// Whether it is neither in the labels nor found anywhere: then it has no score, and is in no mean.
    public var isAbsent: Bool { truePixels + foundPixels == 0 }
    /// Pixels of both over pixels of either; nil if the class is absent. A class that is found but in no label has 0.
    public var iou: Double? { isAbsent ? nil : Double(hits) / Double(truePixels + foundPixels - hits) }
    /// The share of its pixels that is found; nil if it has none.
    public var accuracy: Double? { truePixels == 0 ? nil : Double(hits) / Double(truePixels) }
  }

  /// All classes, by number.
  public var classScores: [ClassScore] {
    (0..<classes).map { i in
      let row = counts[i * classes..<(i + 1) * classes].reduce(0, +)
      let column = (0..<classes).reduce(0) { $0 + counts[$1 * classes + i] }
      return ClassScore(truePixels: row, foundPixels: column, hits: counts[i * classes + i])
    }
  }

  /// Pixels that count.
  public var pixels: Int { counts.reduce(0, +) }

  /// The mean of IoU over the classes that are not absent; nil if all are.
  public var meanIoU: Double? { Self.mean(classScores.compactMap(\.iou)) }

  /// The share of pixels whose class is found; nil without pixels.
  public var pixelAccuracy: Double? {
    let count = pixels
    return count == 0 ? nil : Double((0..<classes).reduce(0) { $0 + counts[$1 * classes + $1] }) / Double(count)
  }

  /// The mean of the classes' accuracies over those that have pixels; nil if none has.
  public var meanAccuracy: Double? { Self.mean(classScores.compactMap(\.accuracy)) }

  /// The mean of IoU weighted by the classes' pixels; nil without pixels.
  public var frequencyWeightedIoU: Double? {
    let count = pixels
    return count == 0 ? nil : classScores.reduce(0) { $0 + Double($1.truePixels) * ($1.iou ?? 0) } / Double(count)
  }

  private static func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
}
