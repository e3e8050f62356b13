import Base
import Vision

/// The bodies of an annotation file, each with the part of its picture that a network looks at.
public struct PoseSet: Dataset {
  /// One body.
  public struct Body: Sendable, Equatable {
    /// Of the picture, in the file; of MPII, which has none, the place of the picture in the order of the file.
    public let imageID: Int
    /// Of the picture, below the folder of images.
    public let fileName: String
    public let crop: BodyCrop
    /// In pixels of the picture; of a detected box none are labelled.
    public let keypoints: [Keypoint]
    public let category: Int
    /// Of the box: 1 for an annotated one.
    public var score = 1.0
    /// Of MPII, where it is known.
    public var headBox: BoundingBox?
  }

  /// A body and its picture, RGB.
  public struct Example: Sendable {
    public let body: Body
    public let image: Image
  }

  /// Where the boxes are from.
  public enum Boxes: Sendable, Equatable {
    case annotations
    /// A file in the format of results, and the least score that counts.
    case file(String, threshold: Double)
  }

  /// In the order of the pictures.
  public let bodies: [Body]
  /// The annotations that results are judged by; nil for MPII.
  public let instances: COCOInstances?
  public let skeleton: Skeleton
  /// What the user should know: where boxes are from, and what was left out.
  public let notes: [String]
  private let folder: String
  /// The sizes that the annotations state.
  private let sizes: [Int: COCOImage]

  init(_ bodies: [Body], _ instances: COCOInstances?, _ skeleton: Skeleton, images folder: String, notes: [String]) throws {
    guard try File.kind(at: folder) == .folder else {
      throw Failure(.missingInput, at: folder, "there is no such folder of images", remedy: "Name the folder of the pictures.")
    }
    self.bodies = bodies
    self.instances = instances
    self.skeleton = skeleton
    self.folder = folder
    self.notes = notes
    sizes = instances?.imagesByID() ?? [:]
  }

  public var count: Int { bodies.count }

  /// The picture's name and, where it has several bodies, the body's place.
  public func name(of index: Int) -> String {
    let body = bodies[index]
    let first = bodies[..<index].lastIndex { $0.imageID != body.imageID }.map { $0 + 1 } ?? 0
    let hasFollower = index + 1 < count && bodies[index + 1].imageID == body.imageID
    return Path.stem(body.fileName) + (first < index || hasFollower ? "_\(index - first)" : "")
  }

  public func sample(at index: Int) throws -> Example { Example(body: bodies[index], image: try image(bodies[index])) }

  /// The picture of a body, RGB.
  /// - Throws: `.missingInput`, `.badData` if it is gone, broken, or of another size than the annotations say.
  public func image(_ body: Body) throws -> Image {
    let path = Path.join(folder, body.fileName)
    let image = try Image(contentsOf: path).rgb()
    if let entry = sizes[body.imageID], entry.height != image.height || entry.width != image.width {
      throw Failure(.badData, at: path,
                    "the image is \(image.width)x\(image.height), but \(instances?.path ?? "") says \(entry.width)x\(entry.height)",
                    remedy: "Correct the file, or turn the image as its EXIF orientation says.")
    }
    return image
  }

  /// The places of the bodies of at most so many pictures, spread evenly over the set; 0: of all.
  public func indices(imageLimit limit: Int) -> [Int] {
    let images = bodies.map(\.imageID).reduce(into: [Int]()) { if $0.last != $1 { $0.append($1) } }
    guard limit > 0, limit < images.count else { return Array(bodies.indices) }
    let chosen = Set((0..<limit).map { images[$0 * images.count / limit] })
    return bodies.indices.filter { chosen.contains(bodies[$0].imageID) }
  }
}
