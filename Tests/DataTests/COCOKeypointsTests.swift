import Base
import Data
import Testing
import TestSupport
import Vision

@Suite("COCO keypoints") struct COCOKeypointsTests {
  private static let frame = "\"images\": [{\"id\": 7, \"file_name\": \"a.jpg\", \"height\": 40, \"width\": 60}], "
    + "\"categories\": [{\"id\": 3, \"name\": \"hand\", \"keypoints\": [\"tip\", \"left_side\", \"right_side\"], \"skeleton\": [[1, 2], [1, 3]]}, "
    + "{\"id\": 4, \"name\": \"cup\"}]"

  private static func annotation(_ id: Int, _ keypoints: String, count: String = "", category: Int = 3) -> String {
    "{\"id\": \(id), \"image_id\": 7, \"category_id\": \(category), \"bbox\": [1, 2, 20, 30], \"area\": 300, \"iscrowd\": 0, "
      + "\"keypoints\": [\(keypoints)]\(count)}"
  }

  private static func read(_ annotations: String...) throws -> COCOInstances {
    try COCOInstancesTests.read(annotations.joined(separator: ",\n"), frame: frame)
  }

  @Test("names, limbs from 0, points") func reading() throws {
    let file = try Self.read(Self.annotation(1, "1, 2, 2, 5, 6, 1, 0, 0, 0"), Self.annotation(2, "1, 2, 7, 5, 6, 0, 1e999, 0, 2"))
    #expect(file.keypointCategories.map(\.id) == [3])
    #expect(file.categories[0].keypoints == ["tip", "left_side", "right_side"] && file.categories[0].limbs == [.init(0, 1), .init(0, 2)])
    #expect(file.annotations[0].points == [
      Keypoint(x: 1, y: 2, visibility: .visible), Keypoint(x: 5, y: 6, visibility: .hidden), .unlabeled,
    ])
    // What is no visibility, and a place of an unlabelled point, means nothing.
    #expect(file.annotations[1].points == [.unlabeled, .unlabeled, .unlabeled])
  }

  @Test("written and read back") func writing() throws {
    var file = try Self.read(Self.annotation(1, "1, 2.5, 2, 5, 6, 1, 0, 0, 0"))
    var annotation = file.annotations[0]
    annotation.setPoints(annotation.points.reversed())
    file = COCOInstances(path: "", images: file.images, categories: file.categories, annotations: [annotation])
    try withTemporaryFolder { folder in
      try file.write(to: "\(folder)/k.json")
      let again = try COCOInstances(contentsOf: "\(folder)/k.json")
      #expect(again.categories == file.categories && again.annotations == [annotation])
      #expect(annotation.keypoints == [0, 0, 0, 5, 6, 1, 1, 2.5, 2] && annotation.keypointCount == 2)
    }
  }

  @Test("a limb that is no pair of keypoints") func brokenLimb() {
    let frame = Self.frame.replacing("[1, 3]", with: "[0, 3]")
    expectFailure(.badData, "instances.json:1:", "categories[0].skeleton[1]", "[0, 3], expected two keypoints, counted from 1") {
      try COCOInstancesTests.read(Self.annotation(1, "0, 0, 0, 0, 0, 0, 0, 0, 0"), frame: frame)
    }
  }

  // MARK: Report

  private func expect(_ file: COCOInstances, _ kind: COCOReport.Kind, _ severity: COCOReport.Severity, _ ids: [String], _ message: String) {
    let report = COCOReport(of: file)
    #expect(report.findings.map(\.kind).filter { $0 != .emptyCategories } == [kind])
    let finding = report.finding(kind)
    #expect(finding?.examples == ids && finding?.severity == severity && report.description.contains(message), "\(report)")
  }

  private let sound = annotation(1, "1, 2, 2, 5, 6, 1, 0, 0, 0", count: ", \"num_keypoints\": 2")

  @Test("each thing that is wrong with keypoints is told") func findings() throws {
    #expect(COCOReport(of: try Self.read(sound)).findings.map(\.kind) == [.emptyCategories])
    expect(try Self.read(sound, Self.annotation(2, "1, 2, 2, 5, 6, 1")), .misfitKeypoints, .error, ["2"],
           "annotations with another number of keypoints than their category lists")
    expect(try Self.read(sound, Self.annotation(2, "1, 2, 2, 5, 6, 1, 3, 3")), .misfitKeypoints, .error, ["2"], "0, 0, 0 for one that is not")
    expect(try Self.read(sound, Self.annotation(2, "61, 2, 2, 5, 6, 1, 0, 0, 0")), .outsideKeypoints, .warning, ["2"],
           "annotations with a labelled keypoint outside the picture")
    expect(try Self.read(sound, Self.annotation(2, "60, 40, 2, -500, 6, 0, 0, 0, 0"), Self.annotation(3, "1, -2, 1, 0, 0, 0, 0, 0, 0")),
           .outsideKeypoints, .warning, ["3"], "taken as not labelled in training")
    expect(try Self.read(sound, Self.annotation(2, "1, 2, 2, 5, 6, 1, 0, 0, 0", count: ", \"num_keypoints\": 3")), .keypointCounts, .warning,
           ["2"], "annotations whose num_keypoints is not the number of labelled keypoints")
    expect(try Self.read(sound, Self.annotation(2, "1, 2, 2, 5, 6, 3, 0, 0, 0")), .unknownVisibilities, .warning, ["2"],
           "annotations with a visibility that is none of 0, 1, 2")
  }

  // MARK: Evaluation

  private func result(_ image: Int, _ keypoints: [Double]) -> COCOResult {
    var result = COCOResult(imageID: image, categoryID: 3, score: 0.5)
    result.keypoints = keypoints
    return result
  }

  @Test("labelled points count, not num_keypoints; bodies of other categories do not") func judging() throws {
    let skeleton = Skeleton(names: ["tip", "left_side", "right_side"], limbs: [])
    let file = try Self.read(Self.annotation(1, "1, 2, 2, 5, 6, 1, 0, 0, 0", count: ", \"num_keypoints\": 0"), Self.annotation(2, "", category: 4))
    let result = try file.evaluateKeypoints([result(7, [1, 2, 0.5, 5, 6, 0.5, 900, 900, 0.1])], skeleton)
    #expect(abs(result.keypointSummary[0] - 1) < 1e-12 && result.truthCount(category: 3) == 1 && result.categories == [3])
  }

  @Test("results that do not fit are refused") func misfits() throws {
    let skeleton = Skeleton(names: ["tip", "left_side", "right_side"], limbs: [])
    let file = try Self.read(sound)
    expectFailure(.badData, "r.json: 1 images of these results are not in ", ": 8") {
      try file.evaluateKeypoints([result(8, [1, 2, 1, 5, 6, 1, 0, 0, 0])], skeleton, at: "r.json")
    }
    expectFailure(.badData, "r.json: result 0: 6 numbers of keypoints, expected x, y and a third one for each of 3") {
      try file.evaluateKeypoints([result(7, [1, 2, 1, 5, 6, 1])], skeleton, at: "r.json")
    }
    expectFailure(.badData, "annotation 1: 9 numbers of keypoints, expected x, y and a third one for each of 17") {
      try file.evaluateKeypoints([], .coco)
    }
  }

  /// Real detections on a real image of COCO; the numbers are pycocotools'.
  @Test("the reference on real data", .enabled(if: Samples.areThere)) func reference() throws {
    let truth = try COCOInstances(contentsOf: Samples.path("coco_keypoints_139099/gt_dataset.json"))
    let results = try COCOResults.read(Samples.path("coco_keypoints_139099/dt_dataset.json"))
    #expect(truth.annotations.count == 14 && results.count == 128)
    let summary = try truth.evaluateKeypoints(results, .coco).keypointSummary
    let expected = [0.504884, 0.722772, 0.633663, 0.466337, 0.750495, 0.518182, 0.727273, 0.636364, 0.466667, 0.750000]
    for (name, pair) in zip(AveragePrecisionResult.keypointNames, zip(summary, expected)) {
      #expect(abs(pair.0 - pair.1) <= 1e-6, "\(name): \(pair.0), expected \(pair.1)")
    }
  }
}
