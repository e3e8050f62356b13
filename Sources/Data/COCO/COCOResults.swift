import Base
import Vision

/// A detection, as an entry of COCO's result files.
public struct COCOResult: Sendable, Hashable {
  public var imageID: Int
  public var categoryID: Int
  public var score: Double
  /// In pixels of the original image; nil if the file has none.
  public var box: BoundingBox?
  public var mask: RunLengthMask?
  /// `[x, y, score, ...]`; empty if the file has none.
  public var keypoints: [Double] = []

  public init(imageID: Int, categoryID: Int, score: Double, box: BoundingBox? = nil, mask: RunLengthMask? = nil) {
    self.imageID = imageID
    self.categoryID = categoryID
    self.score = score
    self.box = box
    self.mask = mask
  }
}

/// COCO's result files: lists of `{image_id, category_id, bbox, score, segmentation}`.
///
/// - Source: cocodataset.org/#format-results.
public enum COCOResults {
  /// - Throws: `.missingInput` if there is no such file; `.badData` with line, column and the way to the value if it is something else,
  ///   or a result has neither box, mask nor key points.
  public static func read(_ path: String) throws -> [COCOResult] {
    try JSONScanner.read(path) { json in try json.list { try COCOResult(&$0) } }
  }

  /// Writes masks as compressed run lengths, numbers so that they are read back to the same bits.
  /// - Throws: `.diverged` if a number is not finite; the failures of `AtomicFile.write`.
  public static func write(_ results: [COCOResult], to path: String) throws {
    var text = "["
    for (index, result) in results.enumerated() {
      guard result.score.isFinite, result.box?.isFinite ?? true, result.keypoints.allSatisfy(\.isFinite) else {
        throw Failure(.diverged, at: path, "the detection \(index) of image \(result.imageID) has a number that is not finite")
      }
      text += index == 0 ? "\n" : ",\n"
      text += result.json
    }
    try AtomicFile.write(text + "\n]\n", to: path)
  }

  /// Requires that all results are of images of these annotations.
  /// - Throws: `.badData` with some ids that are not.
  public static func check(_ results: [COCOResult], at path: String, against annotations: COCOInstances) throws {
    let known = Set(annotations.images.map(\.id))
    let strange = Set(results.map(\.imageID)).subtracting(known).sorted()
    guard strange.isEmpty else {
      let ids = someOf(strange.map { "\($0)" })
      throw Failure(.badData, at: path, "\(strange.count) images of these results are not in \(annotations.path): \(ids)",
                    remedy: "Take the annotations that the results were made for.")
    }
  }
}

extension COCOResult {
  init(_ json: inout JSONScanner) throws {
    let start = json.placeOfNext
    var imageID: Int?
    var categoryID: Int?
    var score: Double?
    var box: BoundingBox?
    var mask: RunLengthMask?
    var keypoints: [Double] = []
    try json.object { json, key in
      switch key {
      case "image_id": imageID = try json.integer()
      case "category_id": categoryID = try json.integer()
      case "score": score = try json.number()
      case "bbox": box = try json.optional { try $0.box() }
      case "segmentation": mask = try json.optional { try RunLengthMask.read(&$0) }
      case "keypoints": keypoints = try json.numbers()
      default: try json.skip()
      }
    }
    self.init(imageID: try json.needed(imageID, "image_id", of: start), categoryID: try json.needed(categoryID, "category_id", of: start),
              score: try json.needed(score, "score", of: start), box: box, mask: mask)
    self.keypoints = keypoints
    guard box != nil || mask != nil || !keypoints.isEmpty else { throw json.problem("neither 'bbox' nor 'segmentation'", at: start) }
  }

  /// One object of JSON.
  fileprivate var json: String {
    var text = "{\"image_id\":\(imageID),\"category_id\":\(categoryID)"
    if let box { text += ",\"bbox\":\(box.json)" }
    text += ",\"score\":\(score)"
    if let mask { text += ",\"segmentation\":\(mask.json)" }
    if !keypoints.isEmpty { text += ",\"keypoints\":[\(keypoints.map { "\($0)" }.joined(separator: ","))]" }
    return text + "}"
  }
}
