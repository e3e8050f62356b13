import Base

/// Precision and recall for every IoU threshold, category, range of areas and limit of detections; −1 where there is no object.
public struct AveragePrecisionResult: Sendable, Equatable {
  public let settings: AveragePrecision.Settings
  public let categories: [Int]
  /// `[T, K, A, M, R]`, row-major: thresholds, categories, ranges, limits, recalls. Made non-increasing over recall; 0 beyond the highest.
  public internal(set) var precision: [Double]
  /// `[T, K, A, M, R]`: the score of the detection with which that recall is reached; 0 beyond.
  public internal(set) var scores: [Double]
  /// `[T, K, A, M]`: the highest recall.
  public internal(set) var recall: [Double]
  /// `[K, A]`: objects to be found.
  public internal(set) var truthCounts: [Int]

  init(_ settings: AveragePrecision.Settings, categories: [Int]) {
    self.settings = settings
    self.categories = categories
    let cells = settings.iouThresholds.count * categories.count * settings.areaRanges.count * settings.detectionLimits.count
    recall = Array(repeating: -1, count: cells)
    precision = Array(repeating: -1, count: cells * settings.recallThresholds.count)
    scores = precision
    truthCounts = Array(repeating: 0, count: categories.count * settings.areaRanges.count)
  }

  /// The place of a cell in `recall`.
  func cell(_ threshold: Int, _ category: Int, _ range: Int, _ limit: Int) -> Int {
    ((threshold * categories.count + category) * settings.areaRanges.count + range) * settings.detectionLimits.count + limit
  }

  // MARK: Numbers

  /// The mean precision over recalls, thresholds and categories with objects; −1 if there is none.
  /// - Parameters:
  ///   - iou: one threshold of the settings; nil: all.
  ///   - area: the name of a range.
  ///   - category: one of the categories; nil: all.
  public func averagePrecision(iou: Double? = nil, area: String = "all", category: Int? = nil) -> Double {
    let count = settings.recallThresholds.count
    return mean(iou, area, settings.detectionLimits.count - 1, category) { cell in
      let row = precision[cell * count..<(cell + 1) * count]
      return (row.reduce(0, +), row.count)
    }
  }

  /// The highest recall, averaged over thresholds and categories with objects; −1 if there is none.
  /// - Parameter detections: a limit of the settings; nil: the largest.
  public func averageRecall(iou: Double? = nil, area: String = "all", detections: Int? = nil, category: Int? = nil) -> Double {
    guard let limit = detections.map({ settings.detectionLimits.firstIndex(of: $0) }) ?? settings.detectionLimits.count - 1 else {
      stop("AveragePrecisionResult: the limit of \(detections ?? 0) detections is none of \(settings.detectionLimits)")
    }
    return mean(iou, area, limit, category) { (recall[$0], 1) }
  }

  /// Precision at every recall threshold, for one category at one IoU threshold; nil if there is no such object.
  public func precisionRecall(category: Int, iou: Double, area: String = "all") -> [(recall: Double, precision: Double)]? {
    let count = settings.recallThresholds.count
    guard let threshold = thresholds(iou).first, let column = columns(category).first else { return nil }
    let cell = cell(threshold, column, range(area), settings.detectionLimits.count - 1)
    guard recall[cell] > -1 else { return nil }
    return settings.recallThresholds.indices.map { (settings.recallThresholds[$0], precision[cell * count + $0]) }
  }

  /// Objects of a category to be found; 0 for one that is not measured.
  public func truthCount(category: Int, area: String = "all") -> Int {
    columns(category).first.map { truthCounts[$0 * settings.areaRanges.count + range(area)] } ?? 0
  }

  private func mean(_ iou: Double?, _ area: String, _ limit: Int, _ category: Int?, _ part: (Int) -> (sum: Double, count: Int)) -> Double {
    let range = range(area)
    var sum = 0.0
    var count = 0
    for threshold in thresholds(iou) {
      for column in columns(category) {
        let cell = cell(threshold, column, range, limit)
        guard recall[cell] > -1 else { continue }
        let part = part(cell)
        sum += part.sum
        count += part.count
      }
    }
    return count == 0 ? -1 : sum / Double(count)
  }

  private func thresholds(_ iou: Double?) -> [Int] {
    guard let iou else { return Array(settings.iouThresholds.indices) }
    guard let index = settings.iouThresholds.firstIndex(where: { abs($0 - iou) < 1e-9 }) else {
      stop("AveragePrecisionResult: the IoU threshold \(iou) is none of \(settings.iouThresholds)")
    }
    return [index]
  }

  private func columns(_ category: Int?) -> [Int] {
    guard let category else { return Array(categories.indices) }
    return categories.firstIndex(of: category).map { [$0] } ?? []
  }

  private func range(_ area: String) -> Int {
    guard let index = settings.areaRanges.firstIndex(where: { $0.name == area }) else {
      stop("AveragePrecisionResult: the range '\(area)' is none of \(settings.areaRanges.map(\.name))")
    }
    return index
  }
}

extension AveragePrecisionResult {
  /// COCO's twelve numbers for boxes and masks.
  public struct Summary: Sendable, Equatable, CustomStringConvertible {
    /// In COCO's order.
    public static let names = ["AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L", "AR_1", "AR_10", "AR_100", "AR_S", "AR_M", "AR_L"]
    /// In the order of the names; −1 where there is no object.
    public let values: [Double]

    public var ap: Double { values[0] }
    public var ap50: Double { values[1] }
    public var ap75: Double { values[2] }

    public var description: String {
      var table = TextTable(["metric", "value"], rightAligned: [1])
      for (name, value) in zip(Self.names, values) { table.add([name, Self.text(value)]) }
      return table.text
    }

    /// Three digits after the point, as COCO prints.
    static func text(_ value: Double) -> String {
      let thousandths = Int((abs(value) * 1000).rounded())
      return "\(value < 0 ? "-" : "")\(thousandths / 1000).\((thousandths % 1000).padded(to: 3))"
    }
  }

  /// The twelve numbers.
  /// - Precondition: COCO's settings for boxes and masks, `.detection`, or such that contain them.
  public var summary: Summary {
    Summary(values: [
      averagePrecision(), averagePrecision(iou: 0.5), averagePrecision(iou: 0.75),
      averagePrecision(area: "small"), averagePrecision(area: "medium"), averagePrecision(area: "large"),
      averageRecall(detections: 1), averageRecall(detections: 10), averageRecall(detections: 100),
      averageRecall(area: "small"), averageRecall(area: "medium"), averageRecall(area: "large"),
    ])
  }

  /// AP, AP50, AP75 and AR of each category that has objects, in the order of the ids.
  /// - Parameter names: of categories; others go by their id.
  public func table(names: [Int: String] = [:]) -> String {
    var table = TextTable(["category", "objects", "AP", "AP50", "AP75", "AR"], rightAligned: [1, 2, 3, 4, 5])
    for category in categories where truthCount(category: category) > 0 {
      let values = [
        averagePrecision(category: category), averagePrecision(iou: 0.5, category: category),
        averagePrecision(iou: 0.75, category: category), averageRecall(category: category),
      ]
      table.add([names[category] ?? "\(category)", "\(truthCount(category: category))"] + values.map(Summary.text))
    }
    return table.text
  }
}
