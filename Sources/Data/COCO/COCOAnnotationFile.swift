import Base
import Foundation
import Vision

/// The content of a COCO annotation file to be written: instances, or panoptic segments.
///
/// ```swift
/// let image = COCOAnnotationFile.Picture(id: 1, fileName: "000001.jpg", height: 128, width: 160)
/// let object = COCOAnnotationFile.Instance(id: 1, imageID: 1, categoryID: 3, mask: mask)
/// let file = COCOAnnotationFile(images: [image], categories: [.init(id: 3, name: "square")], annotations: .instances([object]))
/// try file.write(to: "annotations/instances_train.json")
/// ```
/// - Source: COCO data format, cocodataset.org/#format-data.
public struct COCOAnnotationFile: Sendable {
  public struct Picture: Sendable, Encodable {
    public var id: Int
    /// Below the folder of the images.
    public var fileName: String
    public var height: Int
    public var width: Int

    private enum CodingKeys: String, CodingKey { case id, height, width, fileName = "file_name" }

    public init(id: Int, fileName: String, height: Int, width: Int) {
      self.id = id
      self.fileName = fileName
      self.height = height
      self.width = width
    }
  }

  public struct Category: Sendable, Encodable {
    public var id: Int
    public var name: String
    public var supercategory: String
    /// Written in panoptic files only.
    public var isThing: Bool

    private enum CodingKeys: String, CodingKey { case id, name, supercategory }

    public init(id: Int, name: String, supercategory: String = "", isThing: Bool = true) {
      self.id = id
      self.name = name
      self.supercategory = supercategory
      self.isThing = isThing
    }
  }

  /// One object; its box and its area are those of its mask.
  public struct Instance: Sendable {
    public enum Segmentation: Sendable {
      case polygons([[Double]])
      /// Run lengths, compressed.
      case runLengths
    }

    public var id: Int
    public var imageID: Int
    public var categoryID: Int
    public var mask: RunLengthMask
    public var segmentation: Segmentation
    public var isCrowd: Bool

    public init(id: Int, imageID: Int, categoryID: Int, mask: RunLengthMask, segmentation: Segmentation = .runLengths, isCrowd: Bool = false) {
      self.id = id
      self.imageID = imageID
      self.categoryID = categoryID
      self.mask = mask
      self.segmentation = segmentation
      self.isCrowd = isCrowd
    }
  }

  /// The segments of one image; the map is a PNG of its own.
  public struct Panoptic: Sendable {
    public var imageID: Int
    /// Below the folder of the maps.
    public var fileName: String
    public var segments: [PanopticSegment]

    public init(imageID: Int, fileName: String, segments: [PanopticSegment]) {
      self.imageID = imageID
      self.fileName = fileName
      self.segments = segments
    }
  }

  /// The annotations of one of the two kinds of files.
  public enum Annotations: Sendable {
    case instances([Instance])
    case panoptic([Panoptic])
  }

  public var images: [Picture]
  public var categories: [Category]
  public var annotations: Annotations

  public init(images: [Picture], categories: [Category], annotations: Annotations) {
    self.images = images
    self.categories = categories
    self.annotations = annotations
  }

  /// The file as JSON; equal contents give equal bytes.
  public func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }

  /// - Throws: the failures of `AtomicFile.write`.
  public func write(to path: String) throws { try AtomicFile.write(json(), to: path) }
}
