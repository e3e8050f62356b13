import Base

extension AveragePrecision {
  /// Adds one image judged by its boxes.
  /// - Parameters: as `add(image:truths:detections:similarity:)`; one box for each object and detection.
  public mutating func add(
    image: Int, truths: [Truth], boxes truthBoxes: [BoundingBox], detections: [Detection], boxes detectedBoxes: [BoundingBox]
  ) {
    requireShapes(truths.count, truthBoxes.count, detections.count, detectedBoxes.count)
    add(image: image, truths: truths, detections: detections) { rows, columns in
      rows.flatMap { row in
        columns.map { column in detectedBoxes[row].iou(with: truthBoxes[column], isCrowd: truths[column].isCrowd) }
      }
    }
  }

  /// Adds one image judged by its masks.
  /// - Parameters: as `add(image:truths:detections:similarity:)`; one mask for each object and detection. Masks of different sizes have
  ///   nothing in common.
  public mutating func add(
    image: Int, truths: [Truth], masks truthMasks: [RunLengthMask], detections: [Detection], masks detectedMasks: [RunLengthMask]
  ) {
    requireShapes(truths.count, truthMasks.count, detections.count, detectedMasks.count)
    let truthBoxes = truthMasks.map(\.boundingBox)
    add(image: image, truths: truths, detections: detections) { rows, columns in
      rows.flatMap { row in
        let mask = detectedMasks[row]
        let box = mask.boundingBox
        return columns.map { column -> Double in
          let truth = truthMasks[column]
          guard mask.height == truth.height, mask.width == truth.width, box.intersectionArea(with: truthBoxes[column]) > 0 else { return 0 }
          return mask.iou(with: truth, isCrowd: truths[column].isCrowd)
        }
      }
    }
  }

  private func requireShapes(_ truths: Int, _ truthShapes: Int, _ detections: Int, _ detectedShapes: Int) {
    require(truths == truthShapes && detections == detectedShapes,
            "AveragePrecision: \(truthShapes) shapes of \(truths) objects, \(detectedShapes) of \(detections) detections")
  }
}
