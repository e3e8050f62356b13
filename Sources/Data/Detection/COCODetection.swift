import Base
import Foundation
import Vision

/// The images of a COCO file with their objects, as a detector learns and is judged by.
public struct COCODetection: Dataset {
  /// One image.
  public struct Example: Sendable {
    /// Its id in the file.
    public let image: Int
    /// All annotations of the image, crowds included, whatever their category: what is judged by.
    public let annotations: [COCOAnnotation]
    /// Masks of the annotations, if they are read.
    public let masks: [RunLengthMask]
    /// What is learned from: boxes cut at the image's edges, without crowds.
    public let sample: DetectionSample
    /// Of a panoptic set.
    public let panoptic: PanopticTruth?
  }

  /// The map of an image and the list of its segments.
  public struct PanopticTruth: Sendable {
    public let map: PanopticMap
    public let segments: [PanopticSegment]
  }

  public let instances: COCOInstances
  private let folder: String
  private let classes: CategoryMap
  private let readsMasks: Bool
  private let annotations: [Int: [COCOAnnotation]]
  /// The ids of the file's categories.
  public let categoryIDs: [Int]
  private let listedCategories: Set<Int>
  /// The segments of each image and the folder of the maps, of a panoptic set.
  private let panoptic: (segments: [Int: COCOPanoptic.Annotation], maps: String)?

  /// - Parameters:
  ///   - folder: that of the images.
  ///   - maps: the folder of the maps, if the annotations are panoptic; nil: they are instances.
  ///   - readsMasks: whether samples have masks.
  /// - Throws: `.missingInput`, `.badData` if the file is gone or broken, has no image, or an object that is of no class of the network.
  public init(_ path: String, images folder: String, maps: String? = nil, classes: CategoryMap, readsMasks: Bool) throws {
    if let maps {
      let file = try COCOPanoptic(contentsOf: path)
      instances = COCOInstances(path: path, images: file.images, categories: file.categories, annotations: [])
      panoptic = (Dictionary(file.annotations.map { ($0.imageID, $0) }) { first, _ in first }, maps)
    } else {
      instances = try COCOInstances(contentsOf: path, segmentations: readsMasks ? .kept : .skipped)
      panoptic = nil
    }
    guard !instances.images.isEmpty else { throw Failure(.badData, at: path, "there is no image in this file") }
    guard try File.kind(at: folder) == .folder else {
      throw Failure(.missingInput, at: folder, "there is no such folder of images", remedy: "Name the folder of the images of \(path).")
    }
    annotations = instances.annotationsByImage()
    let listed = Set(instances.categories.map(\.id))
    let used = instances.annotations.lazy.map { ($0.id, $0.categoryID) }
      .first { listed.contains($1) && classes.classIndex(of: $1) == nil }
      ?? panoptic?.segments.values.lazy.flatMap(\.segments).map { (Int($0.id), $0.category) }.first { classes.classIndex(of: $1) == nil }
    if let (id, category) = used {
      throw Failure(
        .badData, at: "\(path): annotation \(id)",
        "category \(category) is no class of the network, which has the ids \(classes.listedIDs)",
        remedy: "Set model.classes to 0 for the categories of the data, or to the largest id plus 1.")
    }
    categoryIDs = instances.categories.map(\.id)
    listedCategories = listed
    self.folder = folder
    self.classes = classes
    self.readsMasks = readsMasks
  }

  public var count: Int { instances.images.count }

  public var isPanoptic: Bool { panoptic != nil }

  /// Whether a class is of countable things.
  public var isThing: (Int) -> Bool {
    let things = Set(instances.categories.filter(\.isThing).map(\.id))
    return { [classes] label in classes.id(of: label).map(things.contains) ?? false }
  }

  /// Classes of width to height by the sizes in the file, each a third of an octave wide; those beyond an octave join the last ones.
  /// - Source: the bins of torchvision's reference training.
  public var shapeGroups: [Int] {
    instances.images.map { image in
      let octaves = log2(Double(max(1, image.width)) / Double(max(1, image.height)))
      return Int((3 * min(max(octaves, -1), 1)).rounded(.down))
    }
  }

  public func name(of index: Int) -> String { Path.stem(instances.images[index].fileName) }

  /// The categories of an annotation file, by id.
  public static func categories(of path: String, isPanoptic: Bool = false) throws -> [COCOCategory] {
    let listed = isPanoptic ? try COCOPanoptic(contentsOf: path).categories
      : try COCOInstances(contentsOf: path, segmentations: .skipped).categories
    let found = listed.sorted { $0.id < $1.id }
    guard !found.isEmpty else { throw Failure(.badData, at: path, "there are no categories in this file") }
    return found
  }

  public func sample(at index: Int) throws -> Example {
    let entry = instances.images[index]
    let path = Path.join(folder, entry.fileName)
    let image = try Image(contentsOf: path).rgb()
    guard image.height == entry.height, image.width == entry.width else {
      throw Failure(.badData, at: path,
                    "the image is \(image.width)x\(image.height), but \(instances.path) says \(entry.width)x\(entry.height)",
                    remedy: "Correct the file, or turn the image as its EXIF orientation says.")
    }
    if let panoptic { return try panopticExample(entry, image, panoptic.segments[entry.id], panoptic.maps) }
    let all = annotations[entry.id] ?? []
    let masks = readsMasks ? try all.map { try $0.mask(in: entry) } : []
    let objects = all.indices.compactMap { i -> DetectionSample.Object? in
      guard !all[i].isCrowd, all[i].box.isFinite, listedCategories.contains(all[i].categoryID) else { return nil }
      let box = all[i].box.clipped(toWidth: image.width, height: image.height)
      guard !box.isEmpty, let label = classes.classIndex(of: all[i].categoryID) else { return nil }
      return .init(label: label, box: box, mask: readsMasks ? masks[i].flags.map { $0 ? 1 : 0 } : [])
    }
    let sample = DetectionSample(image: image, objects: objects)
    return Example(image: entry.id, annotations: all, masks: masks, sample: sample, panoptic: nil)
  }

  /// Every segment, of things and of stuff, crowds too, is an object; its box spans the centres of its outermost pixels.
  private func panopticExample(
    _ entry: COCOImage, _ image: Image, _ annotation: COCOPanoptic.Annotation?, _ maps: String
  ) throws -> Example {
    guard let annotation else { throw Failure(.badData, at: instances.path, "the image \(entry.id) has no list of segments") }
    let path = Path.join(maps, annotation.fileName)
    let map = try PanopticMap(contentsOf: path)
    guard map.height == image.height, map.width == image.width else {
      throw Failure(.badData, at: path, "the map is \(map.width)x\(map.height), its image \(image.width)x\(image.height)")
    }
    let masks = annotation.segments.map { map.mask(of: $0.id) }
    let annotations = zip(annotation.segments, masks).map { segment, mask in
      COCOAnnotation(id: Int(segment.id), imageID: entry.id, categoryID: segment.category, box: mask.boundingBox, area: Double(mask.area),
                     isCrowd: segment.isCrowd)
    }
    let objects = zip(annotations, masks).compactMap { annotation, mask -> DetectionSample.Object? in
      let box = annotation.box
      guard let label = classes.classIndex(of: annotation.categoryID), box.width > 1, box.height > 1 else { return nil }
      return .init(label: label, box: BoundingBox(x0: box.x, y0: box.y, x1: box.x1 - 1, y1: box.y1 - 1),
                   mask: readsMasks ? mask.flags.map { $0 ? 1 : 0 } : [])
    }
    return Example(
      image: entry.id, annotations: annotations, masks: masks, sample: DetectionSample(image: image, objects: objects),
      panoptic: PanopticTruth(map: map, segments: annotation.segments))
  }
}
