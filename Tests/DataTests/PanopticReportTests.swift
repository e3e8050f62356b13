import Base
import Data
import Testing
import TestSupport
import Vision

/// What is wrong with panoptic annotations, their maps and their images.
@Suite("Reports of panoptic files") struct PanopticReportTests {
  /// Three images with maps of two segments each.
  private func write(_ folder: String) throws -> COCOPanoptic {
    let categories = [COCOCategory(id: 1, name: "person"), COCOCategory(id: 92, name: "banner")]
    var images: [COCOImage] = []
    var annotations: [COCOPanoptic.Annotation] = []
    for index in 0..<3 {
      images.append(COCOImage(id: index, fileName: "\(index).png", height: 2, width: 4))
      try Image.noise(height: 2, width: 4, seed: UInt64(index)).write(to: "\(folder)/\(index).png")
      try PanopticMap(height: 2, width: 4, segments: [7, 7, 3, 3, 7, 7, 3, 0]).write(to: "\(folder)/map\(index).png")
      annotations.append(.init(imageID: index, fileName: "map\(index).png",
                               segments: [PanopticSegment(id: 7, category: 1), PanopticSegment(id: 3, category: 92)]))
    }
    return COCOPanoptic(path: "p.json", images: images, categories: categories, annotations: annotations)
  }

  @Test func soundFilesAreSummedUp() throws {
    try withTemporaryFolder { folder in
      let report = PanopticReport(of: try write(folder), images: folder, maps: folder, name: "training set")
      #expect(report.isUsable && report.findings.all.isEmpty)
      #expect(report.description.hasPrefix("training set: p.json: 3 images, 6 segments\nnothing to report\n"))
      #expect(report.distributions.last?.bins == [.init("person", 3), .init("banner", 3)])
    }
  }

  @Test func everythingIsToldAtOnce() throws {
    try withTemporaryFolder { folder in
      let sound = try write(folder)
      try AtomicFile.write([1, 2, 3], to: "\(folder)/0.png")
      try PanopticMap(height: 2, width: 3, segments: [7, 7, 9, 9, 7, 7]).write(to: "\(folder)/map1.png")
      try AtomicFile.write([1, 2, 3], to: "\(folder)/map2.png")
      var annotations = sound.annotations
      annotations[0].segments[1].category = 5
      let images = sound.images + [COCOImage(id: 2, fileName: "2.png", height: 3, width: 4), COCOImage(id: 8, fileName: "1.png", height: 2, width: 4)]
      let file = COCOPanoptic(path: "p.json", images: images, categories: sound.categories + [COCOCategory(id: 4, name: "sky")],
                              annotations: annotations)
      let report = PanopticReport(of: file, images: folder, maps: folder, name: "training set",
                                  validation: (COCOPanoptic(path: "v.json", images: [images[1]], annotations: []), folder))
      let counts = Dictionary(uniqueKeysWithValues: report.findings.all.map { ($0.kind, $0.count) })
      #expect(counts == [
        .duplicateImages: 1, .unreadableImages: 1, .imageSizes: 1, .missingLists: 1, .unreadableMaps: 2, .mapSizes: 1, .unlistedSegments: 1,
        .sharedImages: 2, .unpaintedSegments: 1, .unknownCategories: 1, .emptyCategories: 1,
      ])
      #expect(!report.isUsable && report.description.contains("map1.png: 9") && report.description.contains("1.png (id 8)"))
    }
  }
}
