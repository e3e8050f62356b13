import Base
import Data
import Testing
import TestSupport
import Vision

@Suite("COCO annotations") struct COCOInstancesTests {
  static let frame = "\"images\": [{\"id\": 7, \"file_name\": \"a.jpg\", \"height\": 4, \"width\": 6, \"coco_url\": \"x\"}], "
    + "\"info\": {\"year\": 2017}, \"categories\": [{\"id\": 3, \"name\": \"car\", \"supercategory\": \"vehicle\"}]"

  /// A file with these entries of `annotations`.
  static func read(_ annotations: String, frame: String = frame, _ segmentations: COCOInstances.Segmentations = .kept) throws -> COCOInstances {
    try withTemporaryFolder { folder in
      let path = "\(folder)/instances.json"
      try AtomicFile.write("{\(frame), \"annotations\": [\(annotations)]}", to: path)
      return try COCOInstances(contentsOf: path, segmentations: segmentations)
    }
  }

  @Test("polygons, run lengths as list and as text, crowds, key points") func reading() throws {
    let file = try Self.read("""
      {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 0, 2.5, 3], "area": 7.25, "iscrowd": 0, "segmentation": [[1, 0, 3, 0, 3, 3]],
       "keypoints": [1, 2, 2, 0, 0, 0], "num_keypoints": 1, "unknown": [{}]},
      {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 4], "area": 4, "iscrowd": 1,
       "segmentation": {"counts": [0, 4, 20], "size": [4, 6]}},
      {"id": 3, "image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 4], "area": 4, "iscrowd": 0,
       "segmentation": {"size": [4, 6], "counts": "04d0"}},
      {"id": 4, "image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 4], "area": 4, "iscrowd": false, "segmentation": []}
      """)
    #expect(file.images == [COCOImage(id: 7, fileName: "a.jpg", height: 4, width: 6)])
    #expect(file.categories == [COCOCategory(id: 3, name: "car", supercategory: "vehicle")])
    let annotations = file.annotations
    #expect(annotations.map(\.id) == [1, 2, 3, 4] && annotations.map(\.isCrowd) == [false, true, false, false])
    #expect(annotations[0].box == BoundingBox(x: 1, y: 0, width: 2.5, height: 3) && annotations[0].area == 7.25)
    #expect(annotations[0].segmentation == .polygons([[1, 0, 3, 0, 3, 3]]))
    #expect(annotations[0].keypoints == [1, 2, 2, 0, 0, 0] && annotations[0].keypointCount == 1 && annotations[1].keypointCount == nil)
    let column = try RunLengthMask(height: 4, width: 6, counts: [0, 4, 20])
    #expect(annotations[1].segmentation == .runLengths(column) && annotations[2].segmentation == .runLengths(column))
    #expect(annotations[3].segmentation == nil && annotations.allSatisfy { $0.missing.isEmpty })
    #expect(try annotations[3].mask(in: file.images[0]) == column)
    #expect(try annotations[0].mask(in: file.images[0]) == RunLengthMask(polygons: [[1, 0, 3, 0, 3, 3]], height: 4, width: 6))
  }

  /// The mask of columns 1 and 2, rows 0 to 2, has 6 pixels.
  @Test("missing values are filled in, whether masks are kept or not", arguments: [true, false]) func missing(_ keeps: Bool) throws {
    let polygon = "\"segmentation\": [[1, 0, 3, 0, 3, 3, 1, 3]]"
    let file = try Self.read("""
      {"image_id": 7, "category_id": 3, \(polygon)}, {"id": 9, "image_id": 7, "category_id": 3, "bbox": [0, 0, 2, 2], \(polygon), "iscrowd": null},
      {"id": 5, "image_id": 7, "category_id": 3, "bbox": [0, 0, 2, 2], "area": null}
      """, keeps ? .kept : .skipped)
    #expect(file.annotations.map(\.id) == [10, 9, 5] && file.annotations.map(\.area) == [6, 6, 4])
    #expect(file.annotations[0].box == BoundingBox(x: 1, y: 0, width: 2, height: 3) && file.annotations.allSatisfy { !$0.isCrowd })
    #expect(file.annotations.map(\.missing) == [[.id, .box, .area, .isCrowd], [.area, .isCrowd], [.area, .isCrowd]])
    #expect((file.annotations[1].segmentation != nil) == keeps)
  }

  @Test("what a detector learns: clipped boxes, no crowds") func objects() throws {
    let file = try Self.read("""
      {"id": 1, "image_id": 7, "category_id": 3, "bbox": [-1, 1, 4, 9], "area": 3, "iscrowd": 0},
      {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 6, 4], "area": 24, "iscrowd": 1},
      {"id": 3, "image_id": 7, "category_id": 3, "bbox": [9, 0, 2, 4], "area": 8, "iscrowd": 0},
      {"id": 4, "image_id": 7, "category_id": 9, "bbox": [0, 0, 2, 4], "area": 8, "iscrowd": 0},
      {"id": 5, "image_id": 8, "category_id": 3, "bbox": [0, 0, 2, 4], "area": 8, "iscrowd": 0},
      {"id": 6, "image_id": 7, "category_id": 3, "bbox": [0, NaN, 2, 4], "area": 8, "iscrowd": 0}
      """)
    let objects = file.objects()
    #expect(objects.count == 1 && objects[7]?.map(\.id) == [1])
    #expect(objects[7]?.first?.box == BoundingBox(x: 0, y: 1, width: 3, height: 3))
  }

  @Test("errors name the file, the place and the way") func errors() {
    expectFailure(.badData, "instances.json:1:", "annotations[0].bbox: 3 numbers, expected x, y, width and height") {
      try Self.read("{\"id\": 1, \"image_id\": 7, \"category_id\": 3, \"bbox\": [1, 2, 3]}")
    }
    expectFailure(.badData, "annotations[0]: no 'image_id'") { try Self.read("{\"id\": 1, \"category_id\": 3}") }
    expectFailure(.badData, "annotations[0].category_id: found \"car\"") { try Self.read("{\"image_id\": 7, \"category_id\": \"car\"}") }
    expectFailure(.badData, "annotations[0].segmentation: run lengths of 4 pixels together, expected 4 x 6 = 24") {
      try Self.read("{\"image_id\": 7, \"category_id\": 3, \"segmentation\": {\"size\": [4, 6], \"counts\": [4]}}")
    }
    expectFailure(.badData, "annotations[0].segmentation: expected polygons, or 'counts' and 'size'") {
      try Self.read("{\"image_id\": 7, \"category_id\": 3, \"segmentation\": {\"size\": [4]}}")
    }
    expectFailure(.badData, "annotations[0].iscrowd: the number 2, expected 0 or 1") { try Self.read("{\"iscrowd\": 2}") }
    expectFailure(.badData, "images[0]: no 'width'") { try Self.read("", frame: "\"images\": [{\"id\": 1, \"file_name\": \"a\", \"height\": 3}]") }
    expectFailure(.badData, "images[0]: an image of 0 x 3 pixels") {
      try Self.read("", frame: "\"images\": [{\"id\": 1, \"file_name\": \"a\", \"height\": 3, \"width\": 0}]")
    }
    expectFailure(.badData, "no list of images, categories") { try Self.read("", frame: "\"info\": {}") }
    expectFailure(.missingInput, "there is no such file") { try COCOInstances(contentsOf: "/nowhere/instances.json") }
  }

  // MARK: Classes

  private let categories = [COCOCategory(id: 90, name: "toothbrush"), COCOCategory(id: 1, name: "person"), COCOCategory(id: 13, name: "stop sign")]

  @Test("sorted ids become classes") func sortedClasses() {
    let map = CategoryMap(categories)
    #expect(map.classCount == 3 && map.classIndex(of: 13) == 1 && map.classIndex(of: 12) == nil)
    #expect(map.id(of: 2) == 90 && map.id(of: 3) == nil && map.name(of: 0) == "person")
  }

  @Test("ids are classes, as in published weights") func rawClasses() throws {
    let map = try CategoryMap(categories, classCount: 91)
    #expect(map.classCount == 91 && map.classIndex(of: 90) == 90 && map.id(of: 12) == nil && map.name(of: 12) == "12" && map.id(of: 13) == 13)
    expectFailure(.usage, "'toothbrush' has the id 90, expected 0 to 79") { try CategoryMap(categories, classCount: 80) }
  }
}

@Suite("COCO results") struct COCOResultsTests {
  @Test("written results are read back to the same bits") func roundTrip() throws {
    let mask = RunLengthMask(height: 2, width: 2, flags: [true, false, true, true])
    var person = COCOResult(imageID: 3, categoryID: 1, score: 0.1, box: BoundingBox(x: 0.1, y: -2, width: 1e-7, height: 4.0 / 3))
    person.keypoints = [1, 2.5, 0.25]
    let results = [person, COCOResult(imageID: 3, categoryID: 90, score: 1, mask: mask)]
    try withTemporaryFolder { folder in
      let path = "\(folder)/results.json"
      try COCOResults.write(results, to: path)
      #expect(try COCOResults.read(path) == results)
      try COCOResults.write([], to: path)
      #expect(try COCOResults.read(path).isEmpty)
      expectFailure(.diverged, "detection 0 of image 1") {
        try COCOResults.write([COCOResult(imageID: 1, categoryID: 1, score: .nan, mask: mask)], to: path)
      }
      try AtomicFile.write("[{\"image_id\": 1, \"category_id\": 2, \"score\": 0.5}]", to: path)
      expectFailure(.badData, "[0]: neither 'bbox' nor 'segmentation'") { try COCOResults.read(path) }
    }
  }

  @Test("results of other images are refused") func otherImages() throws {
    let file = try COCOInstancesTests.read("")
    expectFailure(.badData, "2 images of these results are not in", "1, 9", "Take the annotations") {
      try file.evaluate([1, 7, 9].map { COCOResult(imageID: $0, categoryID: 3, score: 1, box: BoundingBox(x: 0, y: 0, width: 1, height: 1)) }, by: .boxes)
    }
  }

  /// The numbers of pycocotools 2.0.11.
  @Test("the twelve numbers of a hundred images of val2014", .enabled(if: Samples.areThere), arguments: [
    (COCOInstances.Shape.boxes, "bbox", [
      0.5045806987249628, 0.6969727247299577, 0.5729816669904824, 0.5856257209410443, 0.5193996948036719, 0.5013978986347466,
      0.38681277964578054, 0.5936795762842003, 0.595352982877607, 0.6398109626113442, 0.5664205978994309, 0.5642905982905982,
    ]),
    (COCOInstances.Shape.masks, "segm", [
      0.3195452758576433, 0.5622883972521636, 0.29892653412086784, 0.3873740315997837, 0.31018272403369485, 0.3269339071005138,
      0.2682297225711534, 0.41544868114906375, 0.4168394992198818, 0.4694498622754236, 0.37675922666197265, 0.3814715099715099,
    ]),
  ])
  func realImages(_ shape: COCOInstances.Shape, _ name: String, _ expected: [Double]) throws {
    let folder = Samples.path("coco_eval_100")
    let truth = try COCOInstances(contentsOf: "\(folder)/instances_val2014_100.json")
    let results = try COCOResults.read("\(folder)/instances_val2014_fake\(name)100_results.json")
    #expect(truth.images.count == 100 && truth.annotations.count == 839 && results.count == 734)
    let result = try truth.evaluate(results, by: shape)
    for (place, value) in result.summary.values.enumerated() {
      #expect(abs(value - expected[place]) < 1e-12, "\(AveragePrecisionResult.Summary.names[place]) \(value), expected \(expected[place])")
    }
  }

  /// The compressed counts of all 839 objects, nine of them crowds, one after another, as a hash of pycocotools' (`annToRLE`).
  @Test("the masks of a hundred images of val2014", .enabled(if: Samples.areThere)) func realMasks() throws {
    let truth = try COCOInstances(contentsOf: Samples.path("coco_eval_100/instances_val2014_100.json"))
    let images = truth.imagesByID()
    let masks = try truth.annotations.map { try $0.mask(in: #require(images[$0.imageID])) }
    #expect(masks.reduce(0) { $0 + $1.area } == 9_144_836)
    #expect(FixtureHash.fnv1a64(masks.flatMap { Array($0.compressedCounts.utf8) }) == 0x59bd_3a8f_5b24_93c8)
  }

  @Test("boxes of real photographs", .enabled(if: Samples.areThere)) func photographs() throws {
    let truth = try COCOInstances(contentsOf: Samples.path("coco_images/person_keypoints.json"))
    let results = try COCOResults.read(Samples.path("coco_images/person_detections.json"))
    let values = try truth.evaluate(results, by: .boxes).summary.values
    let expected = [0.831683, 1, 1, 0.7, -1, 0.894059, 0.475, 0.875, 0.875, 0.7, -1, 0.933333]
    #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(values)")
    #expect(truth.annotations.allSatisfy { $0.keypoints.count == 51 && $0.keypointCount != nil })
    #expect(COCOReport(of: truth, images: Samples.path("coco_images"), decodesImages: true).isUsable)
  }
}
