import Base
import Vision

extension COCOInstances {
  /// Writes the annotations as COCO has them, one on a line, with numbers that are read back to the same bits. Equal contents give equal
  /// bytes.
  /// - Throws: `.badData` if a number is not finite; the failures of `AtomicFile.write`.
  public func write(to path: String) throws {
    if let annotation = annotations.first(where: { !$0.isFinite }) {
      throw Failure(.badData, at: path, "the annotation \(annotation.id) has a number that is not finite")
    }
    let kinds = categories.map { $0.json(isPanoptic: false) }
    let file = COCOText.file(images: images, categories: kinds, annotations: annotations.map(\.json))
    try AtomicFile.write(file, to: path)
  }
}

extension COCOPanoptic {
  /// Writes the lists of segments as COCO has them. The maps are written one by one, `PanopticMap.write`.
  /// - Throws: the failures of `AtomicFile.write`.
  public func write(to path: String) throws {
    let kinds = categories.map { $0.json(isPanoptic: true) }
    let file = COCOText.file(images: images, categories: kinds, annotations: annotations.map(\.json))
    try AtomicFile.write(file, to: path)
  }
}

/// The frame of an annotation file.
private enum COCOText {
  static func file(images: [COCOImage], categories: [String], annotations: [String]) -> String {
    "{\"images\":\(list(images.map(\.json))),\n\"categories\":\(list(categories)),\n\"annotations\":\(list(annotations))}\n"
  }

  private static func list(_ items: [String]) -> String { items.isEmpty ? "[]" : "[\n\(items.joined(separator: ",\n"))\n]" }
}

extension COCOImage {
  fileprivate var json: String { "{\"id\":\(id),\"file_name\":\(fileName.quotedJSON),\"height\":\(height),\"width\":\(width)}" }
}

extension COCOCategory {
  /// - Parameter isPanoptic: with the word whether it counts things or stuff.
  fileprivate func json(isPanoptic: Bool) -> String {
    let kind = isPanoptic ? ",\"isthing\":\(isThing ? 1 : 0)" : ""
    let points = keypoints.isEmpty ? "" : ",\"keypoints\":[\(keypoints.map(\.quotedJSON).joined(separator: ","))]"
    let pairs = limbs.map { "[\($0.first + 1),\($0.second + 1)]" }.joined(separator: ",")
    let lines = limbs.isEmpty ? "" : ",\"skeleton\":[\(pairs)]"
    return "{\"id\":\(id),\"name\":\(name.quotedJSON),\"supercategory\":\(supercategory.quotedJSON)\(kind)\(points)\(lines)}"
  }
}

extension COCOAnnotation {
  fileprivate var isFinite: Bool {
    guard box.isFinite, area.isFinite, keypoints.allSatisfy(\.isFinite) else { return false }
    guard case .polygons(let polygons) = segmentation else { return true }
    return polygons.allSatisfy { $0.allSatisfy(\.isFinite) }
  }

  fileprivate var json: String {
    var text = "{\"id\":\(id),\"image_id\":\(imageID),\"category_id\":\(categoryID),\"bbox\":\(box.json),\"area\":\(area.shortJSON)"
    text += ",\"iscrowd\":\(isCrowd ? 1 : 0)"
    switch segmentation {
    case .polygons(let polygons): text += ",\"segmentation\":[\(polygons.map(\.json).joined(separator: ","))]"
    case .runLengths(let mask): text += ",\"segmentation\":\(mask.json)"
    case nil: break
    }
    if let keypointCount { text += ",\"num_keypoints\":\(keypointCount)" }
    if !keypoints.isEmpty { text += ",\"keypoints\":\(keypoints.json)" }
    return text + "}"
  }
}

extension COCOPanoptic.Annotation {
  var json: String {
    let list = segments.map { segment in
      var text = "{\"id\":\(segment.id),\"category_id\":\(segment.category),\"iscrowd\":\(segment.isCrowd ? 1 : 0)"
      if let area = segment.area { text += ",\"area\":\(area)" }
      if let box = segment.box { text += ",\"bbox\":\(box.json)" }
      return text + "}"
    }
    return "{\"image_id\":\(imageID),\"file_name\":\(fileName.quotedJSON),\"segments_info\":[\(list.joined(separator: ","))]}"
  }
}

extension RunLengthMask {
  /// Compressed run lengths with their size.
  var json: String { "{\"size\":[\(height),\(width)],\"counts\":\(compressedCounts.quotedJSON)}" }
}

extension BoundingBox {
  /// `[x, y, width, height]`.
  var json: String { [x, y, width, height].json }
}

extension [Double] {
  fileprivate var json: String { "[\(map(\.shortJSON).joined(separator: ","))]" }
}

extension Double {
  /// The shortest text that is read back to the same bits; whole numbers without a point.
  fileprivate var shortJSON: String { abs(self) < 1e15 && self == rounded() ? "\(Int(self))" : "\(self)" }
}
