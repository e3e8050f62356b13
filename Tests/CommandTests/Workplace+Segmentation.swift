import Data
import Vision

/// A small data set of coloured areas with labels in plain folders, and a small HRNet that learns it.
extension Workplace {
  static let areas = ["ground", "sky", "box"]

  /// A picture of ground, sky above it and a box before them, and its labels; the pixels of the frame are ignored.
  static func area(_ index: Int, height: Int = 40, width: Int = 56) -> (image: Image, labels: LabelMap) {
    var picture = Workplace.picture(height: height, width: width, shift: 5 * index)
    var labels = LabelMap(height: height, width: width, filledWith: 0)
    let colors: [RGB] = [RGB(120, 90, 40), RGB(90, 150, 230), RGB(220, 40, 40)]
    let (horizon, left) = (12 + index % 8, 6 + 5 * index % 24)
    for y in 0..<height {
      for x in 0..<width {
        let isBox = (18..<32).contains(y) && (left..<left + 14).contains(x)
        let label = isBox ? 2 : y < horizon ? 1 : 0
        let isFrame = y == 0 || x == 0 || y == height - 1 || x == width - 1
        labels.values[y * width + x] = isFrame ? 255 : UInt16(label)
        picture[rgb: y * width + x] = picture[rgb: y * width + x].mixed(with: colors[label], share: 0.7)
      }
    }
    return (picture, labels)
  }

  /// Writes `NAME/images/I.png` and `NAME/labels/I.png`.
  /// - Parameter change: what the label files hold instead of the classes.
  func writeAreas(_ name: String, count: Int, first: Int = 0, change: (UInt16) -> UInt16 = { $0 }) throws {
    let colors = [RGB(128, 64, 0), RGB(0, 128, 255), RGB(255, 0, 0)]
    for index in first..<first + count {
      var (image, labels) = Workplace.area(index)
      labels.values = labels.values.map(change)
      try write("\(name)/images/\(index).png", PNG.encode(image))
      try write("\(name)/labels/\(index).png", PNG.encode(labels, palette: colors))
    }
  }

  /// Writes `seg.yaml` and the data: six pictures to learn from, three to judge by.
  /// - Parameters:
  ///   - model: further settings of the section `model`.
  ///   - plan: of the section `plan`.
  ///   - schedule: the length of the learning rate's curve, in steps; 0: that of the run.
  func prepareSegmentation(model: String = "", plan: String, schedule: Int = 0, more: String = "") throws {
    try writeAreas("train", count: 6)
    try writeAreas("val", count: 3, first: 20)
    let stages = "[{modules: 1, blocks: 1, widths: [4, 8]}, {modules: 1, blocks: 1, widths: [4, 8, 8]}, {modules: 1, blocks: 1, widths: [4, 8, 8, 8]}]"
    try write("seg.yaml", """
      task: segmentation
      model:
        backbone: {stages: \(stages), stem_width: 8, layer1_blocks: 1, layer1_width: 4}
        classes: 0
        \(model)
      labels: {classes: [ground, sky, box]}
      data: {images: train/images, labels: train/labels}
      validation: {images: val/images, labels: val/labels}
      augmentation: {base_size: 0, crop_height: 32, crop_width: 64, scale_minimum: 0.8, scale_maximum: 1.4}
      train: {batch_size: 2, workers: 1}
      loss: {kind: ohem, threshold: 0.8, min_kept: 500}
      optimizer: {learning_rate: 0.05, weight_decay: 1.0e-4}
      schedule: {kind: polynomial, steps: \(schedule)}
      inference: {batch_size: 2}
      plan: {\(plan), threads: 1}
      \(more)
      """)
  }
}
