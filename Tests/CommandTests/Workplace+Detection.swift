import Data
import Testing
import Vision

/// A small data set of rectangles in COCO's format, and a small DETR that learns it.
extension Workplace {
  /// The ids of the three categories leave gaps, and none is a class index.
  static let categories = [
    COCOCategory(id: 3, name: "red"), COCOCategory(id: 7, name: "green"), COCOCategory(id: 20, name: "blue"),
  ]

  /// Rectangles with their polygons on wide and upright images in turn; the first one has a crowd region, too, and the last one nothing.
  /// - Parameters:
  ///   - firstID: the id of the first image.
  ///   - isUniform: all images are wide.
  static func objects(count: Int, firstID: Int, isUniform: Bool = false) -> (instances: COCOInstances, pictures: [Image]) {
    let colors: [[UInt8]] = [[230, 30, 30], [30, 220, 50], [40, 60, 235]]
    var images: [COCOImage] = []
    var annotations: [COCOAnnotation] = []
    var pictures: [Image] = []
    for index in 0..<count {
      let (height, width) = isUniform || index % 2 == 0 ? (48, 64) : (64, 48)
      var picture = Workplace.picture(height: height, width: width, shift: 3 * index + firstID)
      let id = firstID + index
      for object in 0..<(index == count - 1 ? 0 : 1 + index % 2) {
        let kind = (index + object) % 3
        let box = BoundingBox(x: Double(4 + 7 * (index % 3) + 14 * object), y: Double(5 + 6 * (index % 4)), width: Double(12 + 2 * kind),
                              height: Double(16 + 4 * (index % 3)))
        picture.paint(box, colors[kind])
        annotations.append(annotation(10 * id + object, of: id, categories[kind].id, box))
      }
      if index == 0 {
        annotations.append(annotation(10 * id + 9, of: id, 7, BoundingBox(x: 40, y: 30, width: 20, height: 16), isCrowd: true))
      }
      images.append(COCOImage(id: id, fileName: "\(id).png", height: height, width: width))
      pictures.append(picture)
    }
    return (COCOInstances(path: "", images: images, categories: categories, annotations: annotations), pictures)
  }

  private static func annotation(_ id: Int, of image: Int, _ category: Int, _ box: BoundingBox, isCrowd: Bool = false) -> COCOAnnotation {
    let polygon = [box.x, box.y, box.x1, box.y, box.x1, box.y1, box.x, box.y1]
    return COCOAnnotation(id: id, imageID: image, categoryID: category, box: box, area: box.area, isCrowd: isCrowd,
                          segmentation: .polygons([polygon]))
  }

  /// Writes `NAME.json` and the folder `NAME` of the images.
  func writeObjects(_ name: String, count: Int, firstID: Int, isUniform: Bool = false) throws {
    let (instances, pictures) = Workplace.objects(count: count, firstID: firstID, isUniform: isUniform)
    for (image, picture) in zip(instances.images, pictures) { try write("\(name)/\(image.fileName)", PNG.encode(picture)) }
    try instances.write(to: path("\(name).json"))
  }

  /// Writes `detr.yaml` and the data: eight images to learn from, four to judge by.
  /// - Parameters:
  ///   - model: further settings of the section `model`.
  ///   - plan: of the section `plan`.
  ///   - more: further lines.
  func prepareDetection(model: String = "hidden: 32, heads: 4", norm: String = "batch", plan: String, more: String = "") throws {
    try writeObjects("train", count: 8, firstID: 100)
    try writeObjects("val", count: 4, firstID: 500)
    try write("detr.yaml", """
      task: detection
      model:
        {backbone: {variant: resnet18, width: 8, stages: [1, 1, 1, 1], norm: \(norm)}, feed_forward: 32, encoder_layers: 1,
         decoder_layers: 2, dropout: 0.1, queries: 6, classes: 0, \(model)}
      data: {annotations: train.json, images: train}
      validation: {annotations: val.json, images: val}
      augmentation:
        {sizes: [48, 56, 64], maximum_size: 96, crop_probability: 0.5, crop_sizes: [56, 64], crop_minimum: 32, crop_maximum: 48,
         evaluation_size: 48}
      train: {batch_size: 2, workers: 1}
      optimizer: {learning_rate: 1.0e-3, freeze: [], groups: []}
      schedule: {kind: constant}
      inference: {batch_size: 2, threshold: 0.0}
      plan: {\(plan), threads: 1}
      \(more)
      """)
  }
}

extension Image {
  /// Fills the pixels in a box of whole numbers.
  mutating func paint(_ box: BoundingBox, _ color: [UInt8]) {
    for y in Int(box.y)..<Int(box.y1) {
      for x in Int(box.x)..<Int(box.x1) {
        for k in 0..<3 { pixels[(y * width + x) * 3 + k] = color[k] }
      }
    }
  }
}
