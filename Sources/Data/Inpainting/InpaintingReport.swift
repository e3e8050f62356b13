import Base
import Vision

/// What is wrong with a set of pictures and masks: everything at once, counted, with a few examples each.
///
/// Every file is read, which takes as long as an epoch of loading.
public struct InpaintingReport: Sendable, CustomStringConvertible {
  /// What was found. The raw values are for programs.
  public enum Kind: String, FindingKind {
    case unreadableImages, otherSizes, unreadableMasks, maskSizes, sharedImages
    case fullMasks, emptyMasks, greyMasks, unusedMasks
    case smallImages, convertedImages
  }

  public let name: String
  public let imageCount: Int
  public let findings: Findings<Kind>
  /// Where the masks come from and what their colours mean, for the heading.
  public let masks: String
  /// The share of the hole of each mask, 0...1: of its file, or of a first sample that was drawn.
  public let holeShares: [Double]

  /// Whether there is no error.
  public var isUsable: Bool { findings.isUsable }

  /// - Parameters:
  ///   - name: of the set, for the heading.
  ///   - validation: the other set, of which no picture should be in this one.
  public init(of set: InpaintingSet, name: String, validation: InpaintingSet? = nil) {
    var inspection = InpaintingInspection(set)
    inspection.inspectPictures()
    inspection.inspectMasks()
    if let validation { inspection.inspectSharing(with: validation) }
    self.name = name
    imageCount = set.count
    findings = inspection.findings
    holeShares = inspection.holeShares
    masks = switch set.masks {
    case .freeForm(let settings): "free-form masks (\(settings.preset.configName))"
    case .files(let files, let polarity): "\(files.count) mask files by picture; \(polarity.words)"
    case .pool(let files, let polarity): "\(files.count) mask files, drawn anew for every sample; \(polarity.words)"
    }
  }

  public var description: String {
    var text = "\(name): \(imageCount) pictures, \(masks)\n\(findings.description)"
    guard !holeShares.isEmpty else { return text }
    var table = TextTable(["hole", "masks"], rightAligned: [1])
    let edges = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1]
    for (low, high) in zip(edges, edges.dropFirst()) {
      let count = holeShares.count { $0 > low && $0 <= high || low == 0 && $0 == 0 }
      table.add(["\(Int(100 * low)) to \(Int(100 * high)) %", "\(count)"])
    }
    let mean = holeShares.reduce(0, +) / Double(holeShares.count)
    text += table.text + "mean hole: \(String(percent: mean))\n"
    return text
  }
}

extension InpaintingReport.Kind {
  public var severity: FindingSeverity {
    switch self {
    case .unreadableImages, .otherSizes, .unreadableMasks, .maskSizes, .sharedImages: .error
    case .fullMasks, .emptyMasks, .greyMasks, .unusedMasks: .warning
    case .smallImages, .convertedImages: .note
    }
  }

  public var message: String {
    switch self {
    case .unreadableImages: "pictures that cannot be read"
    case .otherSizes: "pictures of another size than the network's"
    case .unreadableMasks: "masks that cannot be read"
    case .maskSizes: "masks of another size than their picture"
    case .sharedImages: "pictures that are in the validation set, too"
    case .fullMasks: "masks without a known pixel"
    case .emptyMasks: "masks without a hole"
    case .greyMasks: "masks with levels between black and white"
    case .unusedMasks: "masks that belong to no picture"
    case .smallImages: "pictures smaller than the network's size"
    case .convertedImages: "pictures that are not RGB with 8 bits"
    }
  }

  public var consequence: String {
    switch self {
    case .unreadableImages, .unreadableMasks: "training stops there"
    case .otherSizes: "augmentation.fit: exact refuses them"
    case .maskSizes: "scale masks by the nearest pixel"
    case .sharedImages: "scores would be too good: take them out of one"
    case .fullMasks: "everything is made up: masks.polarity?"
    case .emptyMasks: "nothing is to be filled: masks.polarity?"
    case .greyMasks: "levels of \(InpaintingMask.threshold) and more count as white"
    case .unusedMasks: "they are passed over"
    case .smallImages: "filled up by reflection at the lower and right border"
    case .convertedImages: "grey is repeated, opacity dropped, palettes looked up, 16 bits rounded to 8"
    }
  }
}

/// The search for what `InpaintingReport` tells.
struct InpaintingInspection {
  private let set: InpaintingSet
  private(set) var findings = Findings<InpaintingReport.Kind>()
  private(set) var holeShares: [Double] = []
  /// Sizes of the pictures that can be read.
  private var sizes: [Int: (height: Int, width: Int)] = [:]
  /// Free-form masks that are drawn to see how large they are.
  private static let drawnCount = 1000

  init(_ set: InpaintingSet) { self.set = set }

  mutating func inspectPictures() {
    for (index, path) in set.pictures.paths.enumerated() {
      do {
        let header = try ImageHeader(contentsOf: set.pictures.path(of: index))
        _ = try Image(contentsOf: set.pictures.path(of: index))
        sizes[index] = (header.height, header.width)
        let size = "\(path) \(header.width)x\(header.height)"
        if let peculiarity = header.peculiarity { findings.add(.convertedImages, "\(path): \(peculiarity)") }
        if set.augmentation.fit == .exact, (header.height, header.width) != (set.size, set.size) { findings.add(.otherSizes, size) }
        if set.augmentation.fit == .crop, min(header.height, header.width) < set.size { findings.add(.smallImages, size) }
      } catch {
        findings.add(.unreadableImages, "\(error)")
      }
    }
  }

  mutating func inspectMasks() {
    switch set.masks {
    case .freeForm(let settings):
      holeShares = (0..<Self.drawnCount).map { index in
        var random = Random(seed: InpaintingSet.evaluationSeed, stream: .augmentation, sample: index)
        return settings.holeShare(height: set.size, width: set.size, random: &random)
      }
    case .files(let files, let polarity):
      for (index, file) in files.enumerated() { inspect(file, polarity, sizes[index]) }
    case .pool(let files, let polarity):
      for file in files { inspect(file, polarity, (set.size, set.size)) }
    }
  }

  private mutating func inspect(_ path: String, _ polarity: MaskPolarity, _ picture: (height: Int, width: Int)?) {
    do {
      let reading = try InpaintingMask.read(contentsOf: path, polarity)
      let mask = reading.mask
      if let picture, picture != (mask.height, mask.width), (mask.height, mask.width) != (set.size, set.size) {
        findings.add(.maskSizes, "\(path) \(mask.width)x\(mask.height), picture \(picture.width)x\(picture.height)")
      }
      if reading.greyShare > 0 { findings.add(.greyMasks, "\(path): \(String(percent: reading.greyShare)) of its pixels") }
      let holes = mask.holeCount
      if holes == 0 { findings.add(.emptyMasks, path) }
      if holes == mask.known.count { findings.add(.fullMasks, path) }
      holeShares.append(mask.holeShare)
    } catch {
      findings.add(.unreadableMasks, "\(error)")
    }
  }

  mutating func inspectSharing(with other: InpaintingSet) {
    let paths = [set, other].map { set in set.pictures.paths.indices.map(set.pictures.path(of:)) }
    for path in SharedPictures.paths(paths[0], with: paths[1]) { findings.add(.sharedImages, path) }
  }
}
