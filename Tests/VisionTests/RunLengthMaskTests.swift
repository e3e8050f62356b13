import Base
import Testing
import TestSupport
import Vision

/// Against pycocotools, and by hand.
@Suite("Run-length masks") struct RunLengthMaskTests {
  private struct Reference: Decodable {
    struct Polygons: Decodable {
      let size: [Int]
      let polygons: [[Double]]
      let counts: String
      let area: Int
      let box: [Double]
    }

    struct Pair: Decodable {
      let size: [Int]
      let a: String
      let b: String
      let union: String
      let intersection: String
      let iou: Double
      let crowd: Double
      let box: [Double]
      let rows: String
    }

    let polygons: [Polygons]
    let pairs: [Pair]
  }

  private func list(_ box: BoundingBox) -> [Double] { [box.x, box.y, box.width, box.height] }

  /// Three columns of four rows; the second and the third pixel of the middle column, the first of the last one.
  private let flags: [Bool] = [
    false, false, true,
    false, true, false,
    false, true, false,
    false, false, false,
  ]

  @Test("polygons are rasterised as pycocotools does") func polygons() throws {
    let cases = try Fixture.json("coco_masks.json", as: Reference.self).polygons
    #expect(cases.count == 180)
    for (number, entry) in cases.enumerated() {
      let mask = try RunLengthMask(polygons: entry.polygons, height: entry.size[0], width: entry.size[1])
      #expect(mask.compressedCounts == entry.counts, "case \(number)")
      #expect(mask.area == entry.area, "case \(number)")
      #expect(entry.area == 0 || list(mask.boundingBox) == entry.box, "case \(number)")
    }
  }

  @Test("sets, IoU and text equal pycocotools'") func pairs() throws {
    let cases = try Fixture.json("coco_masks.json", as: Reference.self).pairs
    #expect(cases.count == 60)
    for (number, entry) in cases.enumerated() {
      let (height, width) = (entry.size[0], entry.size[1])
      let a = try RunLengthMask(height: height, width: width, compressedCounts: entry.a)
      let b = try RunLengthMask(height: height, width: width, compressedCounts: entry.b)
      #expect(a.compressedCounts == entry.a && b.compressedCounts == entry.b, "case \(number)")
      #expect(a.union(b).compressedCounts == entry.union, "case \(number)")
      #expect(a.intersection(b).compressedCounts == entry.intersection, "case \(number)")
      #expect(a.iou(with: b) == entry.iou && a.iou(with: b, isCrowd: true) == entry.crowd, "case \(number)")
      #expect(list(a.boundingBox) == entry.box, "case \(number)")
      let flags = entry.rows.map { $0 == "1" }
      #expect(a.flags == flags, "case \(number)")
      #expect(RunLengthMask(height: height, width: width, flags: flags) == a, "case \(number)")
    }
  }

  @Test("a mask by hand") func byHand() throws {
    let mask = RunLengthMask(height: 4, width: 3, flags: flags)
    #expect(mask.counts == [5, 2, 1, 1, 3])
    #expect(mask.area == 3 && mask.flags == flags)
    #expect(list(mask.boundingBox) == [1, 0, 2, 3])
    #expect(try RunLengthMask(height: 4, width: 3, counts: [5, 2, 1, 1, 3]) == mask)
    let box = try RunLengthMask(box: BoundingBox(x: 1, y: 1, width: 2, height: 2), height: 4, width: 3)
    #expect(box.counts == [5, 2, 2, 2, 1])
    #expect(mask.iou(with: box) == 2 / 5 && mask.iou(with: box, isCrowd: true) == 2 / 3)
    let none = RunLengthMask(height: 4, width: 3, flags: Array(repeating: false, count: 12))
    #expect(none.counts == [12] && none.area == 0 && list(none.boundingBox) == [0, 0, 0, 0] && none.iou(with: mask) == 0)
    // An object that begins at once has an empty first run; one run over an edge of columns fills both from top to bottom.
    #expect(RunLengthMask(height: 2, width: 2, flags: [true, true, true, true]).counts == [0, 4])
    #expect(list(try RunLengthMask(height: 4, width: 3, counts: [3, 2, 7]).boundingBox) == [0, 0, 2, 4])
  }

  @Test("empty runs in the middle do not count") func emptyRuns() throws {
    let mask = try RunLengthMask(height: 2, width: 3, counts: [0, 2, 0, 1, 3, 0])
    #expect(mask.area == 3 && mask.flags == [true, true, false, true, false, false])
    #expect(mask.union(mask).counts == [0, 3, 3])
    #expect(list(mask.boundingBox) == [0, 0, 2, 2])
  }

  @Test("damaged masks are refused") func damaged() {
    expectFailure(.badData, "run lengths of 5 pixels together, expected 2 x 3 = 6") { try RunLengthMask(height: 2, width: 3, counts: [2, 3]) }
    expectFailure(.badData, "a run of -1 pixels") { try RunLengthMask(height: 2, width: 3, counts: [-1, 7]) }
    expectFailure(.badData, "a mask of 0 x 3 pixels") { try RunLengthMask(height: 0, width: 3, counts: []) }
    expectFailure(.badData, "a mask of") { try RunLengthMask(height: 1 << 40, width: 1 << 40, counts: []) }
    expectFailure(.badData, "character 2", "'!'") { try RunLengthMask(height: 2, width: 3, compressedCounts: "2!") }
    expectFailure(.badData, "end in the middle") { try RunLengthMask(height: 2, width: 3, compressedCounts: "2P") }
    expectFailure(.badData, "a run of") { try RunLengthMask(height: 2, width: 3, compressedCounts: "O7") }
    expectFailure(.badData, "character 9") { try RunLengthMask(height: 2, width: 3, compressedCounts: "ooooooooooooo") }
    expectFailure(.badData, "a polygon of 4 numbers") { try RunLengthMask(polygons: [[1, 2, 3, 4]], height: 5, width: 5) }
    expectFailure(.badData, "a polygon of 7 numbers") { try RunLengthMask(polygons: [[1, 2, 3, 4, 5, 6, 7]], height: 5, width: 5) }
    expectFailure(.badData, "not finite") { try RunLengthMask(polygons: [[1, 2, 3, .nan, 5, 6]], height: 5, width: 5) }
    expectFailure(.badData, "no polygon") { try RunLengthMask(polygons: [], height: 5, width: 5) }
  }

  @Test("a polygon far outside costs no more than one inside") func farOutside() throws {
    let corners: [Double] = (0..<2000).flatMap { [$0 % 2 == 0 ? -9e7 : 9e7, Double(3 * $0)] }
    let mask = try RunLengthMask(polygons: [corners], height: 40, width: 30)
    #expect(mask.area > 0)
  }
}

@Suite("Bounding boxes") struct BoundingBoxTests {
  @Test("IoU, with crowds too") func iou() {
    let detection = BoundingBox(x: 0, y: 0, width: 10, height: 4)
    let truth = BoundingBox(x0: 5, y0: 2, x1: 15, y1: 12)
    #expect(detection.intersectionArea(with: truth) == 10)
    #expect(detection.iou(with: truth) == 10.0 / (40 + 100 - 10))
    #expect(detection.iou(with: truth, isCrowd: true) == 0.25)
    #expect(detection.iou(with: BoundingBox(x: 10, y: 0, width: 5, height: 5)) == 0)
    #expect(detection.iou(with: BoundingBox(x: .nan, y: 0, width: 5, height: 5)) == 0)
    let point = BoundingBox(x: 1, y: 1, width: 0, height: 0)
    #expect(point.iou(with: point) == 0 && point.isEmpty && !detection.isEmpty)
  }

  @Test("clipping to the image") func clipping() {
    let box = BoundingBox(x: -5, y: 10, width: 30, height: 200).clipped(toWidth: 20, height: 100)
    #expect(box == BoundingBox(x: 0, y: 10, width: 20, height: 90))
    #expect(BoundingBox(x: 30, y: 10, width: 5, height: 5).clipped(toWidth: 20, height: 100).isEmpty)
  }
}
