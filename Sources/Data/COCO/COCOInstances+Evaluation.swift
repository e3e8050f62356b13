import Base
import Vision

extension COCOInstances {
  /// What a detection is judged by.
  public enum Shape: String, Sendable, CaseIterable { case boxes, masks }

  /// An accumulator for all categories of the file.
  public func averagePrecision() -> AveragePrecision { AveragePrecision(categories: categories.map(\.id)) }

  /// The average precision of result files, over all images of these annotations, those without objects too.
  ///
  /// As in pycocotools, missing shapes are taken from each other (the box around a mask, the mask of a box), and if the first result has a
  /// box, the boxes' areas tell small detections from large ones, even where masks are judged.
  /// - Throws: `.badData` if an image of the results is unknown, or a segmentation is none.
  public func evaluate(_ results: [COCOResult], by shape: Shape, at path: String = "results") throws -> AveragePrecisionResult {
    try COCOResults.check(results, at: path, against: self)
    var score = averagePrecision()
    let annotations = annotationsByImage()
    let detections = Dictionary(grouping: results, by: \.imageID)
    let hasBoxes = results.first?.box != nil
    for image in imagesByID().values {
      let truths = annotations[image.id] ?? []
      try Self.add(image, truths, detections[image.id] ?? [], by: shape, boxAreas: hasBoxes, to: &score)
    }
    return score.result()
  }

  private static func add(
    _ image: COCOImage, _ annotations: [COCOAnnotation], _ results: [COCOResult], by shape: Shape, boxAreas: Bool,
    to score: inout AveragePrecision
  ) throws {
    let truths = annotations.map { AveragePrecision.Truth(category: $0.categoryID, area: $0.area, isCrowd: $0.isCrowd) }
    let detections = results.map { AveragePrecision.Detection(category: $0.categoryID, score: $0.score, area: $0.area(ofBox: boxAreas)) }
    switch shape {
    case .boxes:
      score.add(image: image.id, truths: truths, boxes: annotations.map(\.box), detections: detections, boxes: results.map(\.anyBox))
    case .masks:
      let truthMasks = try annotations.map { annotation in
        do {
          return try annotation.mask(in: image)
        } catch let failure as Failure {
          throw failure.told(at: "annotation \(annotation.id)")
        }
      }
      let masks = try results.map { try $0.mask ?? RunLengthMask(box: $0.anyBox, height: image.height, width: image.width) }
      score.add(image: image.id, truths: truths, masks: truthMasks, detections: detections, masks: masks)
    }
  }
}

extension COCOResult {
  /// The box, or the one around the mask.
  fileprivate var anyBox: BoundingBox { box ?? mask?.boundingBox ?? BoundingBox(x: 0, y: 0, width: 0, height: 0) }

  fileprivate func area(ofBox: Bool) -> Double {
    if ofBox, let box { return box.area }
    return mask.map { Double($0.area) } ?? anyBox.area
  }
}
