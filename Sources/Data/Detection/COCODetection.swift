import Base
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
  }

  public let instances: COCOInstances
  private let folder: String
  private let classes: ClassMap
  private let readsMasks: Bool
  private let annotations: [Int: [COCOAnnotation]]
  /// The ids of the file's categories.
  public let categoryIDs: [Int]
  private let listedCategories: Set<Int>

  /// - Parameters:
  ///   - folder: that of the images.
  ///   - readsMasks: whether samples have masks.
  /// - Throws: `.missingInput`, `.badData` if the file is gone or broken, has no image, or no object of a class of the network.
  public init(_ path: String, images folder: String, classes: ClassMap, readsMasks: Bool) throws {
    instances = try COCOInstances(contentsOf: path, segmentations: readsMasks ? .kept : .skipped)
    guard !instances.images.isEmpty else { throw Failure(.badData, at: path, "there is no image in this file") }
    guard try File.kind(at: folder) == .folder else {
      throw Failure(.missingInput, at: folder, "there is no such folder of images", remedy: "Name the folder of the images of \(path).")
    }
    annotations = instances.annotationsByImage()
    let listed = Set(instances.categories.map(\.id))
    if let outside = instances.annotations.first(where: { listed.contains($0.categoryID) && classes.label(of: $0.categoryID) == nil }) {
      let known = classes.ids.isEmpty ? "the ids 0 to \(classes.count - 1)" : "the ids \(classes.ids.prefix(12))"
      throw Failure(
        .badData, at: "\(path): annotation \(outside.id)", "category \(outside.categoryID) is no class of the network, which has \(known)",
        remedy: "Set model.classes to 0 for the categories of the data, or to the largest id plus 1.")
    }
    categoryIDs = instances.categories.map(\.id)
    listedCategories = listed
    self.folder = folder
    self.classes = classes
    self.readsMasks = readsMasks
  }

  public var count: Int { instances.images.count }

  public func name(of index: Int) -> String { Path.stem(instances.images[index].fileName) }

  /// The categories of an annotation file, by id.
  public static func categories(of path: String) throws -> [COCOCategory] {
    let found = try COCOInstances(contentsOf: path, segmentations: .skipped).categories.sorted { $0.id < $1.id }
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
    let all = annotations[entry.id] ?? []
    let masks = readsMasks ? try all.map { try $0.mask(in: entry) } : []
    let objects = all.indices.compactMap { i -> DetectionSample.Object? in
      guard !all[i].isCrowd, all[i].box.isFinite, listedCategories.contains(all[i].categoryID) else { return nil }
      let box = all[i].box.clipped(toWidth: image.width, height: image.height)
      guard !box.isEmpty, let label = classes.label(of: all[i].categoryID) else { return nil }
      return .init(label: label, box: box, mask: readsMasks ? masks[i].flags.map { $0 ? 1 : 0 } : [])
    }
    return Example(image: entry.id, annotations: all, masks: masks, sample: DetectionSample(image: image, objects: objects))
  }
}
