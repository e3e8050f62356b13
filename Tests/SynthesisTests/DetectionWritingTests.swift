import Base
import Data
import Foundation
import Synthesis
import Testing
import Vision

@Suite struct DetectionWritingTests {
  private let settings = DetectionSynthesisTests.small

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-shapes-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func contents(_ root: String) throws -> [String: Foundation.Data] {
    var files: [String: Foundation.Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: root) where name.contains(".") {
      files[name] = FileManager.default.contents(atPath: root + "/" + name)
    }
    return files
  }

  private func json(_ path: String) throws -> [String: [[String: Any]]] {
    try #require(try JSONSerialization.jsonObject(with: Foundation.Data(File.bytes(at: path))) as? [String: [[String: Any]]])
  }

  @Test(arguments: [DetectionSynthesis.MaskForm.polygons, .rle]) func annotationsAreTheTruth(form: DetectionSynthesis.MaskForm) throws {
    try withFolder { root in
      var settings = settings
      settings.masks = form
      try settings.write(count: 6, seed: 4, heldOutShare: 0.5, to: root)
      var ids = Set<Int>()
      for (split, samples) in [("train", [0, 2, 4]), ("val", [1, 3, 5])] {
        let file = try json("\(root)/annotations/instances_\(split).json")
        #expect(file["images"]?.compactMap { $0["id"] as? Int } == samples.map { $0 + 1 })
        #expect(file["categories"]?.compactMap { $0["id"] as? Int } == [1, 3, 4, 7, 9, 12, 13, 17])
        for sample in samples {
          let scene = settings.sample(index: sample, seed: 4)
          let image = try #require(file["images"]?.first { $0["id"] as? Int == sample + 1 })
          let name = try #require(image["file_name"] as? String)
          #expect(image["height"] as? Int == 64 && image["width"] as? Int == 80 && name == "00000\(sample + 1).jpg")
          #expect(try File.bytes(at: "\(root)/\(split)/\(name)") == JPEG.encode(scene.image, quality: 92))
          let annotations = try #require(file["annotations"]).filter { $0["image_id"] as? Int == sample + 1 }
          #expect(annotations.count == scene.objects.count)
          for (annotation, object) in zip(annotations, scene.objects) {
            ids.insert(try #require(annotation["id"] as? Int))
            #expect(annotation["category_id"] as? Int == object.shape.categoryID && annotation["iscrowd"] as? Int == 0)
            #expect(annotation["area"] as? Int == object.mask.area)
            let box = object.mask.boundingBox
            #expect(annotation["bbox"] as? [Double] == [box.x, box.y, box.width, box.height])
            #expect(try mask(annotation["segmentation"]) == object.mask)
          }
        }
      }
      #expect(ids == Set(1..<ids.count + 1), "ids of both parts are apart, and count from 1")
    }
  }

  private func mask(_ segmentation: Any?) throws -> RunLengthMask {
    if let polygons = segmentation as? [[Double]] { return try RunLengthMask(polygons: polygons, height: 64, width: 80) }
    let lengths = try #require(segmentation as? [String: Any])
    #expect(lengths["size"] as? [Int] == [64, 80])
    return try RunLengthMask(height: 64, width: 80, compressedCounts: #require(lengths["counts"] as? String))
  }

  @Test func panopticMapsHaveTheirSegments() throws {
    try withFolder { root in
      try settings.write(.cocoPanoptic, count: 4, seed: 1, heldOutShare: 0.25, to: root)
      let file = try json("\(root)/annotations/panoptic_train.json")
      let kinds = try #require(file["categories"]).map { ($0["name"] as? String, $0["isthing"] as? Int) }
      #expect(kinds.count == 10 && kinds.filter { $0.1 == 0 }.map(\.0) == ["ground", "sky"])
      let annotations = try #require(file["annotations"])
      #expect(annotations.compactMap { $0["image_id"] as? Int } == [1, 2, 3])
      for (index, annotation) in annotations.enumerated() {
        let (map, segments) = settings.sample(index: index, seed: 1).panoptic
        let name = try #require(annotation["file_name"] as? String)
        #expect(try PanopticMap(colors: Image(contentsOf: "\(root)/annotations/panoptic_train/\(name)")) == map)
        let infos = try #require(annotation["segments_info"] as? [[String: Any]])
        #expect(infos.map { $0["id"] as? Int } == segments.map { Int($0.id) })
        #expect(infos.map { $0["category_id"] as? Int } == segments.map(\.category))
        #expect(infos.map { $0["area"] as? Int } == segments.map(\.area))
        #expect(infos.map { ($0["bbox"] as? [Double])?.last } == segments.map(\.box?.height))
      }
    }
  }

  @Test func repeatingGivesTheSameBytesOnAnyNumberOfThreads() throws {
    try withFolder { root in
      try settings.write(.cocoPanoptic, count: 5, seed: 8, to: root, threads: 1)
      let first = try contents(root)
      #expect(first.count == 5 * 2 + 4)
      try FileManager.default.removeItem(atPath: "\(root)/annotations/instances_train.json")
      try Foundation.Data("broken".utf8).write(to: URL(fileURLWithPath: "\(root)/train/000001.jpg"))
      try settings.write(.cocoPanoptic, count: 5, seed: 8, to: root, threads: 3)
      let isEqual = try contents(root) == first
      #expect(isEqual)
    }
  }

  @Test func otherImagesAndWrongSettingsAreRefused() throws {
    try withFolder { root in
      try settings.write(count: 2, seed: 1, heldOutShare: 0, to: root)
      let failure = #expect(throws: Failure.self) { try settings.write(count: 1, seed: 1, heldOutShare: 0, to: root) }
      #expect(failure?.kind == .cannotCreate && failure?.problem.contains("000002.jpg") == true)
      var png = settings
      png.images = .png
      #expect(throws: Failure.self) { try png.write(count: 2, seed: 1, heldOutShare: 0, to: root) }
      #expect(throws: Failure.self) { try settings.write(count: 0, seed: 1, to: root) }
      #expect(throws: Failure.self) { try settings.write(count: 2, seed: 1, heldOutShare: 2, to: root) }
    }
  }
}
