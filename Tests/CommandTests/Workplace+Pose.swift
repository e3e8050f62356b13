import Base
import Data
import Foundation
import Testing
import Vision

/// Pictures of a simple creature with five keypoints, whose names and limbs stand in the annotation file.
extension Workplace {
  static let creature = ["left_ear", "right_ear", "belly", "left_foot", "right_foot"]

  /// Bright discs of five colours on a dark ground, at places that differ from picture to picture; ids leave gaps.
  static func creatures(count: Int, firstID: Int) -> (COCOInstances, [Image]) {
    let colors: [[UInt8]] = [[250, 60, 60], [60, 250, 60], [250, 250, 250], [80, 80, 250], [250, 250, 60]]
    var images: [COCOImage] = []
    var annotations: [COCOAnnotation] = []
    var pictures: [Image] = []
    for number in 0..<count {
      let (height, width) = number % 2 == 0 ? (48, 64) : (64, 56)
      var picture = Workplace.picture(height: height, width: width)
      for index in picture.pixels.indices { picture.pixels[index] = picture.pixels[index] / 5 }
      let (x, y) = (Double(18 + 3 * number % 20), Double(20 + 5 * number % 9))
      var points = [(9.0, -12.0), (-9, -11), (0, 1), (7, 14), (-8, 15)].enumerated().map { k, offset in
        Keypoint(x: x + offset.0 + Double((number * (k + 2)) % 3), y: y + offset.1, visibility: k == number % 7 ? .hidden : .visible)
      }
      for (point, color) in zip(points, colors) { picture.paintDisc(Int(point.x), Int(point.y), color) }
      if number % 5 == 4 { points[number % 4] = .unlabeled }
      let id = firstID + 3 * number
      images.append(COCOImage(id: id, fileName: "\(id).png", height: height, width: width))
      var annotation = COCOAnnotation(
        id: 1000 + id, imageID: id, categoryID: 6, box: BoundingBox(x: x - 13, y: y - 16, width: 26, height: 35), area: 1500)
      annotation.setPoints(points)
      annotations.append(annotation)
      pictures.append(picture)
    }
    var category = COCOCategory(id: 6, name: "creature")
    category.keypoints = creature
    category.limbs = [.init(0, 2), .init(1, 2), .init(2, 3), .init(2, 4)]
    return (COCOInstances(path: "", images: images, categories: [category], annotations: annotations), pictures)
  }

  /// Writes `NAME.json` and the folder `NAME` of the pictures.
  func writeCreatures(_ name: String, count: Int, firstID: Int) throws {
    let (instances, pictures) = Workplace.creatures(count: count, firstID: firstID)
    for (image, picture) in zip(instances.images, pictures) { try write("\(name)/\(image.fileName)", PNG.encode(picture)) }
    try instances.write(to: path("\(name).json"))
  }

  /// Writes `pose.yaml` and the data: ten pictures to learn from, four to judge by.
  /// - Parameter more: further lines.
  func preparePose(plan: String, more: String = "") throws {
    try writeCreatures("train", count: 10, firstID: 100)
    try writeCreatures("val", count: 4, firstID: 500)
    try write("pose.yaml", """
      task: pose
      model:
        backbone:
          {stages: [{modules: 1, blocks: 1, widths: [4, 8]}, {modules: 1, blocks: 1, widths: [4, 8, 16]},
                    {modules: 1, blocks: 1, widths: [4, 8, 16, 32]}], stem_width: 8, layer1_blocks: 1, layer1_width: 4}
        keypoints: 0
      data: {annotations: train.json, images: train}
      validation: {annotations: val.json, images: val}
      crop: {width: 32, height: 64, sigma: 1}
      train: {batch_size: 3, workers: 1}
      loss: {kind: ohkm, top: 3}
      optimizer: {learning_rate: 2.0e-3}
      schedule: {kind: constant}
      inference: {batch_size: 3}
      plan: {\(plan), threads: 1}
      \(more)
      """)
  }
}

extension Image {
  /// Fills a disc of radius 3.
  fileprivate mutating func paintDisc(_ centerX: Int, _ centerY: Int, _ color: [UInt8]) {
    for y in max(0, centerY - 3)..<min(height, centerY + 4) {
      for x in max(0, centerX - 3)..<min(width, centerX + 4) where (x - centerX) * (x - centerX) + (y - centerY) * (y - centerY) <= 10 {
        for k in 0..<3 { pixels[(y * width + x) * 3 + k] = color[k] }
      }
    }
  }
}
