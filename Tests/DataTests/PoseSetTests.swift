import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

/// The bodies that a network learns from, and what is wrong with files of them.
@Suite("Pose sets") struct PoseSetTests {
  private static let names = ["tip", "left_side", "right_side"]
  private static let skeleton = Skeleton(names: names, limbs: [])
  private static let crop = PoseCrop(width: 96, height: 128, sigma: 2)

  private static func annotation(_ id: Int, _ points: [Double], box: [Double] = [10, 5, 20, 30], image: Int = 7, isCrowd: Bool = false) -> COCOAnnotation {
    var annotation = COCOAnnotation(
      id: id, imageID: image, categoryID: 3, box: BoundingBox(x: box[0], y: box[1], width: box[2], height: box[3]), area: box[2] * box[3],
      isCrowd: isCrowd)
    annotation.keypoints = points
    return annotation
  }

  /// A file with two images of 60 x 40, of which the second has no file.
  private static func open(
    _ annotations: [COCOAnnotation], boxes: String? = nil, threshold: Double = 0, names: [String] = names, _ skeleton: Skeleton = skeleton
  ) throws -> PoseSet {
    try withTemporaryFolder { folder in
      try Image(height: 40, width: 60, channels: 3).write(to: "\(folder)/a.png")
      var category = COCOCategory(id: 3, name: "hand")
      category.keypoints = names
      let images = [COCOImage(id: 7, fileName: "a.png", height: 40, width: 60), COCOImage(id: 8, fileName: "b.png", height: 40, width: 60)]
      try COCOInstances(path: "", images: images, categories: [category], annotations: annotations).write(to: "\(folder)/k.json")
      if let boxes { try AtomicFile.write(boxes, to: "\(folder)/boxes.json") }
      let origin = boxes.map { _ in PoseSet.Boxes.file("\(folder)/boxes.json", threshold: threshold) } ?? .annotations
      let set = try PoseSet(coco: "\(folder)/k.json", images: folder, boxes: origin, skeleton, crop)
      #expect(try set.sample(at: 0).image.width == 60)
      return set
    }
  }

  private static let sound = annotation(1, [15, 10, 2, 20, 30, 1, 0, 0, 0])

  @Test("annotated bodies; boxes lose a pixel, crowds and bodies without points are none") func annotated() throws {
    let set = try Self.open([
      Self.sound, Self.annotation(2, [15, 10, 2, 20, 30, 1, 0, 0, 0], isCrowd: true), Self.annotation(3, Array(repeating: 0, count: 9)),
      Self.annotation(4, [30, 20, 1, 0, 0, 0, 0, 0, 0]), Self.annotation(5, []),
    ])
    #expect(set.count == 2 && set.bodies.allSatisfy { $0.imageID == 7 && $0.score == 1 } && [0, 1].map(set.name(of:)) == ["a_0", "a_1"])
    #expect(set.bodies[0].crop == Self.crop.crop(around: BoundingBox(x: 10, y: 5, width: 19, height: 29)))
    #expect(set.bodies[0].keypoints[1] == Keypoint(x: 20, y: 30, visibility: .hidden) && !set.bodies[0].keypoints[2].isLabeled)
    #expect(set.notes.count == 1 && set.notes[0].hasPrefix("boxes: those of the annotations of") && set.notes[0].hasSuffix("2 bodies"))
  }

  @Test("keypoints outside the picture are not learned, boxes of size 0 are left out and told") func badAnnotations() throws {
    let set = try Self.open([
      Self.annotation(1, [15, 10, 2, 200, 30, 2, 15, -9, 1]), Self.annotation(2, [15, 10, 2, 0, 0, 0, 0, 0, 0], box: [5, 5, 0, 9]),
      Self.annotation(3, [900, 10, 2, 0, 0, 0, 0, 0, 0]), Self.annotation(4, [15, 10, 2, 0, 0, 0, 0, 0, 0], box: [70, 5, 20, 9]),
    ])
    #expect(set.count == 1 && set.bodies[0].keypoints.map(\.isLabeled) == [true, false, false])
    #expect(set.notes.last == "left out: 2 annotations without area (2, 4)")
  }

  @Test("boxes of a detector are taken as they are, from a score on") func detected() throws {
    let boxes = """
      [{"image_id": 7, "category_id": 3, "bbox": [-4, 2, 30.5, 20], "score": 0.9}, {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.1},
       {"image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.9}, {"image_id": 7, "category_id": 3, "bbox": [1, 2, 0, 4], "score": 0.5}]
      """
    let set = try Self.open([Self.sound], boxes: boxes, threshold: 0.2)
    #expect(set.count == 1 && set.bodies[0].score == 0.9 && set.bodies[0].keypoints.allSatisfy { !$0.isLabeled })
    #expect(set.bodies[0].crop == Self.crop.crop(around: BoundingBox(x: -4, y: 2, width: 30.5, height: 20)))
    #expect(set.notes[0].hasSuffix("boxes.json, 1 of score 0.2 or more") && set.notes[1].contains("left out: 1 boxes without area") && set.notes[1].hasSuffix("(3)"))
  }

  @Test("what does not fit is named") func misfits() throws {
    expectFailure(.badData, "boxes.json: 1 images of these results are not in ", ": 99") {
      try Self.open([Self.sound], boxes: "[{\"image_id\": 99, \"category_id\": 3, \"bbox\": [1, 2, 3, 4], \"score\": 0.1}]")
    }
    expectFailure(.badData, "boxes.json: result 0: there is no 'bbox'") {
      try Self.open([Self.sound], boxes: "[{\"image_id\": 7, \"category_id\": 3, \"keypoints\": [1, 2, 3], \"score\": 0.1}]")
    }
    expectFailure(.usage, "model.keypoints: 17 keypoints, but the bodies of ", "have 3", "skeleton.kind to data") { try Self.open([Self.sound], .coco) }
    expectFailure(.badData, "k.json: annotation 2: 6 numbers of keypoints, expected x, y and a third one for each of 3") {
      try Self.open([Self.sound, Self.annotation(2, [1, 2, 2, 0, 0, 0])])
    }
    expectFailure(.badData, "k.json: there is no body with a box and a labelled keypoint") { try Self.open([Self.annotation(3, [])]) }
    let missing = try Self.open([Self.sound, Self.annotation(2, [1, 2, 2, 0, 0, 0, 0, 0, 0], image: 8)])
    expectFailure(.missingInput, "b.png: there is no such file") { try missing.sample(at: 1) }
  }

  @Test("the skeleton of a file") func skeletons() throws {
    var hand = COCOCategory(id: 3, name: "hand")
    hand.keypoints = Self.names
    hand.limbs = [.init(0, 1)]
    var foot = COCOCategory(id: 4, name: "foot")
    func file(_ categories: [COCOCategory]) -> COCOInstances { COCOInstances(path: "k.json", images: [], categories: categories, annotations: []) }
    #expect(try file([hand, foot]).skeleton() == Skeleton(names: Self.names, limbs: [.init(0, 1)]))
    #expect(try file([hand, foot]).skeleton().flipPairs == [.init(1, 2)])
    foot.keypoints = ["heel"]
    expectFailure(.badData, "k.json: the categories 'hand' and 'foot' have different keypoints") { try file([hand, foot]).skeleton() }
    expectFailure(.badData, "k.json: no category lists keypoints", "section skeleton") { try file([COCOCategory(id: 1, name: "x")]).skeleton() }
  }

  // MARK: MPII

  private static func entry(_ image: String, _ more: String = "", center: String = "[30, 20]", joints: Int = 16) -> String {
    let places = (0..<joints).map { "[\($0 + 1), \(2 * $0 + 1)]" }.joined(separator: ",")
    let visible = (0..<joints).map { $0 == 3 ? "0" : "1" }.joined(separator: ",")
    return "{\"image\": \"\(image)\", \"center\": \(center), \"scale\": 0.5, \"joints\": [\(places)], \"joints_vis\": [\(visible)]\(more)}"
  }

  private static func openMPII(_ entries: [String], heads: String? = nil) throws -> PoseSet {
    try withTemporaryFolder { folder in
      try AtomicFile.write("[\(entries.joined(separator: ",\n"))]", to: "\(folder)/valid.json")
      return try PoseSet(mpii: "\(folder)/valid.json", images: folder, headBoxes: heads, crop)
    }
  }

  @Test("MPII: counted from pixel 1, crops lowered and padded, bodies by picture") func mpii() throws {
    let set = try Self.openMPII([Self.entry("a.jpg", ", \"head_box\": [1, 2, 31, 42]"), Self.entry("b.jpg", center: "[-1, -1]"), Self.entry("a.jpg")])
    #expect(set.bodies.map(\.fileName) == ["a.jpg", "a.jpg", "b.jpg"] && set.bodies.map(\.imageID) == [1, 1, 2] && set.skeleton == .mpii)
    #expect(set.bodies[0].crop == BodyCrop(center: SIMD2(29, 26.5), scale: SIMD2(0.625, 0.625)))
    #expect(set.bodies[2].crop == BodyCrop(center: SIMD2(-2, -2), scale: SIMD2(0.5, 0.5)))
    #expect(set.bodies[0].keypoints[2] == Keypoint(x: 2, y: 4, visibility: .visible) && !set.bodies[0].keypoints[3].isLabeled)
    #expect(set.bodies[0].headBox == BoundingBox(x: 1, y: 2, width: 30, height: 40) && set.bodies[1].headBox == nil && set.instances == nil)
    #expect(set.indices(imageLimit: 1) == [0, 1] && set.indices(imageLimit: 0) == [0, 1, 2] && set.name(of: 2) == "b")
  }

  /// Boxes n = 1, 2, 3 from (10n, 20 + n) to (40n + 7, 90.5), written by scipy with compression beside a cell array and bytes.
  @Test("MPII: head boxes of a MAT-file") func heads() throws {
    let heads = Fixture.path("mpii_heads.mat")
    let set = try Self.openMPII((1...3).map { Self.entry("\($0).jpg") }, heads: heads)
    for (index, body) in set.bodies.enumerated() {
      let n = Double(index + 1)
      #expect(body.headBox == BoundingBox(x0: 10 * n, y0: 20 + n, x1: 40 * n + 7, y1: 90.5))
    }
    expectFailure(.badData, "mpii_heads.mat: 3 head boxes, but ", "has 1 bodies") { try Self.openMPII([Self.entry("a.jpg")], heads: heads) }
    try withTemporaryFolder { folder in
      try AtomicFile.write(Array(File.bytes(at: heads).prefix(250)), to: "\(folder)/cut.mat")
      try AtomicFile.write("no such thing", to: "\(folder)/text.mat")
      expectFailure(.badData, "cut.mat") { try Self.openMPII([Self.entry("a.jpg")], heads: "\(folder)/cut.mat") }
      expectFailure(.badData, "text.mat: this is no MAT-file of level 5", "savemat") { try Self.openMPII([Self.entry("a.jpg")], heads: "\(folder)/text.mat") }
    }
  }

  @Test("MPII: what does not fit is named") func mpiiMisfits() {
    expectFailure(.badData, "valid.json:1:", "5 joints and 5 visibilities, expected 16 of MPII") { try Self.openMPII([Self.entry("a.jpg", joints: 5)]) }
    expectFailure(.badData, "no 'image'") { try Self.openMPII(["{\"center\": [1, 2], \"scale\": 1}"]) }
    expectFailure(.badData, "there is no body in this file") { try Self.openMPII([]) }
  }
}
