import Base
import Vision

extension COCOAnnotation {
  /// The annotated keypoints; empty if the file has none. A visibility that is none of COCO's, or a place that is not finite, makes a
  /// keypoint unlabelled. Numbers that do not make a whole keypoint are dropped.
  public var points: [Keypoint] {
    stride(from: 0, to: keypoints.count - 2, by: 3).map { index in
      let (x, y) = (keypoints[index], keypoints[index + 1])
      guard x.isFinite, y.isFinite, let visibility = Int(exactly: keypoints[index + 2]).flatMap(Keypoint.Visibility.init),
            visibility != .unlabeled else { return .unlabeled }
      return Keypoint(x: x, y: y, visibility: visibility)
    }
  }

  /// Sets the keypoints and their count.
  public mutating func setPoints(_ points: [Keypoint]) {
    keypoints = points.flatMap { [$0.x, $0.y, Double($0.visibility.rawValue)] }
    keypointCount = points.count { $0.isLabeled }
  }

  /// A labelled keypoint that is not in its image: beyond the centres of its outermost pixels by more than a pixel.
  func isOutside(_ point: Keypoint, _ image: COCOImage) -> Bool {
    point.isLabeled && !((-1...Double(image.width)).contains(point.x) && (-1...Double(image.height)).contains(point.y))
  }
}

extension COCOInstances {
  /// The categories whose bodies have keypoints: those that list names, or if none does, those of annotations with keypoints.
  public var keypointCategories: [COCOCategory] {
    let listed = categories.filter { !$0.keypoints.isEmpty }
    guard listed.isEmpty else { return listed }
    let used = Set(annotations.filter { !$0.keypoints.isEmpty }.map(\.categoryID))
    return categories.filter { used.contains($0.id) }
  }

  /// The average precision and recall of keypoint results, over all images of these annotations.
  ///
  /// As in pycocotools, the boxes of results, if the first one has one, tell medium bodies from large ones, else the boxes around the
  /// points. Whether a body counts says the number of its labelled points, not `num_keypoints`.
  /// - Throws: `.badData` if an image of the results is unknown, or a body has another number of keypoints than the skeleton.
  public func evaluateKeypoints(
    _ results: [COCOResult], _ skeleton: Skeleton, at path: String = "results"
  ) throws -> AveragePrecisionResult {
    try COCOResults.check(results, at: path, against: self)
    let categories = Set(keypointCategories.map(\.id))
    var score = AveragePrecision(categories: categories, settings: .keypoints)
    let annotations = annotationsByImage()
    let detections = Dictionary(grouping: results.enumerated()) { $1.imageID }
    let hasBoxes = results.first?.box != nil
    for image in imagesByID().values {
      let truths = try (annotations[image.id] ?? []).filter { categories.contains($0.categoryID) }.map { annotation in
        let numbers = annotation.keypoints
        if !numbers.isEmpty { try Self.require(numbers, of: skeleton, "\(self.path): annotation \(annotation.id)") }
        return annotation.bodyTruth(skeleton)
      }
      let found = try (detections[image.id] ?? []).filter { categories.contains($1.categoryID) }.map { index, result in
        try Self.require(result.keypoints, of: skeleton, "\(path): result \(index)")
        return AveragePrecision.FoundBody(
          category: result.categoryID,
          points: stride(from: 0, to: result.keypoints.count, by: 3).map { SIMD2(result.keypoints[$0], result.keypoints[$0 + 1]) },
          score: result.score, area: hasBoxes ? result.box?.area : nil)
      }
      score.add(image: image.id, bodies: truths, found: found, skeleton)
    }
    return score.result()
  }

  /// Requires x, y and a third number of every keypoint of the skeleton.
  static func require(_ keypoints: [Double], of skeleton: Skeleton, _ place: String) throws {
    guard keypoints.count != 3 * skeleton.count else { return }
    throw Failure(
      .badData, at: place, "\(keypoints.count) numbers of keypoints, expected x, y and a third one for each of \(skeleton.count)")
  }
}

extension COCOAnnotation {
  /// The body as the evaluation takes it; one without keypoints has unlabelled ones.
  public func bodyTruth(_ skeleton: Skeleton) -> AveragePrecision.BodyTruth {
    AveragePrecision.BodyTruth(
      category: categoryID, keypoints: keypoints.isEmpty ? skeleton.names.map { _ in .unlabeled } : points, area: area, box: box,
      isCrowd: isCrowd)
  }
}

extension COCOInspection {
  mutating func inspectKeypoints() {
    guard instances.annotations.contains(where: { !$0.keypoints.isEmpty }) else { return }
    let counts = Dictionary(instances.categories.map { ($0.id, $0.keypoints.count) }) { first, _ in first }
    var misfit: [Int] = []
    var outside: [Int] = []
    var miscounted: [Int] = []
    var unknown: [Int] = []
    for annotation in instances.annotations where !annotation.keypoints.isEmpty {
      let expected = counts[annotation.categoryID] ?? 0
      if annotation.keypoints.count % 3 != 0 || (expected > 0 && annotation.keypoints.count != 3 * expected) {
        misfit.append(annotation.id)
        continue
      }
      let points = annotation.points
      if let image = images[annotation.imageID], points.contains(where: { annotation.isOutside($0, image) }) {
        outside.append(annotation.id)
      }
      if let count = annotation.keypointCount, count != points.count(where: \.isLabeled) { miscounted.append(annotation.id) }
      let isOdd = stride(from: 2, to: annotation.keypoints.count, by: 3).contains { index in
        ![0, 1, 2].contains(annotation.keypoints[index]) || !annotation.keypoints[index - 2...index].allSatisfy(\.isFinite)
      }
      if isOdd { unknown.append(annotation.id) }
    }
    report(.misfitKeypoints, misfit)
    report(.outsideKeypoints, outside)
    report(.keypointCounts, miscounted)
    report(.unknownVisibilities, unknown)
  }
}
