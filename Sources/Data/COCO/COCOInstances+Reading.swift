import Base
import Vision

extension COCOInstances {
  /// Reads `instances_*.json` or `person_keypoints_*.json`. Keys that are not needed are passed over. What the data is worth, `COCOReport`
  /// says; here only what cannot be understood is an error.
  /// - Throws: `.missingInput` if there is no such file; `.badData` with line, column and the way to the value, such as
  ///   `annotations[12].bbox`, if it is no JSON, a list is missing, or a value is of the wrong kind.
  public init(contentsOf path: String, segmentations: Segmentations = .kept) throws {
    self = try JSONScanner.read(path) { try COCOInstances(&$0, path: path, segmentations: segmentations) }
  }

  /// Reads the same from memory.
  /// - Parameter path: the file's name, for messages.
  init(_ bytes: [UInt8], path: String, segmentations: Segmentations = .kept) throws {
    self = try JSONScanner.read(bytes, path: path) { try COCOInstances(&$0, path: path, segmentations: segmentations) }
  }

  private init(_ json: inout JSONScanner, path: String, segmentations: Segmentations) throws {
    var images: [COCOImage]?
    var categories: [COCOCategory]?
    var annotations: [COCOAnnotation]?
    try json.object { json, key in
      switch key {
      case "images": images = try json.list { try COCOImage(&$0) }
      case "categories": categories = try json.list { try COCOCategory(&$0) }
      case "annotations": annotations = try json.list { try COCOAnnotation(&$0, segmentations) }
      default: try json.skip()
      }
    }
    guard let images, let categories, let annotations else {
      let keys = [("images", images == nil), ("categories", categories == nil), ("annotations", annotations == nil)]
      throw json.problem("no list of \(keys.filter(\.1).map(\.0).joined(separator: ", ")); a file of COCO has all three")
    }
    self.init(path: path, images: images, categories: categories, annotations: annotations)
    self = try filled(segmentations)
  }

  /// The same with values for what is missing.
  private func filled(_ segmentations: Segmentations) throws -> COCOInstances {
    guard annotations.contains(where: { !$0.missing.isEmpty }) else { return self }
    let images = imagesByID()
    var lastID = annotations.lazy.map(\.id).max() ?? 0
    let filled = try annotations.map { annotation in
      var annotation = annotation
      if annotation.missing.contains(.id) {
        lastID += 1
        annotation.id = lastID
      }
      if !annotation.missing.isDisjoint(with: [.area, .box]) {
        do {
          let mask = try images[annotation.imageID].flatMap { try annotation.segmentation?.mask(height: $0.height, width: $0.width) }
          if annotation.missing.contains(.box), let mask { annotation.box = mask.boundingBox }
          if annotation.missing.contains(.area) { annotation.area = mask.map { Double($0.area) } ?? annotation.box.area }
        } catch let failure as Failure {
          throw failure.told(at: "\(path), annotation \(annotation.id)")
        }
      }
      if segmentations == .skipped { annotation.segmentation = nil }
      return annotation
    }
    return COCOInstances(path: path, images: self.images, categories: categories, annotations: filled)
  }
}

extension JSONScanner {
  /// A list of things of one kind.
  mutating func list<Element>(_ element: (inout JSONScanner) throws -> Element) throws -> [Element] {
    var elements: [Element] = []
    try array { elements.append(try element(&$0)) }
    return elements
  }

  /// What a key must have.
  func needed<Value>(_ value: Value?, _ key: String, of start: Int) throws -> Value {
    guard let value else { throw problem("no '\(key)'", at: start) }
    return value
  }

  /// `[x, y, width, height]`.
  mutating func box() throws -> BoundingBox {
    let start = placeOfNext
    let numbers = try numbers()
    guard numbers.count == 4 else { throw problem("\(numbers.count) numbers, expected x, y, width and height", at: start) }
    return BoundingBox(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
  }

  /// `[from, to]`: two keypoints, counted from 1.
  mutating func limb() throws -> Skeleton.Pair {
    let start = placeOfNext
    let ends = try list { try $0.integer() }
    guard ends.count == 2, ends[0] > 0, ends[1] > 0 else { throw problem("\(ends), expected two keypoints, counted from 1", at: start) }
    return Skeleton.Pair(ends[0] - 1, ends[1] - 1)
  }

  /// Reads a value, or nil for `null`.
  mutating func optional<Value>(_ value: (inout JSONScanner) throws -> Value) throws -> Value? {
    takeNull() ? nil : try value(&self)
  }
}

extension COCOImage {
  init(_ json: inout JSONScanner) throws {
    let start = json.placeOfNext
    var id: Int?
    var fileName: String?
    var height: Int?
    var width: Int?
    try json.object { json, key in
      switch key {
      case "id": id = try json.integer()
      case "file_name": fileName = try json.string()
      case "height": height = try json.integer()
      case "width": width = try json.integer()
      default: try json.skip()
      }
    }
    self.id = try json.needed(id, "id", of: start)
    self.fileName = try json.needed(fileName, "file_name", of: start)
    self.height = try json.needed(height, "height", of: start)
    self.width = try json.needed(width, "width", of: start)
    guard self.height > 0, self.width > 0, self.height <= 1 << 20, self.width <= 1 << 20 else {
      throw json.problem("an image of \(self.width) x \(self.height) pixels", at: start)
    }
  }
}

extension COCOCategory {
  init(_ json: inout JSONScanner) throws {
    let start = json.placeOfNext
    var id: Int?
    var name: String?
    var group = ""
    var thing = true
    var keypoints: [String] = []
    var limbs: [Skeleton.Pair] = []
    try json.object { json, key in
      switch key {
      case "id": id = try json.integer()
      case "name": name = try json.string()
      case "supercategory": group = try json.optional { try $0.string() } ?? ""
      case "isthing": thing = try json.flag()
      case "keypoints": keypoints = try json.optional { try $0.list { try $0.string() } } ?? []
      case "skeleton": limbs = try json.optional { try $0.list { try $0.limb() } } ?? []
      default: try json.skip()
      }
    }
    self.init(
      id: try json.needed(id, "id", of: start), name: try json.needed(name, "name", of: start), supercategory: group, isThing: thing)
    self.keypoints = keypoints
    self.limbs = limbs
  }
}

extension COCOAnnotation {
  init(_ json: inout JSONScanner, _ segmentations: COCOInstances.Segmentations) throws {
    let start = json.placeOfNext
    var fields = Fields()
    try json.object { json, key in
      switch key {
      case "id": fields.id = try json.optional { try $0.integer() }
      case "image_id": fields.imageID = try json.integer()
      case "category_id": fields.categoryID = try json.integer()
      case "bbox": fields.box = try json.optional { try $0.box() }
      case "area": fields.area = try json.optional { try $0.number() }
      case "iscrowd": fields.isCrowd = try json.optional { try $0.flag() }
      case "keypoints": fields.keypoints = try json.optional { try $0.numbers() } ?? []
      case "num_keypoints": fields.keypointCount = try json.optional { try $0.integer() }
      case "segmentation" where segmentations == .kept: fields.segmentation = try COCOSegmentation.read(&json)
      case "segmentation":
        fields.skippedSegmentation = json.placeOfNext
        try json.skip()
      default: try json.skip()
      }
    }
    // A box or an area that is missing comes from the segmentation, even if that is not kept.
    if fields.box == nil || fields.area == nil, let place = fields.skippedSegmentation {
      fields.segmentation = try json.revisit(place) { try COCOSegmentation.read(&$0) }
    }
    self.init(
      id: fields.id ?? 0, imageID: try json.needed(fields.imageID, "image_id", of: start),
      categoryID: try json.needed(fields.categoryID, "category_id", of: start),
      box: fields.box ?? BoundingBox(x: 0, y: 0, width: 0, height: 0), area: fields.area ?? 0, isCrowd: fields.isCrowd ?? false,
      segmentation: fields.segmentation)
    keypoints = fields.keypoints
    keypointCount = fields.keypointCount
    missing = fields.missing
  }

  private struct Fields {
    var id: Int?
    var imageID: Int?
    var categoryID: Int?
    var box: BoundingBox?
    var area: Double?
    var isCrowd: Bool?
    var segmentation: COCOSegmentation?
    var skippedSegmentation: Int?
    var keypoints: [Double] = []
    var keypointCount: Int?

    var missing: Missing {
      var missing: Missing = []
      if id == nil { missing.insert(.id) }
      if box == nil { missing.insert(.box) }
      if area == nil { missing.insert(.area) }
      if isCrowd == nil { missing.insert(.isCrowd) }
      return missing
    }
  }
}

extension COCOSegmentation {
  /// Reads a list of polygons, or run lengths as a list or as text; nil for an empty list and `null`.
  static func read(_ json: inout JSONScanner) throws -> COCOSegmentation? {
    if json.takeNull() { return nil }
    if json.nextIsList() {
      let polygons = try json.list { try $0.numbers() }
      return polygons.isEmpty ? nil : .polygons(polygons)
    }
    return .runLengths(try RunLengthMask.read(&json))
  }
}

extension RunLengthMask {
  /// Reads `{"size": [height, width], "counts": [...]}`, or with counts as compressed text.
  static func read(_ json: inout JSONScanner) throws -> RunLengthMask {
    let start = json.placeOfNext
    var size: [Double]?
    var list: [Int]?
    var text: String?
    try json.object { json, key in
      switch key {
      case "size": size = try json.numbers()
      case "counts" where json.nextIsString(): text = try json.string()
      case "counts": list = try json.list { try $0.integer() }
      default: try json.skip()
      }
    }
    guard let size, size.count == 2, let height = Int(exactly: size[0]), let width = Int(exactly: size[1]),
          list != nil || text != nil else {
      throw json.problem("expected polygons, or 'counts' and 'size' with height and width", at: start)
    }
    do {
      if let text { return try RunLengthMask(height: height, width: width, compressedCounts: text) }
      return try RunLengthMask(height: height, width: width, counts: list ?? [])
    } catch let failure as Failure {
      throw json.problem(failure.problem, at: start)
    }
  }
}
