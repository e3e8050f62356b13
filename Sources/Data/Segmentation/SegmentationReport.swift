import Base
import Vision

/// What is wrong with a set of pictures and label files: everything at once, counted, with a few examples each.
///
/// Every file is read, which takes as long as an epoch of loading.
public struct SegmentationReport: Sendable, CustomStringConvertible {
  /// What was found. The raw values are for programs.
  public enum Kind: String, FindingKind {
    case unreadableImages, unreadableLabels, colorLabels, labelSizes, unknownValues, masks
    case sharedImages, absentClasses, emptyLabels, ignoredValues
  }

  public let name: String
  public let imageCount: Int
  public let findings: Findings<Kind>
  /// Pixels and pictures of each class.
  public let classes: [(name: String, pixels: Int, images: Int)]
  /// Pixels that are ignored.
  public let ignoredPixels: Int

  /// Whether there is no error.
  public var isUsable: Bool { findings.isUsable }

  /// - Parameters:
  ///   - name: of the set, for the heading.
  ///   - validation: the other set, of which no picture should be in this one.
  public init(of set: SegmentationSet, name: String, validation: SegmentationSet? = nil) {
    var inspection = SegmentationInspection(set)
    inspection.inspectFiles()
    inspection.inspectClasses()
    if let validation { inspection.inspectSharing(with: validation) }
    self.name = name
    imageCount = set.count
    findings = inspection.findings
    classes = (0..<set.table.classes).map { label in
      (name: set.table.rules.name(of: label), pixels: inspection.pixels[label], images: inspection.images[label])
    }
    ignoredPixels = inspection.ignoredPixels
  }

  public var description: String {
    let text = "\(name): \(imageCount) pictures with labels\n\(findings.description)"
    let total = max(1, classes.reduce(ignoredPixels) { $0 + $1.pixels })
    func share(_ pixels: Int) -> String {
      let tenths = (1000 * pixels + total / 2) / total
      return "\(tenths / 10).\(tenths % 10) %"
    }
    var table = TextTable(["class", "name", "pixels", "pictures"], rightAligned: [0, 2, 3])
    for (label, entry) in classes.enumerated() { table.add(["\(label)", entry.name, share(entry.pixels), "\(entry.images)"]) }
    table.add(["", "ignored", share(ignoredPixels), ""])
    return text + table.text
  }
}

extension LabelRules {
  /// The name of a class; without names its number.
  public func name(of label: Int) -> String { classes.indices.contains(label) ? classes[label] : "class \(label)" }
}

extension SegmentationReport.Kind {
  public var severity: FindingSeverity {
    switch self {
    case .unreadableImages, .unreadableLabels, .colorLabels, .labelSizes, .unknownValues, .masks, .sharedImages: .error
    case .absentClasses, .emptyLabels: .warning
    case .ignoredValues: .note
    }
  }

  public var message: String {
    switch self {
    case .unreadableImages: "pictures that cannot be read"
    case .unreadableLabels: "label files that cannot be read"
    case .colorLabels: "label files with colours instead of one number a pixel"
    case .labelSizes: "label files of another size than their picture"
    case .unknownValues: "label files with values that are no class"
    case .masks: "label files are masks: only 0 and 255 occur"
    case .sharedImages: "pictures that are in the validation set, too"
    case .absentClasses: "classes that never occur"
    case .emptyLabels: "label files in which everything is ignored"
    case .ignoredValues: "values of the files that are ignored"
    }
  }

  public var consequence: String {
    switch self {
    case .unreadableImages, .unreadableLabels: "training stops there"
    case .colorLabels: "write palette or grey PNGs of class numbers"
    case .labelSizes: "scale labels by the nearest pixel"
    case .unknownValues: "labels.classes, labels.map, labels.ignore or labels.others"
    case .masks: "labels.preset: binary_mask makes 255 the class 1"
    case .sharedImages: "scores would be too good: take them out of one"
    case .absentClasses: "cannot be learned; not in the mean of IoU"
    case .emptyLabels: "teach nothing"
    case .ignoredValues: "count for nothing"
    }
  }
}

/// The search for what `SegmentationReport` tells.
struct SegmentationInspection {
  private let set: SegmentationSet
  private(set) var findings = Findings<SegmentationReport.Kind>()
  /// Pixels and pictures of each class.
  private(set) var pixels: [Int]
  private(set) var images: [Int]
  private(set) var ignoredPixels = 0
  /// Pixels of each number of the files that is ignored.
  private var ignored: [Int: Int] = [:]
  /// All numbers that occur in files of one number a pixel.
  private var values: Set<Int> = []

  init(_ set: SegmentationSet) {
    self.set = set
    pixels = Array(repeating: 0, count: set.table.classes)
    images = pixels
  }

  mutating func inspectFiles() {
    for pair in set.files.pairs {
      var size: (height: Int, width: Int)?
      do {
        let image = try Image(contentsOf: pair.image)
        size = (image.height, image.width)
      } catch {
        findings.add(.unreadableImages, "\(error)")
      }
      do {
        try inspect(LabelMap(contentsOf: pair.label), of: pair, size)
      } catch let failure as Failure {
        let isColor = failure.problem.hasSuffix(LabelMap.oneNumber)
        findings.add(isColor ? .colorLabels : .unreadableLabels, "\(failure.place): \(failure.problem)")
      } catch {
        findings.add(.unreadableLabels, "\(pair.label): \(error)")
      }
    }
  }

  private mutating func inspect(_ labels: LabelMap, of pair: SegmentationFiles.Pair, _ size: (height: Int, width: Int)?) throws {
    if let size, size != (labels.height, labels.width) {
      findings.add(.labelSizes, "\(pair.label) \(labels.width)x\(labels.height), picture \(size.width)x\(size.height)")
    }
    let counts = labels.counts()
    values.formUnion(counts.map(\.value))
    let unknown = counts.filter { !set.table.knows($0.value) }
    if !unknown.isEmpty {
      findings.add(.unknownValues, "\(pair.label): " + someOf(unknown.map { "\($0.value) (\($0.count) px)" }))
    }
    var seen: Set<Int> = []
    for (value, count) in counts where set.table.knows(value) {
      if let label = set.table.classIndex(of: value) {
        pixels[label] += count
        seen.insert(label)
      } else {
        ignoredPixels += count
        ignored[value, default: 0] += count
      }
    }
    for label in seen { images[label] += 1 }
    if seen.isEmpty, unknown.isEmpty { findings.add(.emptyLabels, pair.label) }
  }

  mutating func inspectClasses() {
    if LabelTable.isMask(values), set.table.classIndex(of: 255) == nil, set.table.classes > 1 {
      for pair in set.files.pairs { findings.add(.masks, pair.label) }
    }
    for label in pixels.indices where pixels[label] == 0 { findings.add(.absentClasses, "\(set.table.rules.name(of: label)) (\(label))") }
    for (value, count) in ignored.sorted(by: { $0.key < $1.key }) { findings.add(.ignoredValues, "\(value) (\(count) px)") }
  }

  mutating func inspectSharing(with other: SegmentationSet) {
    for path in SharedPictures.paths(set.files.pairs.map(\.image), with: other.files.pairs.map(\.image)) {
      findings.add(.sharedImages, path)
    }
  }
}
