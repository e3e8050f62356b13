extension AveragePrecision {
  /// Precision and recall of the images so far.
  public func result() -> AveragePrecisionResult {
    var result = AveragePrecisionResult(settings, categories: categories)
    for (column, category) in categories.enumerated() {
      guard let tally = tallies[category] else { continue }
      for range in settings.areaRanges.indices { result.truthCounts[column * settings.areaRanges.count + range] = tally.truthCounts[range] }
      let ranked = tally.ranked()
      for (limitIndex, limit) in settings.detectionLimits.enumerated() {
        let detections = ranked.filter { $0.rank < limit }.map(\.detection)
        for range in settings.areaRanges.indices where tally.truthCounts[range] > 0 {
          for threshold in settings.iouThresholds.indices {
            let curve = PrecisionCurve(tally, range, UInt16(threshold), detections)
            result.set(curve, at: result.cell(threshold, column, range, limitIndex))
          }
        }
      }
    }
    return result
  }
}

extension AveragePrecisionResult {
  fileprivate mutating func set(_ curve: PrecisionCurve, at cell: Int) {
    recall[cell] = curve.recall.last ?? 0
    let start = cell * settings.recallThresholds.count
    var place = 0
    for (index, threshold) in settings.recallThresholds.enumerated() {
      while place < curve.recall.count && curve.recall[place] < threshold { place += 1 }
      let isReached = place < curve.recall.count
      precision[start + index] = isReached ? curve.precision[place] : 0
      scores[start + index] = isReached ? curve.scores[place] : 0
    }
  }
}

/// Recall and precision after each detection, best score first.
private struct PrecisionCurve {
  var recall: [Double]
  /// Non-increasing: the highest at this recall or a higher one.
  var precision: [Double]
  var scores: [Double]

  init(_ tally: CategoryTally, _ range: Int, _ threshold: UInt16, _ detections: [Int]) {
    let bit: UInt16 = 1 << threshold
    let matched = tally.matched[range]
    let ignored = tally.ignored[range]
    let count = Double(tally.truthCounts[range])
    var hits = 0.0
    var misses = 0.0
    recall = []
    precision = []
    recall.reserveCapacity(detections.count)
    precision.reserveCapacity(detections.count)
    for detection in detections {
      if ignored[detection] & bit == 0 {
        if matched[detection] & bit != 0 { hits += 1 } else { misses += 1 }
      }
      recall.append(hits / count)
      precision.append(hits / (misses + hits + 0x1p-52))
    }
    for index in precision.indices.reversed().dropFirst() { precision[index] = max(precision[index], precision[index + 1]) }
    scores = detections.map { tally.scores[$0] }
  }
}
