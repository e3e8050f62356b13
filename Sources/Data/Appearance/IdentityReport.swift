import Base
import Vision

/// What is wrong with a set of pictures of objects: everything at once, counted, with a few examples each.
///
/// The header of every picture is read.
public struct IdentityReport: Sendable, CustomStringConvertible {
  /// What was found. The raw values are for programs.
  public enum Kind: String, FindingKind {
    case unreadableImages, outsideBoxes, sharedImages, sharedIdentities, rareIdentities, unmatchedQueries, smallImages
  }

  public let name: String
  public let imageCount: Int
  public let identityCount: Int
  public let cameraCount: Int
  public let findings: Findings<Kind>
  public let distributions: [Distribution]
  private let notes: [String]

  /// Whether there is no error.
  public var isUsable: Bool { findings.isUsable }

  /// - Parameters:
  ///   - name: of the set, for the heading.
  ///   - minCrops: identities with fewer pictures are not learned.
  ///   - validation: other sets, of which no picture should be in this one.
  ///   - gallery: where this set's pictures are looked for; nil: it is no set of queries.
  public init(of set: IdentitySet, name: String, minCrops: Int = 1, validation: RetrievalSet? = nil, gallery: IdentitySet? = nil) {
    var findings = Findings<Kind>()
    var sizes: [(height: Int, width: Int)] = []
    Self.inspectFiles(of: set, &findings, &sizes)
    var counts = [Int](repeating: 0, count: set.identities.count)
    for label in set.labels { counts[label] += 1 }
    for (identity, count) in zip(set.identities, counts) where count < minCrops { findings.add(.rareIdentities, "\(identity): \(count)") }
    if let validation { Self.inspectSharing(set, validation, &findings) }
    if let gallery { Self.inspectQueries(set, gallery, &findings) }
    self.name = name
    imageCount = set.count
    identityCount = set.identities.count
    cameraCount = Set(set.crops.map(\.camera)).subtracting([""]).count
    self.findings = findings
    notes = set.notes
    distributions = [
      Distribution("pictures of an identity", unit: "identities", counts.map(Double.init), edges: [1, 2, 4, 8, 16, 32, 64, 128]),
      Distribution(
        "height of the pictures, px", unit: "pictures", sizes.map { Double($0.height) }, edges: [0, 32, 64, 96, 128, 192, 256, 512]),
    ]
  }

  public var description: String {
    let cameras = cameraCount == 0 ? "cameras are not known" : "\(cameraCount) cameras"
    return "\(name): \(imageCount) pictures of \(identityCount) identities, \(cameras)\n"
      + notes.map { "note: \($0)\n" }.joined() + findings.description + distributions.map { "\n" + $0.text }.joined()
  }

  private static func inspectFiles(of set: IdentitySet, _ findings: inout Findings<Kind>, _ sizes: inout [(height: Int, width: Int)]) {
    var headers: [String: ImageHeader] = [:]
    for crop in set.crops {
      do {
        let header = try headers[crop.path] ?? ImageHeader(contentsOf: crop.path)
        if crop.box != nil { headers[crop.path] = header }
        var size = (height: header.height, width: header.width)
        if let box = crop.box {
          let inside = box.clipped(toWidth: header.width, height: header.height)
          guard !inside.isEmpty else {
            findings.add(.outsideBoxes, crop.name)
            continue
          }
          size = (Int(inside.height), Int(inside.width))
        }
        sizes.append(size)
        if size.height < 16 || size.width < 8 { findings.add(.smallImages, "\(crop.name) \(size.width)x\(size.height)") }
      } catch {
        findings.add(.unreadableImages, "\(error)")
      }
    }
  }

  private static func inspectSharing(_ set: IdentitySet, _ validation: RetrievalSet, _ findings: inout Findings<Kind>) {
    let others = validation.query.crops + (validation.gallery?.crops ?? [])
    let files = set.crops.filter { $0.box == nil }.map(\.path)
    for path in SharedPictures.paths(files, with: others.filter { $0.box == nil }.map(\.path)) { findings.add(.sharedImages, path) }
    let names = Set(others.map(\.identity))
    for identity in set.identities where names.contains(identity) { findings.add(.sharedIdentities, identity) }
  }

  private static func inspectQueries(_ query: IdentitySet, _ gallery: IdentitySet, _ findings: inout Findings<Kind>) {
    let isSame = query.crops.map(\.path) == gallery.crops.map(\.path)
    var cameras: [String: [String: Int]] = [:]
    for crop in gallery.crops { cameras[crop.identity, default: [:]][crop.camera, default: 0] += 1 }
    for crop in query.crops {
      let own = cameras[crop.identity] ?? [:]
      let found = own.reduce(0) { $1.key == crop.camera && !crop.camera.isEmpty ? $0 : $0 + $1.value }
      if found - (isSame && crop.camera.isEmpty ? 1 : 0) < 1 { findings.add(.unmatchedQueries, crop.name) }
    }
  }
}

extension IdentityReport.Kind {
  public var severity: FindingSeverity {
    switch self {
    case .unreadableImages, .outsideBoxes, .sharedImages: .error
    case .sharedIdentities, .rareIdentities, .unmatchedQueries: .warning
    case .smallImages: .note
    }
  }

  public var message: String {
    switch self {
    case .unreadableImages: "pictures that cannot be read"
    case .outsideBoxes: "boxes outside of their frame"
    case .sharedImages: "pictures that are in the validation set, too"
    case .sharedIdentities: "names of identities that are in the validation set, too"
    case .rareIdentities: "identities with few pictures"
    case .unmatchedQueries: "queries without another picture of their identity from another camera"
    case .smallImages: "pictures of less than 8x16"
    }
  }

  public var consequence: String {
    switch self {
    case .unreadableImages, .outsideBoxes: "training stops there"
    case .sharedImages: "scores would be too good: take them out of one"
    case .sharedIdentities: "if they are the same objects, scores would be too good"
    case .rareIdentities: "data.min_crops leaves them out"
    case .unmatchedQueries: "count for nothing"
    case .smallImages: "enlarged"
    }
  }
}
