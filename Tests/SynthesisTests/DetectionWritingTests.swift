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

  @Test(arguments: [DetectionSynthesis.MaskForm.polygons, .rle]) func annotationsAreTheTruth(form: DetectionSynthesis.MaskForm) throws {
    try withFolder { root in
      var settings = settings
      settings.masks = form
      try settings.write(count: 6, seed: 4, heldOutShare: 0.5, to: root)
      var ids = Set<Int>()
      for (split, samples) in [("train", [0, 2, 4]), ("val", [1, 3, 5])] {
        let file = try COCOInstances(contentsOf: "\(root)/annotations/instances_\(split).json")
        #expect(file.images.map(\.id) == samples.map { $0 + 1 })
        #expect(file.categories.map(\.id) == [1, 3, 4, 7, 9, 12, 13, 17] && file.categories[1].name == "square")
        #expect(file.annotations.allSatisfy { $0.missing.isEmpty })
        for (image, sample) in zip(file.images, samples) {
          let scene = settings.sample(index: sample, seed: 4)
          #expect(image.height == 64 && image.width == 80 && image.fileName == "00000\(sample + 1).jpg")
          #expect(try File.bytes(at: "\(root)/\(split)/\(image.fileName)") == JPEG.encode(scene.image, quality: 92))
          let annotations = file.annotations.filter { $0.imageID == image.id }
          #expect(annotations.count == scene.objects.count)
          for (annotation, object) in zip(annotations, scene.objects) {
            ids.insert(annotation.id)
            #expect(annotation.categoryID == object.shape.categoryID && !annotation.isCrowd)
            #expect(annotation.area == Double(object.mask.area) && annotation.box == object.mask.boundingBox)
            #expect(try annotation.mask(in: image) == object.mask)
          }
        }
      }
      #expect(ids == Set(1..<ids.count + 1), "ids of both parts are apart, and count from 1")
    }
  }

  @Test func panopticMapsHaveTheirSegments() throws {
    try withFolder { root in
      try settings.write(.cocoPanoptic, count: 4, seed: 1, heldOutShare: 0.25, to: root)
      let file = try COCOPanoptic(contentsOf: "\(root)/annotations/panoptic_train.json")
      #expect(file.categories.count == 10 && file.categories.filter { !$0.isThing }.map(\.name) == ["ground", "sky"])
      #expect(file.annotations.map(\.imageID) == [1, 2, 3] && file.images.map(\.id) == [1, 2, 3])
      for (index, annotation) in file.annotations.enumerated() {
        let (map, segments) = settings.sample(index: index, seed: 1).panoptic
        #expect(try PanopticMap(contentsOf: "\(root)/annotations/panoptic_train/\(annotation.fileName)") == map)
        #expect(annotation.segments == segments)
      }
      // The truth, taken as a result, is perfect.
      let maps = "\(root)/annotations/panoptic_train"
      let quality = try file.quality(of: file, maps: maps, resultMaps: maps)
      #expect(quality.all.pq == 1)
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
