import Base
import Data
import Foundation
import Testing
import Vision

@Suite struct COCOWritingTests {
  private func withFile(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("apus-coco-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let mask = try RunLengthMask(polygons: [[1, 1, 7, 1, 7, 5]], height: 8, width: 9)
    var person = COCOAnnotation(id: 9, imageID: 4, categoryID: 90, box: BoundingBox(x: 0.1, y: -2.5, width: 3, height: 1.0 / 3), area: 2.25)
    person.keypoints = [1, 2, 2, 0.5, 0, 0]
    person.keypointCount = 1
    let annotations = [
      COCOAnnotation(id: 3, imageID: 7, categoryID: 2, box: mask.boundingBox, area: Double(mask.area), segmentation: .runLengths(mask)),
      COCOAnnotation(id: 4, imageID: 7, categoryID: 90, box: mask.boundingBox, area: 4, isCrowd: true,
                     segmentation: .polygons([[1, 1, 7.25, 1, 7, 5], [0, 0, 1, 0, 1, 1e-7]])),
      person,
    ]
    let file = COCOInstances(
      path: "", images: [COCOImage(id: 7, fileName: "a \"b\"/ü.jpg", height: 8, width: 9), COCOImage(id: 4, fileName: "c", height: 1, width: 1)],
      categories: [COCOCategory(id: 2, name: "disc", supercategory: "shape"), COCOCategory(id: 90, name: "person")], annotations: annotations)
    try withFile { path in
      try file.write(to: path)
      let read = try COCOInstances(contentsOf: path)
      #expect(read.images == file.images && read.categories == file.categories && read.annotations == file.annotations)
      let bytes = try File.bytes(at: path)
      try file.write(to: path)
      #expect(try File.bytes(at: path) == bytes)
      #expect(!String(decoding: bytes, as: UTF8.self).contains("isthing"))
    }
  }

  @Test func emptyListsAreLists() throws {
    try withFile { path in
      try COCOInstances(path: "", images: [], categories: [], annotations: []).write(to: path)
      #expect(try COCOInstances(contentsOf: path).annotations.isEmpty)
    }
  }

  @Test func panopticListsAreReadBack() throws {
    let segments = [
      PanopticSegment(id: 16_777_215, category: 5, isCrowd: true, area: 3, box: BoundingBox(x: 1, y: 2, width: 3, height: 4)),
      PanopticSegment(id: 1, category: 6),
    ]
    let file = COCOPanoptic(
      path: "", images: [COCOImage(id: 1, fileName: "a.jpg", height: 2, width: 2)],
      categories: [COCOCategory(id: 5, name: "cup"), COCOCategory(id: 6, name: "sky", isThing: false)],
      annotations: [.init(imageID: 1, fileName: "a.png", segments: segments)])
    try withFile { path in
      try file.write(to: path)
      let read = try COCOPanoptic(contentsOf: path)
      #expect(read.images == file.images && read.categories == file.categories && read.annotations == file.annotations)
    }
  }

  @Test func numbersThatAreNoneAreRefused() throws {
    let box = BoundingBox(x: .nan, y: 0, width: 1, height: 1)
    let whole = BoundingBox(x: 0, y: 0, width: 1, height: 1)
    for annotation in [
      COCOAnnotation(id: 5, imageID: 1, categoryID: 1, box: box, area: 1),
      COCOAnnotation(id: 5, imageID: 1, categoryID: 1, box: whole, area: 1, segmentation: .polygons([[0, 0, .infinity, 0, 1, 1]])),
    ] {
      let failure = #expect(throws: Failure.self) {
        try COCOInstances(path: "", images: [], categories: [], annotations: [annotation]).write(to: "/nonexistent/file.json")
      }
      #expect(failure?.kind == .badData && failure?.problem.contains("annotation 5") == true)
    }
  }
}
