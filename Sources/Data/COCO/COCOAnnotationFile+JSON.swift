import Vision

extension COCOAnnotationFile: Encodable {
  private enum CodingKeys: String, CodingKey { case images, categories, annotations }

  public func encode(to encoder: any Encoder) throws {
    var file = encoder.container(keyedBy: CodingKeys.self)
    try file.encode(images, forKey: .images)
    switch annotations {
    case .instances(let instances):
      try file.encode(categories, forKey: .categories)
      try file.encode(instances, forKey: .annotations)
    case .panoptic(let annotations):
      try file.encode(categories.map(PanopticCategory.init), forKey: .categories)
      try file.encode(annotations, forKey: .annotations)
    }
  }
}

/// A category with the word whether it counts things or stuff.
private struct PanopticCategory: Encodable {
  let category: COCOAnnotationFile.Category

  private enum CodingKeys: String, CodingKey { case isThing = "isthing" }

  func encode(to encoder: any Encoder) throws {
    try category.encode(to: encoder)
    var own = encoder.container(keyedBy: CodingKeys.self)
    try own.encode(category.isThing ? 1 : 0, forKey: .isThing)
  }
}

extension COCOAnnotationFile.Instance: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, area, bbox, segmentation, imageID = "image_id", categoryID = "category_id", isCrowd = "iscrowd"
  }

  private enum MaskKeys: String, CodingKey { case size, counts }

  public func encode(to encoder: any Encoder) throws {
    var own = encoder.container(keyedBy: CodingKeys.self)
    try own.encode(id, forKey: .id)
    try own.encode(imageID, forKey: .imageID)
    try own.encode(categoryID, forKey: .categoryID)
    try own.encode(isCrowd ? 1 : 0, forKey: .isCrowd)
    try own.encode(mask.area, forKey: .area)
    try own.encode(mask.boundingBox.corner, forKey: .bbox)
    switch segmentation {
    case .polygons(let polygons): try own.encode(polygons, forKey: .segmentation)
    case .runLengths:
      var lengths = own.nestedContainer(keyedBy: MaskKeys.self, forKey: .segmentation)
      try lengths.encode([mask.height, mask.width], forKey: .size)
      try lengths.encode(mask.compressedCounts, forKey: .counts)
    }
  }
}

extension COCOAnnotationFile.Panoptic: Encodable {
  private enum CodingKeys: String, CodingKey { case imageID = "image_id", fileName = "file_name", segments = "segments_info" }

  public func encode(to encoder: any Encoder) throws {
    var own = encoder.container(keyedBy: CodingKeys.self)
    try own.encode(imageID, forKey: .imageID)
    try own.encode(fileName, forKey: .fileName)
    try own.encode(segments.map(Segment.init), forKey: .segments)
  }

  private struct Segment: Encodable {
    let segment: PanopticSegment

    enum CodingKeys: String, CodingKey { case id, area, bbox, categoryID = "category_id", isCrowd = "iscrowd" }

    func encode(to encoder: any Encoder) throws {
      var own = encoder.container(keyedBy: CodingKeys.self)
      try own.encode(segment.id, forKey: .id)
      try own.encode(segment.category, forKey: .categoryID)
      try own.encode(segment.isCrowd ? 1 : 0, forKey: .isCrowd)
      try own.encodeIfPresent(segment.area, forKey: .area)
      try own.encodeIfPresent(segment.box?.corner, forKey: .bbox)
    }
  }
}

extension BoundingBox {
  /// `[x, y, width, height]`, as COCO writes it.
  fileprivate var corner: [Double] { [x, y, width, height] }
}
