import Base

/// COCO's average precision and recall, gathered image by image; the twelve numbers equal pycocotools'.
///
/// For each category, size of objects and IoU threshold the detections of an image, best score first, each take the free object of
/// highest IoU above the threshold. Crowd regions, and objects outside the range of sizes, are *ignored*: a detection that takes one is
/// neither right nor wrong, and neither is a detection outside the range that takes none. A crowd region may be taken many times.
///
/// What "IoU" is, the caller says: boxes and masks have methods of their own, any other similarity (of key points) comes as a matrix.
///
/// ```swift
/// var score = AveragePrecision(categories: [1, 3])
/// score.add(image: 7, truths: truths, boxes: truthBoxes, detections: detections, boxes: detectedBoxes)
/// print(score.result().summary)
/// ```
/// - Deviation: pycocotools counts an object whose annotation has the id 0 as missed and its detection as wrong, for 0 stands for "no
///   match" there. Here objects have no ids, and such a match counts.
/// - Source: Lin et al., "Microsoft COCO: common objects in context", ECCV 2014; cocodataset.org/#detection-eval.
public struct AveragePrecision: Sendable {
  /// Sizes of objects, by area in px², both ends included.
  public struct AreaRange: Sendable, Hashable {
    public let name: String
    public let lower: Double
    public let upper: Double

    public init(_ name: String, from lower: Double, to upper: Double) {
      self.name = name
      self.lower = lower
      self.upper = upper
    }

    func excludes(_ area: Double) -> Bool { area < lower || area > upper }
  }

  /// What is measured.
  public struct Settings: Sendable, Hashable {
    /// Ascending, at most 16.
    public var iouThresholds: [Double]
    /// Where precision is read off, ascending.
    public var recallThresholds: [Double]
    /// The first one takes all.
    public var areaRanges: [AreaRange]
    /// Best detections that count for each image and category, ascending.
    public var detectionLimits: [Int]

    public init(iouThresholds: [Double], recallThresholds: [Double], areaRanges: [AreaRange], detectionLimits: [Int]) {
      self.iouThresholds = iouThresholds
      self.recallThresholds = recallThresholds
      self.areaRanges = areaRanges
      self.detectionLimits = detectionLimits
    }

    /// COCO's for boxes and masks: ten thresholds from 0.50 to 0.95, 101 recalls, three sizes, the best 1, 10 and 100.
    public static let detection = Settings(
      iouThresholds: evenly(from: 0.5, to: 0.95, count: 10), recallThresholds: evenly(from: 0, to: 1, count: 101),
      areaRanges: [
        AreaRange("all", from: 0, to: 1e10), AreaRange("small", from: 0, to: 1024), AreaRange("medium", from: 1024, to: 9216),
        AreaRange("large", from: 9216, to: 1e10),
      ],
      detectionLimits: [1, 10, 100])

    /// Numbers rounded as numpy's `linspace` rounds them, so that a score exactly at a threshold falls on the same side.
    static func evenly(from first: Double, to last: Double, count: Int) -> [Double] {
      let step = (last - first) / Double(count - 1)
      return (0..<count).map { $0 == count - 1 ? last : Double($0) * step + first }
    }
  }

  /// An annotated object.
  public struct Truth: Sendable, Hashable {
    public var category: Int
    /// Of the segment, in px².
    public var area: Double
    /// A region of many objects: ignored, taken by any number of detections.
    public var isCrowd: Bool
    /// Ignored for another reason, such as a person without annotated key points.
    public var isIgnored: Bool

    public init(category: Int, area: Double, isCrowd: Bool = false, isIgnored: Bool = false) {
      self.category = category
      self.area = area
      self.isCrowd = isCrowd
      self.isIgnored = isIgnored
    }
  }

  /// A detected object.
  public struct Detection: Sendable, Hashable {
    public var category: Int
    /// Any number; NaN comes last.
    public var score: Double
    /// Of the box or the mask, in px².
    public var area: Double

    public init(category: Int, score: Double, area: Double) {
      self.category = category
      self.score = score
      self.area = area
    }
  }

  public let settings: Settings
  /// The categories that are measured, ascending; objects and detections of others do not count.
  public let categories: [Int]
  /// The images so far; those without objects and detections count, too.
  public private(set) var images: Set<Int> = []
  private(set) var tallies: [Int: CategoryTally]

  /// - Parameter categories: all that the annotations know, also those without objects.
  public init(categories: some Sequence<Int>, settings: Settings = .detection) {
    require(settings.iouThresholds.count <= 16, "AveragePrecision: \(settings.iouThresholds.count) IoU thresholds, at most 16")
    require(!settings.areaRanges.isEmpty && !settings.detectionLimits.isEmpty, "AveragePrecision: no area range or no limit")
    self.settings = settings
    self.categories = Set(categories).sorted()
    tallies = Dictionary(uniqueKeysWithValues: self.categories.map { ($0, CategoryTally(rangeCount: settings.areaRanges.count)) })
  }

  /// Adds one image.
  /// - Parameters:
  ///   - image: its id; images are told apart by it, and at equal scores the detections of the lower one come first.
  ///   - truths: its objects in the order of the file; at equal IoU a detection takes the later one.
  ///   - detections: at equal scores the earlier one comes first.
  ///   - similarity: the IoU of some detections with some objects of one category, given by their indices: one row for each detection.
  /// - Precondition: the image was not added before.
  public mutating func add(
    image: Int, truths: [Truth], detections: [Detection], similarity: (_ detections: [Int], _ truths: [Int]) -> [Double]
  ) {
    require(images.insert(image).inserted, "AveragePrecision: the image \(image) is added twice")
    let truthsByCategory = Dictionary(grouping: truths.indices) { truths[$0].category }
    let detectionsByCategory = Dictionary(grouping: detections.indices) { detections[$0].category }
    for category in Set(truthsByCategory.keys).union(detectionsByCategory.keys) where tallies[category] != nil {
      let objects = truthsByCategory[category] ?? []
      let ranked = Self.ranked(detectionsByCategory[category] ?? [], detections, limit: settings.detectionLimits.last ?? 0)
      let matrix = objects.isEmpty || ranked.isEmpty ? [] : similarity(ranked, objects)
      require(matrix.count == (objects.isEmpty ? 0 : ranked.count * objects.count),
              "AveragePrecision: \(matrix.count) similarities of \(ranked.count) detections and \(objects.count) objects")
      let matching = ImageMatching(settings, truths: objects.map { truths[$0] }, detections: ranked.map { detections[$0] }, matrix)
      tallies[category]?.add(matching, image: image)
    }
  }

  /// Adds the images of another accumulator, for images judged in parallel.
  /// - Precondition: the same settings and categories, and no common image.
  public mutating func merge(_ other: AveragePrecision) {
    require(settings == other.settings && categories == other.categories, "AveragePrecision.merge: other settings or categories")
    require(images.isDisjoint(with: other.images), "AveragePrecision.merge: an image is in both")
    images.formUnion(other.images)
    tallies.merge(other.tallies) { $0.merged(with: $1) }
  }

  /// Indices of the best detections, best first.
  private static func ranked(_ indices: [Int], _ detections: [Detection], limit: Int) -> [Int] {
    Array(indices.sorted { precedes(detections[$0].score, $0, detections[$1].score, $1) }.prefix(limit))
  }

  /// Whether a detection comes before another: by its score, NaN last, then by its place.
  static func precedes(_ score: Double, _ place: Int, _ otherScore: Double, _ otherPlace: Int) -> Bool {
    if score > otherScore { return true }
    if score < otherScore { return false }
    if score.isNaN != otherScore.isNaN { return otherScore.isNaN }
    return place < otherPlace
  }
}
