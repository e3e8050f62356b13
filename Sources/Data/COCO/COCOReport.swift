import Base
import Vision

/// What is wrong with a file of COCO annotations: everything at once, counted, with the ids of a few entries each.
///
/// ```swift
/// let report = COCOReport(of: train, images: "train2017", validation: val, validationImages: "val2017")
/// print(report)
/// if !report.isUsable { ... }
/// ```
public struct COCOReport: Sendable, Equatable, CustomStringConvertible {
  /// How much a finding matters.
  public enum Severity: String, Sendable, Equatable {
    /// Training on it would learn something else than is meant.
    case error
    /// The reader mends it, and it should be known.
    case warning
    /// A fact.
    case note
  }

  /// What was found. The raw values are for programs.
  public enum Kind: String, Sendable, CaseIterable {
    case emptyBoxes, outsideBoxes, lostBoxes, normalizedBoxes, cornerBoxes, brokenPolygons, misfitMasks
    case unknownCategories, unknownImages
    case duplicateAnnotations, duplicateImages, duplicateCategories
    case missingFiles, imageSizes
    case misfitKeypoints, outsideKeypoints, keypointCounts, unknownVisibilities
    case missingIDs, missingBoxes, missingAreas, missingCrowdFlags, annotationZero
    case emptyCategories, emptyImages, crowds, sharedImages
  }

  /// One kind of thing, and how often.
  public struct Finding: Sendable, Equatable {
    public let kind: Kind
    public let count: Int
    /// Ids (of annotations, unless the message says otherwise) or names of the first few.
    public let examples: [String]

    public var severity: Severity { kind.severity }
    public var message: String { kind.message }
    /// What the reader makes of it, or what to do.
    public var consequence: String { kind.consequence }
  }

  /// Examples of each finding, at most.
  public static let exampleLimit = 5

  public let path: String
  public let imageCount: Int
  public let annotationCount: Int
  public let categoryCount: Int
  /// In the order of `Kind`, without those that do not occur.
  public let findings: [Finding]

  public func finding(_ kind: Kind) -> Finding? { findings.first { $0.kind == kind } }
  /// Whether there is no error.
  public var isUsable: Bool { !findings.contains { $0.severity == .error } }

  public var description: String {
    let counts = "\(path): \(imageCount) images, \(annotationCount) annotations, \(categoryCount) categories\n"
    guard !findings.isEmpty else { return counts + "nothing to report\n" }
    var table = TextTable(["", "count", "finding", "what happens", "such as"], rightAligned: [1])
    for finding in findings {
      let examples = finding.examples.joined(separator: ", ") + (finding.count > finding.examples.count ? ", ..." : "")
      table.add([finding.severity.rawValue, "\(finding.count)", finding.message, finding.consequence, examples])
    }
    return counts + table.text
  }

  /// - Parameters:
  ///   - instances: the annotations; polygons and masks are looked at if they were kept.
  ///   - images: their folder; nil: files are not looked for.
  ///   - decodesImages: whether each file is read and its size compared, which takes as long as an epoch of loading.
  ///   - validation: the annotations of the other set, of which no image should be in this one.
  ///   - validationImages: their folder.
  public init(
    of instances: COCOInstances, images: String? = nil, decodesImages: Bool = false, validation: COCOInstances? = nil,
    validationImages: String? = nil
  ) {
    var inspection = COCOInspection(instances)
    inspection.inspectIdentifiers()
    inspection.inspectBoxes()
    inspection.inspectSegmentations()
    inspection.inspectKeypoints()
    inspection.inspectOccurrence()
    if let images { inspection.inspectFiles(in: images, decodes: decodesImages) }
    if let validation { inspection.inspectSharing(with: validation, images, validationImages) }
    path = instances.path
    imageCount = instances.images.count
    annotationCount = instances.annotations.count
    categoryCount = instances.categories.count
    findings = Kind.allCases.compactMap { inspection.findings[$0] }
  }
}

extension COCOReport.Kind {
  var severity: COCOReport.Severity {
    switch self {
    case .normalizedBoxes, .cornerBoxes, .duplicateImages, .duplicateCategories, .missingFiles, .imageSizes, .sharedImages,
         .misfitKeypoints: .error
    case .emptyBoxes, .outsideBoxes, .lostBoxes, .brokenPolygons, .misfitMasks, .unknownCategories, .unknownImages, .duplicateAnnotations,
         .missingIDs, .missingBoxes, .missingAreas, .missingCrowdFlags, .emptyCategories, .outsideKeypoints, .keypointCounts,
         .unknownVisibilities: .warning
    case .annotationZero, .emptyImages, .crowds: .note
    }
  }

  var message: String {
    switch self {
    case .emptyBoxes: "boxes without area, or with numbers that are not finite"
    case .outsideBoxes: "boxes that reach beyond their image"
    case .lostBoxes: "boxes that lie beyond their image"
    case .normalizedBoxes: "boxes that look like fractions of the image: no coordinate is above 1.5"
    case .cornerBoxes: "boxes that look like two corners: x + width or y + height is beyond the image"
    case .brokenPolygons: "segmentations with a polygon that has not three corners, or is not finite"
    case .misfitMasks: "masks of another size than their image"
    case .misfitKeypoints: "annotations with another number of keypoints than their category lists"
    case .outsideKeypoints: "annotations with a labelled keypoint outside the picture"
    case .keypointCounts: "annotations whose num_keypoints is not the number of labelled keypoints"
    case .unknownVisibilities: "annotations with a visibility that is none of 0, 1, 2, or a place that is not finite"
    case .unknownCategories: "annotations of a category that is not listed"
    case .unknownImages: "annotations of an image that is not listed"
    case .duplicateAnnotations: "annotations with the id of another"
    case .duplicateImages: "images with the id of another"
    case .duplicateCategories: "categories with the id of another"
    case .missingFiles: "images whose file is not there"
    case .imageSizes: "images whose file cannot be read, or is of another size"
    case .missingIDs: "annotations without 'id'"
    case .missingBoxes: "annotations without 'bbox'"
    case .missingAreas: "annotations without 'area'"
    case .missingCrowdFlags: "annotations without 'iscrowd'"
    case .annotationZero: "annotation with the id 0"
    case .emptyCategories: "categories without objects"
    case .emptyImages: "images without objects"
    case .crowds: "crowd regions"
    case .sharedImages: "images that are in the validation set, too"
    }
  }

  var consequence: String {
    switch self {
    case .emptyBoxes, .lostBoxes: "dropped"
    case .outsideBoxes: "clipped to the image"
    case .normalizedBoxes: "multiply them by width and height: COCO's are pixels"
    case .cornerBoxes: "write x, y, width and height"
    case .brokenPolygons: "the polygon is passed over"
    case .misfitKeypoints: "write x, y and visibility of every keypoint; 0, 0, 0 for one that is not labelled"
    case .outsideKeypoints: "taken as not labelled in training; judged by as they are"
    case .keypointCounts: "the keypoints count, not num_keypoints"
    case .unknownVisibilities: "taken as not labelled"
    case .misfitMasks: "matches nothing; encode it in the size of the image"
    case .unknownCategories, .unknownImages: "dropped"
    case .duplicateAnnotations: "all are kept"
    case .duplicateImages, .duplicateCategories: "give each an id of its own"
    case .missingFiles: "check the folder of images"
    case .imageSizes: "boxes would not fit: mend width and height, or the file"
    case .missingIDs: "numbered anew"
    case .missingBoxes: "taken from the segmentation"
    case .missingAreas: "taken from the segmentation, or else the box"
    case .missingCrowdFlags: "taken as 0: single objects"
    case .annotationZero: "its match counts here; pycocotools loses it"
    case .emptyCategories: "cannot be learned; not in the mean of AP"
    case .emptyImages: "kept"
    case .crowds: "no targets; ignored in evaluation"
    case .sharedImages: "scores would be too good: take them out of one"
    }
  }
}
