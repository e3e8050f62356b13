import Base
import Vision

/// What is wrong with a file of COCO's panoptic annotations, its maps and its images: everything at once, counted, with a few examples.
///
/// Every file is read, which takes as long as an epoch of loading.
public struct PanopticReport: Sendable, CustomStringConvertible {
  /// What was found. The raw values are for programs.
  public enum Kind: String, FindingKind {
    case duplicateImages, unreadableImages, imageSizes, missingLists, unreadableMaps, mapSizes, unlistedSegments, sharedImages
    case unpaintedSegments, unknownCategories, emptyCategories
    case crowds
  }

  public let name: String
  public let imageCount: Int
  public let segmentCount: Int
  public let findings: Findings<Kind>
  /// Sizes of the images, segments of an image, and segments of the categories.
  public let distributions: [Distribution]

  /// Whether there is no error.
  public var isUsable: Bool { findings.isUsable }

  /// - Parameters:
  ///   - images: their folder.
  ///   - maps: the folder of the maps.
  ///   - name: of the set, for the heading.
  ///   - validation: the annotations of the other set and their folder, of which no image should be in this one.
  public init(
    of file: COCOPanoptic, images: String, maps: String, name: String, validation: (file: COCOPanoptic, images: String)? = nil
  ) {
    var inspection = PanopticInspection(file)
    for image in file.images { inspection.inspect(image, images, maps) }
    inspection.inspectCategories()
    if let validation { inspection.inspectSharing(images, with: validation.file, validation.images) }
    self.name = "\(name): \(file.path)"
    imageCount = file.images.count
    segmentCount = file.annotations.reduce(0) { $0 + $1.segments.count }
    findings = inspection.findings
    let counts = file.annotations.map(\.segments.count)
    let used = Dictionary(grouping: file.annotations.flatMap(\.segments), by: \.category).mapValues(\.count)
    distributions = [
      Distribution(sizes: file.images.map { ($0.height, $0.width) }),
      Distribution("segments of a picture", unit: "pictures", counting: counts, most: 30),
      Distribution("segments of the categories", unit: "segments", file.categories.map { .init($0.name, Double(used[$0.id] ?? 0)) }),
    ]
  }

  public var description: String {
    "\(name): \(imageCount) images, \(segmentCount) segments\n\(findings.description)\n" + distributions.map(\.text).joined(separator: "\n")
  }
}

extension PanopticReport.Kind {
  public var severity: FindingSeverity {
    switch self {
    case .duplicateImages, .unreadableImages, .imageSizes, .missingLists, .unreadableMaps, .mapSizes, .unlistedSegments,
         .sharedImages: .error
    case .unpaintedSegments, .unknownCategories, .emptyCategories: .warning
    case .crowds: .note
    }
  }

  public var message: String {
    switch self {
    case .duplicateImages: "images with the id of another"
    case .unreadableImages: "images that cannot be read"
    case .imageSizes: "images of another size than the file says"
    case .missingLists: "images without a list of segments"
    case .unreadableMaps: "maps that cannot be read"
    case .mapSizes: "maps of another size than their image"
    case .unlistedSegments: "maps with numbers that are not listed"
    case .sharedImages: "images that are in the validation set, too"
    case .unpaintedSegments: "listed segments that have no pixel in their map"
    case .unknownCategories: "segments of a category that is not listed"
    case .emptyCategories: "categories without segments"
    case .crowds: "crowd regions"
    }
  }

  public var consequence: String {
    switch self {
    case .duplicateImages: "give each an id of its own"
    case .unreadableImages, .missingLists, .unreadableMaps: "training stops there"
    case .imageSizes: "masks would not fit: mend width and height, or the file"
    case .mapSizes: "scale maps by the nearest pixel, or take those that belong to the images"
    case .unlistedSegments: "evaluation stops there: list them, or paint them 0"
    case .sharedImages: "scores would be too good: take them out of one"
    case .unpaintedSegments: "dropped"
    case .unknownCategories: "no class of the network"
    case .emptyCategories: "cannot be learned"
    case .crowds: "ignored in evaluation"
    }
  }
}

/// The search for what `PanopticReport` tells.
private struct PanopticInspection {
  private let file: COCOPanoptic
  private let lists: [Int: COCOPanoptic.Annotation]
  private(set) var findings = Findings<PanopticReport.Kind>()
  private var seen: Set<Int> = []

  init(_ file: COCOPanoptic) {
    self.file = file
    lists = Dictionary(file.annotations.map { ($0.imageID, $0) }) { first, _ in first }
  }

  mutating func inspect(_ image: COCOImage, _ images: String, _ maps: String) {
    if !seen.insert(image.id).inserted { findings.add(.duplicateImages, "\(image.id)") }
    do {
      let picture = try Image(contentsOf: Path.join(images, image.fileName))
      if (picture.height, picture.width) != (image.height, image.width) {
        findings.add(.imageSizes, "\(image.fileName): \(picture.width)x\(picture.height), the file says \(image.width)x\(image.height)")
      }
    } catch {
      findings.add(.unreadableImages, "\(error)")
    }
    guard let list = lists[image.id] else { return findings.add(.missingLists, "\(image.fileName) (id \(image.id))") }
    do {
      let map = try PanopticMap(contentsOf: Path.join(maps, list.fileName))
      if (map.height, map.width) != (image.height, image.width) {
        findings.add(.mapSizes, "\(list.fileName): \(map.width)x\(map.height), its image \(image.width)x\(image.height)")
      }
      let painted = Set(map.segments).subtracting([PanopticMap.void])
      let listed = Set(list.segments.map(\.id))
      for number in painted.subtracting(listed).sorted().prefix(1) { findings.add(.unlistedSegments, "\(list.fileName): \(number)") }
      for number in listed.subtracting(painted).sorted() { findings.add(.unpaintedSegments, "\(list.fileName): \(number)") }
    } catch {
      findings.add(.unreadableMaps, "\(error)")
    }
  }

  mutating func inspectCategories() {
    let known = Set(file.categories.map(\.id))
    var used: Set<Int> = []
    for annotation in file.annotations {
      for segment in annotation.segments {
        used.insert(segment.category)
        if !known.contains(segment.category) { findings.add(.unknownCategories, "\(annotation.fileName): \(segment.category)") }
        if segment.isCrowd { findings.add(.crowds, "\(annotation.fileName): \(segment.id)") }
      }
    }
    for category in file.categories where !used.contains(category.id) {
      findings.add(.emptyCategories, "\(category.name) (id \(category.id))")
    }
  }

  /// Images are shared if files of one name have the same bytes.
  mutating func inspectSharing(_ folder: String, with other: COCOPanoptic, _ otherFolder: String) {
    let others = Set(other.images.map(\.fileName))
    for image in file.images where others.contains(image.fileName) {
      guard let mine = try? File.bytes(at: Path.join(folder, image.fileName)),
            let theirs = try? File.bytes(at: Path.join(otherFolder, image.fileName)), mine == theirs else { continue }
      findings.add(.sharedImages, image.fileName)
    }
  }
}
