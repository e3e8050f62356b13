import Base

/// What true objects were found as, image by image: pairs of a true box and a detection, whatever their classes, that overlap enough.
///
/// Of all pairs of an image the one with the highest IoU comes first, and each box belongs to one pair at most.
public struct ConfusionMatrix: Sendable, Equatable {
  /// Ids of categories, in the order of rows and columns; after them comes the background.
  public let categories: [Int]
  public let iouThreshold: Double
  /// Detections with a lower score do not count.
  public let scoreThreshold: Double
  /// `[K + 1, K + 1]`, row-major: rows are true categories, columns found ones; the last row are detections of nothing, the last column
  /// objects that were missed.
  public private(set) var counts: [Int]

  private let places: [Int: Int]

  public init(categories: [Int], iouThreshold: Double = 0.5, scoreThreshold: Double = 0.5) {
    self.categories = categories
    self.iouThreshold = iouThreshold
    self.scoreThreshold = scoreThreshold
    counts = Array(repeating: 0, count: (categories.count + 1) * (categories.count + 1))
    places = Dictionary(categories.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
  }

  /// A box of a category.
  public struct Item: Sendable {
    public var category: Int
    public var box: BoundingBox

    public init(category: Int, box: BoundingBox) {
      self.category = category
      self.box = box
    }
  }

  /// Adds one image; boxes of categories that are not counted are passed over.
  /// - Parameters:
  ///   - truths: without crowds.
  ///   - scores: of the detections.
  /// - Precondition: there are as many scores as detections.
  public mutating func add(truths: [Item], detections: [Item], scores: [Double]) {
    require(detections.count == scores.count, "ConfusionMatrix: \(scores.count) scores for \(detections.count) detections")
    let truths = truths.filter { places[$0.category] != nil }
    let found = zip(detections, scores).filter { $1 >= scoreThreshold && places[$0.category] != nil }.map(\.0)
    var pairs: [(iou: Double, truth: Int, detection: Int)] = []
    for (truth, object) in truths.enumerated() {
      for (detection, other) in found.enumerated() {
        let iou = other.box.iou(with: object.box)
        if iou >= iouThreshold { pairs.append((iou, truth, detection)) }
      }
    }
    pairs.sort { ($1.iou, $0.truth, $0.detection) < ($0.iou, $1.truth, $1.detection) }
    var truthsLeft = Set(truths.indices)
    var detectionsLeft = Set(found.indices)
    for pair in pairs where truthsLeft.contains(pair.truth) && detectionsLeft.contains(pair.detection) {
      truthsLeft.remove(pair.truth)
      detectionsLeft.remove(pair.detection)
      count(truths[pair.truth].category, found[pair.detection].category)
    }
    for truth in truthsLeft { count(truths[truth].category, nil) }
    for detection in detectionsLeft { count(nil, found[detection].category) }
  }

  private mutating func count(_ truth: Int?, _ detection: Int?) {
    func place(_ category: Int?) -> Int { category.flatMap { places[$0] } ?? categories.count }
    counts[place(truth) * (categories.count + 1) + place(detection)] += 1
  }
}
