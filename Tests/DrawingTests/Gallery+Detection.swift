import Drawing
import Foundation
import Vision

/// Figures of detection and segmentation.
extension Gallery {
  static let shapeNames = ["disc", "square", "triangle", "star", "ring"]

  /// The pixels within a distance of a point.
  static func disc(_ x: Int, _ y: Int, radius: Int, hole: Int = 0, height: Int = 240, width: Int = 320) -> RunLengthMask {
    RunLengthMask(height: height, width: width, flags: (0..<height * width).map { pixel in
      let dx = pixel % width - x
      let dy = pixel / width - y
      let square = dx * dx + dy * dy
      return square <= radius * radius && square >= hole * hole
    })
  }

  static func object(_ category: Int, _ mask: RunLengthMask, score: Double?) -> PicturedObject {
    PicturedObject(shapeNames[category], category: category, score: score, box: mask.boundingBox, mask: mask)
  }

  static func detection(width: Int) -> [Gallery] {
    let image = picture(height: 240, width: 320)
    let objects = [
      object(0, disc(106, 120, radius: 60), score: 0.98), object(4, disc(230, 90, radius: 44, hole: 22), score: 0.71),
      object(1, disc(250, 190, radius: 30), score: 0.34), object(3, disc(40, 30, radius: 20), score: 0.55),
    ]
    let boxesAlone = objects.map { PicturedObject($0.name, category: $0.category, score: $0.score, box: $0.box) }
    let truths = [object(0, disc(110, 122, radius: 58), score: nil), object(2, disc(300, 220, radius: 24), score: nil)]
    return [
      Gallery(name: "objects", figure: AnnotatedPicture(image, objects: boxesAlone, truths: truths, width: width),
              expected: ["disc 98 %", "square 34 %", "ring 71 %"], mayOverlap: true),
      Gallery(name: "masks", figure: AnnotatedPicture(image, objects: objects, width: width), expected: ["disc 98 %"], mayOverlap: true),
      panoptic(image, width: width),
      Gallery(name: "precision-recall", figure: precisionRecall(width: width),
              expected: ["IoU 0.5", "IoU 0.75", "recall", "precision", "mean", "disc", "ring", "1.0"]),
      Gallery(name: "confusion", figure: confusion(shapeNames, width: width),
              expected: ["found as", "true class", "background", "triangle", "% of the row", "100"]),
      Gallery(name: "confusion-many", figure: confusion((1...20).map { "class of number \($0)" }, width: width),
              expected: ["21 background", "1 class of", "found as"]),
      Gallery(name: "attention", figure: attention(image, objects, width: width), expected: ["query 3", "times the mean", "disc 98 %"],
              mayOverlap: true),
      Gallery(name: "matching", figure: matching(width: width),
              expected: ["Matched pairs", "same query", "step", "image 1: disc", "24 of 30 objects", "9500"], mayOverlap: true),
    ]
  }

  static func panoptic(_ image: Image, width: Int) -> Gallery {
    let ground = disc(106, 120, radius: 60)
    let ring = disc(230, 90, radius: 44, hole: 22)
    let other = disc(280, 100, radius: 30)
    let flags = [ground, ring, other].map(\.flags)
    let numbers = (0..<240 * 320).map { pixel -> UInt32 in
      if pixel % 320 > 310 { return PanopticMap.void }
      if let thing = flags.lastIndex(where: { $0[pixel] }) { return UInt32(10 + thing) }
      return pixel / 320 < 70 ? 2 : 1
    }
    let segments = [(1, 21), (2, 24), (10, 1), (11, 9), (12, 9)].map { PanopticSegment(id: UInt32($0.0), category: $0.1) }
    let categories = [(1, "disc"), (9, "ring"), (21, "ground"), (24, "sky"), (30, "water")]
    let figure = PanopticPicture(
      image, map: PanopticMap(height: 240, width: 320, segments: numbers), segments: segments,
      categories: categories.map { PanopticPicture.Category(id: $0.0, name: $0.1) }, width: width)
    return Gallery(name: "panoptic", figure: figure, expected: ["disc", "ring", "ground", "sky"], mayOverlap: true)
  }

  static func precisionRecall(width: Int) -> PrecisionRecallFigure {
    var score = AveragePrecision(categories: Array(0..<5), settings: .detection)
    for image in 0..<40 {
      let truths = (0..<5).map { AveragePrecision.Truth(category: $0, area: 400) }
      let boxes = (0..<5).map { BoundingBox(x: Double($0) * 40, y: 10, width: 20, height: 20) }
      // Farther off the later the class, and the more the lower the score.
      let found = (0..<5).map { AveragePrecision.Detection(category: $0, score: 1 - Double((image * 7 + $0 * 3) % 40) / 41, area: 400) }
      let foundBoxes = (0..<5).map { category -> BoundingBox in
        let miss = Double((image * 13 + category) % 17) / 17 * Double(category + 2) * 2 * (1.4 - found[category].score)
        return BoundingBox(x: Double(category) * 40 + miss, y: 10, width: 20, height: 20)
      }
      score.add(image: image, truths: truths, boxes: boxes, detections: found, boxes: foundBoxes)
    }
    let names = Dictionary(uniqueKeysWithValues: shapeNames.enumerated().map { ($0.offset, $0.element) })
    return PrecisionRecallFigure(score.result(), names: names, title: "demo, step 12000", width: width)
  }

  static func confusion(_ names: [String], width: Int) -> ConfusionFigure {
    let side = names.count + 1
    var counts = [Int](repeating: 0, count: side * side)
    for row in 0..<side {
      for column in 0..<side where row + column < 2 * names.count {
        counts[row * side + column] = row == column ? 120 + 9 * row : (row * 5 + column * 3) % 11 == 0 ? 14 + column : 0
      }
    }
    return ConfusionFigure(counts, names: names, width: width)
  }

  static func attention(_ image: Image, _ objects: [PicturedObject], width: Int) -> AttentionFigure {
    let maps = objects.prefix(3).enumerated().map { index, object -> AttentionFigure.Map in
      let (x, y) = (object.box.x / 320 * 10, object.box.y / 240 * 8)
      let weights = (0..<80).map { cell in
        let dx = Double(cell % 10) - x
        let dy = Double(cell / 10) - y
        return Float(exp(-(dx * dx + dy * dy) / 2))
      }
      return .init("query \(3 * index)", weights: weights, height: 8, width: 10, object: object)
    }
    let encoder = AttentionFigure.Map("encoder, a point", weights: maps[1].weights, height: 8, width: 10, point: Point(230, 90))
    return AttentionFigure(image, maps: maps + [encoder], title: "decoder attention, layer 6", width: width)
  }

  static func matching(width: Int) -> MatchingFigure {
    let moments = (0..<20).map { evaluation in
      let queries = (0..<30).map { object -> Int? in
        let isSettled = evaluation * 3 > object + 10
        return object == 7 && evaluation < 3 ? nil : (object * 7 + (isSettled ? 0 : evaluation * (object % 5 + 1))) % 25
      }
      return MatchingFigure.Moment(step: 500 * evaluation, queries: queries)
    }
    let objects = (0..<30).map { "image \($0 / 5 + 1): \(shapeNames[$0 % 5])" }
    return MatchingFigure(moments, objects: objects, width: width)
  }
}
