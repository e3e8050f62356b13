/// What the detections of one category took in one image, for every range of areas and IoU threshold.
struct ImageMatching {
  /// Best first.
  let scores: [Double]
  /// For each range, then each detection: one bit for each threshold, set where the detection took an object.
  let matched: [[UInt16]]
  /// The same, set where the detection is neither right nor wrong.
  let ignored: [[UInt16]]
  /// Objects of each range that should be found.
  let truthCounts: [Int]

  /// - Parameters:
  ///   - detections: best first.
  ///   - similarity: one row for each detection.
  init(_ settings: AveragePrecision.Settings, truths: [AveragePrecision.Truth], detections: [AveragePrecision.Detection],
       _ similarity: [Double]) {
    scores = detections.map(\.score)
    var matched: [[UInt16]] = []
    var ignored: [[UInt16]] = []
    var truthCounts: [Int] = []
    for range in settings.areaRanges {
      let isIgnored = truths.map { $0.isCrowd || $0.isIgnored || range.excludes($0.area) }
      truthCounts.append(isIgnored.count { !$0 })
      let taking = Taking(isIgnored: isIgnored, isCrowd: truths.map(\.isCrowd), similarity: similarity)
      var hits = [UInt16](repeating: 0, count: detections.count)
      var neutral = hits
      for (bit, threshold) in settings.iouThresholds.enumerated() {
        taking.run(threshold, detections: detections.count) { detection, truth in
          hits[detection] |= 1 << UInt16(bit)
          if isIgnored[truth] { neutral[detection] |= 1 << UInt16(bit) }
        }
      }
      for (index, detection) in detections.enumerated() where range.excludes(detection.area) { neutral[index] |= ~hits[index] }
      matched.append(hits)
      ignored.append(neutral)
    }
    self.matched = matched
    self.ignored = ignored
    self.truthCounts = truthCounts
  }
}

/// The greedy assignment of detections, best first, to objects.
private struct Taking {
  let isIgnored: [Bool]
  let isCrowd: [Bool]
  /// One row for each detection.
  let similarity: [Double]
  /// The objects that count, then the ignored ones, both in the order of the file.
  let order: [Int]

  init(isIgnored: [Bool], isCrowd: [Bool], similarity: [Double]) {
    self.isIgnored = isIgnored
    self.isCrowd = isCrowd
    self.similarity = similarity
    order = isIgnored.indices.filter { !isIgnored[$0] } + isIgnored.indices.filter { isIgnored[$0] }
  }

  /// Calls `body` with each detection that takes an object, and that object.
  func run(_ threshold: Double, detections: Int, _ body: (_ detection: Int, _ truth: Int) -> Void) {
    var isTaken = [Bool](repeating: false, count: isIgnored.count)
    for detection in 0..<detections {
      var best = min(threshold, 1 - 1e-10)
      var choice: Int?
      for truth in order where !isTaken[truth] || isCrowd[truth] {
        // An object that counts is not given up for an ignored one.
        if let choice, !isIgnored[choice], isIgnored[truth] { break }
        let value = similarity[detection * isIgnored.count + truth]
        guard value >= best else { continue }
        best = value
        choice = truth
      }
      guard let choice else { continue }
      isTaken[choice] = true
      body(detection, choice)
    }
  }
}

/// All images of one category.
struct CategoryTally: Sendable {
  /// The detections of one image.
  struct ImageSpan: Sendable {
    let image: Int
    let detections: Range<Int>
  }

  private(set) var spans: [ImageSpan] = []
  private(set) var scores: [Double] = []
  /// By range of areas: bits of all detections, as in `ImageMatching`.
  private(set) var matched: [[UInt16]]
  private(set) var ignored: [[UInt16]]
  private(set) var truthCounts: [Int]

  init(rangeCount: Int) {
    matched = Array(repeating: [], count: rangeCount)
    ignored = matched
    truthCounts = Array(repeating: 0, count: rangeCount)
  }

  mutating func add(_ matching: ImageMatching, image: Int) {
    spans.append(ImageSpan(image: image, detections: scores.count..<scores.count + matching.scores.count))
    scores += matching.scores
    for range in matched.indices {
      matched[range] += matching.matched[range]
      ignored[range] += matching.ignored[range]
      truthCounts[range] += matching.truthCounts[range]
    }
  }

  func merged(with other: CategoryTally) -> CategoryTally {
    var sum = self
    for span in other.spans {
      let moved = span.detections.lowerBound + scores.count..<span.detections.upperBound + scores.count
      sum.spans.append(ImageSpan(image: span.image, detections: moved))
    }
    sum.scores += other.scores
    for range in matched.indices {
      sum.matched[range] += other.matched[range]
      sum.ignored[range] += other.ignored[range]
      sum.truthCounts[range] += other.truthCounts[range]
    }
    return sum
  }

  /// The detections of all images, best first, at equal scores by image; each with its rank in its image.
  func ranked() -> [(detection: Int, rank: Int)] {
    var places: [(detection: Int, rank: Int)] = []
    places.reserveCapacity(scores.count)
    for span in spans.sorted(by: { $0.image < $1.image }) {
      for detection in span.detections { places.append((detection, detection - span.detections.lowerBound)) }
    }
    let order = places.indices.sorted { a, b in
      AveragePrecision.precedes(scores[places[a].detection], a, scores[places[b].detection], b)
    }
    return order.map { places[$0] }
  }
}
