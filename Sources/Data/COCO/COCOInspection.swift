import Base
import Vision

/// The search for what `COCOReport` tells.
struct COCOInspection {
  let instances: COCOInstances
  let images: [Int: COCOImage]
  private let categories: Set<Int>
  private(set) var findings: [COCOReport.Kind: COCOReport.Finding] = [:]

  init(_ instances: COCOInstances) {
    self.instances = instances
    images = instances.imagesByID()
    categories = Set(instances.categories.map(\.id))
  }

  private mutating func report(_ kind: COCOReport.Kind, _ examples: some Collection<String>) {
    guard !examples.isEmpty else { return }
    findings[kind] = COCOReport.Finding(kind: kind, count: examples.count, examples: Array(examples.prefix(COCOReport.exampleLimit)))
  }

  mutating func report(_ kind: COCOReport.Kind, _ examples: some Collection<Int>) { report(kind, examples.lazy.map { "\($0)" }) }

  private func ids(where isMeant: (COCOAnnotation) -> Bool) -> [Int] { instances.annotations.filter(isMeant).map(\.id) }

  // MARK: Ids

  mutating func inspectIdentifiers() {
    report(.unknownCategories, ids { !categories.contains($0.categoryID) })
    report(.unknownImages, ids { images[$0.imageID] == nil })
    report(.duplicateAnnotations, Self.repeated(instances.annotations.map(\.id)))
    report(.duplicateImages, Self.repeated(instances.images.map(\.id)))
    report(.duplicateCategories, Self.repeated(instances.categories.map(\.id)))
    report(.missingIDs, ids { $0.missing.contains(.id) })
    report(.missingBoxes, ids { $0.missing.contains(.box) })
    report(.missingAreas, ids { $0.missing.contains(.area) })
    report(.missingCrowdFlags, ids { $0.missing.contains(.isCrowd) })
    report(.annotationZero, ids { $0.id == 0 })
  }

  /// Entries whose id stood before.
  private static func repeated(_ ids: [Int]) -> [Int] {
    var seen: Set<Int> = []
    return ids.filter { !seen.insert($0).inserted }
  }

  // MARK: Boxes and masks

  mutating func inspectBoxes() {
    let placed = instances.annotations.compactMap { annotation in images[annotation.imageID].map { (annotation, $0) } }
    let full = placed.filter { $0.0.box.isFinite && !$0.0.box.isEmpty }
    report(.emptyBoxes, ids { !$0.box.isFinite || $0.box.isEmpty })
    // Files on all of whose images every box fits in 1.5 px hold no pixels.
    if !full.isEmpty, full.allSatisfy({ $0.0.box.x1 <= 1.5 && $0.0.box.y1 <= 1.5 && min($0.1.width, $0.1.height) > 2 }) {
      report(.normalizedBoxes, full.map(\.0.id))
      return
    }
    let beyond = full.filter { $0.0.box.x1 > Double($0.1.width) + 1 || $0.0.box.y1 > Double($0.1.height) + 1 }
    let corners = full.count { Self.looksLikeCorners($0.0.box, in: $0.1) }
    if 2 * beyond.count > full.count, 10 * corners >= 9 * full.count {
      report(.cornerBoxes, beyond.map(\.0.id))
      return
    }
    let clipped = full.map { ($0.0, $0.0.box, $0.0.box.clipped(toWidth: $0.1.width, height: $0.1.height)) }
    report(.lostBoxes, clipped.filter { $0.2.isEmpty }.map(\.0.id))
    // COCO's own boxes have two decimals: what is less is rounding.
    func isCut(_ before: BoundingBox, _ after: BoundingBox) -> Bool {
      max(after.x - before.x, after.y - before.y, before.x1 - after.x1, before.y1 - after.y1) > 0.01
    }
    report(.outsideBoxes, clipped.filter { !$0.2.isEmpty && isCut($0.1, $0.2) }.map(\.0.id))
  }

  /// Whether the last two numbers may be the lower right corner.
  private static func looksLikeCorners(_ box: BoundingBox, in image: COCOImage) -> Bool {
    box.width > box.x && box.height > box.y && box.width <= Double(image.width) + 1 && box.height <= Double(image.height) + 1
  }

  mutating func inspectSegmentations() {
    var broken: [Int] = []
    var misfit: [Int] = []
    for annotation in instances.annotations {
      switch annotation.segmentation {
      case .polygons(let polygons):
        let isSound = polygons.allSatisfy { COCOSegmentation.isWhole($0) && $0.allSatisfy { abs($0) <= 1e8 } }
        if !isSound { broken.append(annotation.id) }
      case .runLengths(let mask):
        guard let image = images[annotation.imageID] else { continue }
        if mask.height != image.height || mask.width != image.width { misfit.append(annotation.id) }
      case nil: break
      }
    }
    report(.brokenPolygons, broken)
    report(.misfitMasks, misfit)
  }

  // MARK: What occurs

  mutating func inspectOccurrence() {
    let objects = instances.objects()
    let used = Set(objects.values.joined().map(\.categoryID))
    report(.emptyCategories, instances.categories.filter { !used.contains($0.id) }.map { "\($0.name) (id \($0.id))" })
    report(.emptyImages, instances.images.filter { objects[$0.id] == nil }.map(\.id))
    report(.crowds, ids { $0.isCrowd })
  }

  // MARK: Files

  mutating func inspectFiles(in folder: String, decodes: Bool) {
    // What cannot be looked at is not missing; reading it shows what is wrong.
    let absent = instances.images.filter { (try? File.kind(at: Path.join(folder, $0.fileName)) == .file) == false }
    report(.missingFiles, absent.map(\.fileName))
    guard decodes else { return }
    let gone = Set(absent.map(\.fileName))
    let wrong = instances.images.filter { image in
      guard !gone.contains(image.fileName) else { return false }
      guard let picture = try? Image(contentsOf: Path.join(folder, image.fileName)) else { return true }
      return picture.height != image.height || picture.width != image.width
    }
    report(.imageSizes, wrong.map(\.fileName))
  }

  /// Images are shared if they have one name and one size; in two known folders, if the files are equal, too.
  mutating func inspectSharing(with other: COCOInstances, _ folder: String?, _ otherFolder: String?) {
    let others = Dictionary(other.images.map { ($0.fileName, $0) }) { first, _ in first }
    let shared = instances.images.filter { image in
      guard let twin = others[image.fileName], twin.height == image.height, twin.width == image.width else { return false }
      guard let folder, let otherFolder, let mine = try? File.bytes(at: Path.join(folder, image.fileName)),
            let theirs = try? File.bytes(at: Path.join(otherFolder, twin.fileName)) else { return true }
      return mine == theirs
    }
    report(.sharedImages, shared.map(\.fileName))
  }
}
