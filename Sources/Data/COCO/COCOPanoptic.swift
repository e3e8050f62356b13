import Base
import Vision

/// COCO's panoptic annotations: a list of segments for each image, whose pixels stand in PNG files beside the list.
///
/// - Source: cocodataset.org/#format-data, "Panoptic Segmentation".
public struct COCOPanoptic: Sendable {
  /// The segments of one image.
  public struct Annotation: Sendable, Hashable {
    public var imageID: Int
    /// The PNG below the folder of maps.
    public var fileName: String
    public var segments: [PanopticSegment]

    public init(imageID: Int, fileName: String, segments: [PanopticSegment]) {
      self.imageID = imageID
      self.fileName = fileName
      self.segments = segments
    }
  }

  /// The file, for messages.
  public let path: String
  /// Empty in a file of results.
  public let images: [COCOImage]
  /// Things and stuff; empty in a file of results.
  public let categories: [COCOCategory]
  public let annotations: [Annotation]

  public init(path: String, images: [COCOImage] = [], categories: [COCOCategory] = [], annotations: [Annotation]) {
    self.path = path
    self.images = images
    self.categories = categories
    self.annotations = annotations
  }

  /// Reads `panoptic_*.json`, or results in the same form without `images` and `categories`.
  /// - Throws: `.missingInput` if there is no such file; `.badData` with line, column and the way to the value, if it is something else.
  public init(contentsOf path: String) throws {
    self = try JSONScanner.read(path) { json in
      var images: [COCOImage] = []
      var categories: [COCOCategory] = []
      var annotations: [Annotation]?
      try json.object { json, key in
        switch key {
        case "images": images = try json.list { try COCOImage(&$0) }
        case "categories": categories = try json.list { try COCOCategory(&$0) }
        case "annotations": annotations = try json.list { try Annotation(&$0) }
        default: try json.skip()
        }
      }
      guard let annotations else { throw json.problem("no list of annotations") }
      return COCOPanoptic(path: path, images: images, categories: categories, annotations: annotations)
    }
  }

  /// Writes results: the list of segments. The maps are written one by one, `PanopticMap.write`.
  /// - Throws: the failures of `AtomicFile.write`.
  public static func writeResults(_ annotations: [Annotation], to path: String) throws {
    try AtomicFile.write("{\"annotations\":[\n\(annotations.map(\.json).joined(separator: ",\n"))\n]}\n", to: path)
  }

  /// The panoptic quality of results.
  /// - Parameters:
  ///   - maps: the folder of the annotated PNG files.
  ///   - resultMaps: the folder of the results' ones.
  /// - Throws: `.badData` if an image has no result, or a map does not fit its list; `.missingInput` if a map is not there.
  public func quality(of results: COCOPanoptic, maps: String, resultMaps: String) throws -> PanopticQuality {
    var quality = PanopticQuality(categories: categories.map { PanopticQuality.Category(id: $0.id, isThing: $0.isThing) })
    let predictions = Dictionary(results.annotations.map { ($0.imageID, $0) }) { first, _ in first }
    for truth in annotations {
      guard let prediction = predictions[truth.imageID] else {
        throw Failure(.badData, at: results.path, "no result for the image \(truth.imageID)")
      }
      let predicted = Path.join(resultMaps, prediction.fileName)
      do {
        try quality.add(
          truth: PanopticMap(contentsOf: Path.join(maps, truth.fileName)), truthSegments: truth.segments,
          predicted: PanopticMap(contentsOf: predicted), predictedSegments: prediction.segments)
      } catch let failure as Failure where failure.place.isEmpty {
        throw failure.told(at: predicted)
      }
    }
    return quality
  }
}

extension COCOPanoptic.Annotation {
  init(_ json: inout JSONScanner) throws {
    let start = json.placeOfNext
    var imageID: Int?
    var fileName: String?
    var segments: [PanopticSegment]?
    try json.object { json, key in
      switch key {
      case "image_id": imageID = try json.integer()
      case "file_name": fileName = try json.string()
      case "segments_info": segments = try json.list { try PanopticSegment(&$0) }
      default: try json.skip()
      }
    }
    self.init(imageID: try json.needed(imageID, "image_id", of: start), fileName: try json.needed(fileName, "file_name", of: start),
              segments: try json.needed(segments, "segments_info", of: start))
  }
}

extension PanopticSegment {
  init(_ json: inout JSONScanner) throws {
    let start = json.placeOfNext
    var id: Int?
    var category: Int?
    var isCrowd = false
    var area: Int?
    var box: BoundingBox?
    try json.object { json, key in
      switch key {
      case "id": id = try json.integer()
      case "category_id": category = try json.integer()
      case "iscrowd": isCrowd = try json.flag()
      case "area": area = try json.optional { try $0.integer() }
      case "bbox": box = try json.optional { try $0.box() }
      default: try json.skip()
      }
    }
    let number = try json.needed(id, "id", of: start)
    guard 1..<1 << 24 ~= number else { throw json.problem("the segment \(number), expected 1 to 16777215", at: start) }
    self.init(id: UInt32(number), category: try json.needed(category, "category_id", of: start), isCrowd: isCrowd, area: area, box: box)
  }
}

extension PanopticMap {
  /// Reads an 8-bit RGB picture, COCO's PNG.
  /// - Throws: `.missingInput` if there is no such file; `.badData` if it is no picture, a grey one, or one of 16 bits.
  public init(contentsOf path: String) throws {
    let bytes = try File.bytes(at: path, limit: Codec.largestFile)
    guard !PNG.announces16BitRGB(bytes), bytes.starts(with: PNG.magic) else {
      guard bytes.starts(with: PNG.magic) else { throw Failure.unrecognized(bytes, at: path, expected: "a PNG of a panoptic map") }
      throw Failure(.badData, at: path, "this PNG has 16 bits a sample, expected a panoptic map of 8")
    }
    let image = try PNG.decode(bytes, place: path)
    guard image.channels >= 3 else { throw Failure(.badData, at: path, "this PNG is grey, expected the colours of a panoptic map") }
    self.init(colors: image)
  }

  /// Writes the map as a PNG.
  /// - Throws: the failures of `AtomicFile.write`.
  public func write(to path: String) throws { try AtomicFile.write(PNG.encode(colors), to: path) }
}
