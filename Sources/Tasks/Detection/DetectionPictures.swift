import Data
import Drawing
import Models
import Vision

extension Detection {
  /// An image with the objects that the network finds, and the true ones dashed.
  static func picture(
    of example: COCODetection.Example, _ prediction: DetectionEvaluator.Prediction, _ config: DetectionConfig, title: String
  ) -> AnnotatedPicture {
    let truths = example.sample.objects.map { object in
      LabeledBox(Rectangle(object.box), color: Palette.color(object.label), isDashed: true)
    }
    return AnnotatedPicture(example.sample.image, boxes: truths + boxes(prediction, config))
  }

  /// The objects above the config's threshold, the best one last.
  static func boxes(_ prediction: DetectionEvaluator.Prediction, _ config: DetectionConfig) -> [LabeledBox] {
    prediction.detections.filter { $0.score >= config.inference.threshold }.sorted { $0.score < $1.score }.map { detection in
      LabeledBox(
        Rectangle(BoundingBox(detection)), label: "\(config.className(detection.label)) \(Int((100 * detection.score).rounded())) %",
        color: Palette.color(detection.label))
    }
  }
}

extension Rectangle {
  fileprivate init(_ box: BoundingBox) { self.init(left: box.x, top: box.y, width: box.width, height: box.height) }
}
