import Base
import Vision

/// COCO's annotations of objects: images, categories, and for each object a box, a mask, or a group of many (a crowd).
///
/// ```swift
/// let train = try COCOInstances(contentsOf: "annotations/instances_train2017.json", segmentations: .skipped)
/// let report = COCOReport(of: train, images: "train2017")
/// let objects = train.objects()                   // by image: clipped boxes without crowds, for training
/// ```
/// - Source: cocodataset.org/#format-data, "Object Detection".
public struct COCOInstances: Sendable {
  /// Whether polygons and run lengths are kept. A detector of boxes does without: those of train2017 take some 400 MB.
  public enum Segmentations: Sendable { case kept, skipped }

  /// The file, for messages.
  public let path: String
  public let images: [COCOImage]
  public let categories: [COCOCategory]
  /// In the order of the file.
  public let annotations: [COCOAnnotation]

  public init(path: String, images: [COCOImage], categories: [COCOCategory], annotations: [COCOAnnotation]) {
    self.path = path
    self.images = images
    self.categories = categories
    self.annotations = annotations
  }

  /// Whether an image of this size is known under the id; of several the first.
  public func imagesByID() -> [Int: COCOImage] { Dictionary(images.map { ($0.id, $0) }) { first, _ in first } }

  /// The annotations of each image that has any, in the order of the file.
  public func annotationsByImage() -> [Int: [COCOAnnotation]] { Dictionary(grouping: annotations, by: \.imageID) }

  /// What a detector learns of each image: boxes clipped to it, without crowds, what lies outside, and unknown categories. Images without
  /// objects are in `images`, not here.
  public func objects() -> [Int: [COCOAnnotation]] {
    let images = imagesByID()
    let known = Set(categories.map(\.id))
    let objects = annotations.compactMap { annotation -> COCOAnnotation? in
      guard !annotation.isCrowd, known.contains(annotation.categoryID), let image = images[annotation.imageID],
            annotation.box.isFinite else { return nil }
      var object = annotation
      object.box = annotation.box.clipped(toWidth: image.width, height: image.height)
      return object.box.isEmpty ? nil : object
    }
    return Dictionary(grouping: objects, by: \.imageID)
  }
}

/// An entry of `images`.
public struct COCOImage: Sendable, Hashable {
  public var id: Int
  /// The path below the folder of images.
  public var fileName: String
  public var height: Int
  public var width: Int

  public init(id: Int, fileName: String, height: Int, width: Int) {
    self.id = id
    self.fileName = fileName
    self.height = height
    self.width = width
  }
}

/// An entry of `categories`.
public struct COCOCategory: Sendable, Hashable {
  public var id: Int
  public var name: String
  /// The group it belongs to, such as `animal`; empty if the file has none.
  public var supercategory: String
  /// In panoptic files: countable objects, not stuff. Where the file does not say: true.
  public var isThing: Bool
  /// Names of the keypoints; empty if the category has none.
  public var keypoints: [String] = []
  /// Limbs between the keypoints, whose indices start at 0 here and at 1 in the file (`skeleton`).
  public var limbs: [Skeleton.Pair] = []

  public init(id: Int, name: String, supercategory: String = "", isThing: Bool = true) {
    self.id = id
    self.name = name
    self.supercategory = supercategory
    self.isThing = isThing
  }
}

/// An entry of `annotations`: one object, or a crowd.
public struct COCOAnnotation: Sendable, Hashable {
  /// Keys that the file does not have; the reader fills in their values.
  public struct Missing: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Numbered after the highest id of the file.
    public static let id = Missing(rawValue: 1)
    /// The box around the segmentation, or an empty one.
    public static let box = Missing(rawValue: 2)
    /// Of the segmentation, or else of the box.
    public static let area = Missing(rawValue: 4)
    /// Taken as 0.
    public static let isCrowd = Missing(rawValue: 8)
  }

  public var id: Int
  public var imageID: Int
  public var categoryID: Int
  /// As in the file: it may reach beyond the image.
  public var box: BoundingBox
  /// Of the segment, in px².
  public var area: Double
  public var isCrowd: Bool
  /// Nil if the file has none, or they were skipped.
  public var segmentation: COCOSegmentation?
  /// `[x, y, visibility, ...]`; empty if the file has none. Visibility: 0 not annotated, 1 hidden, 2 visible.
  public var keypoints: [Double]
  /// Annotated key points; nil if the file does not say.
  public var keypointCount: Int?
  public var missing: Missing

  public init(id: Int, imageID: Int, categoryID: Int, box: BoundingBox, area: Double, isCrowd: Bool = false,
              segmentation: COCOSegmentation? = nil) {
    self.id = id
    self.imageID = imageID
    self.categoryID = categoryID
    self.box = box
    self.area = area
    self.isCrowd = isCrowd
    self.segmentation = segmentation
    keypoints = []
    keypointCount = nil
    missing = []
  }

  /// The object's pixels; those of its box if it has no segmentation.
  /// - Parameter image: the one that it is in.
  /// - Throws: `.badData` if a polygon is none, or a box.
  public func mask(in image: COCOImage) throws -> RunLengthMask {
    if let mask = try segmentation?.mask(height: image.height, width: image.width) { return mask }
    return try RunLengthMask(box: box, height: image.height, width: image.width)
  }
}

/// The outline of an object as a file has it.
public enum COCOSegmentation: Sendable, Hashable {
  /// `[x0, y0, x1, y1, ...]` each, in pixels.
  case polygons([[Double]])
  case runLengths(RunLengthMask)

  /// The pixels; nil if no polygon has three corners. Those that have fewer are passed over.
  /// - Throws: `.badData` if a coordinate is not finite or absurdly far away.
  public func mask(height: Int, width: Int) throws -> RunLengthMask? {
    switch self {
    case .runLengths(let mask): return mask
    case .polygons(let polygons):
      let whole = polygons.filter { Self.isWhole($0) }
      return whole.isEmpty ? nil : try RunLengthMask(polygons: whole, height: height, width: width)
    }
  }

  /// Whether a polygon has x and y of at least three corners.
  static func isWhole(_ polygon: [Double]) -> Bool { polygon.count >= 6 && polygon.count % 2 == 0 }
}
