import Data
import Drawing
import Models
import Vision

extension Detection {
  /// An image with the objects that the network finds, and the true ones dashed.
  static func picture(
    of example: COCODetection.Example, _ prediction: DetectionEvaluator.Prediction, _ config: DetectionConfig
  ) -> AnnotatedPicture {
    let truths = example.sample.objects.map { PicturedObject("", category: $0.label, box: $0.box) }
    return AnnotatedPicture(example.sample.image, objects: objects(prediction, config), truths: truths)
  }

  /// The objects above the config's threshold.
  static func objects(_ prediction: DetectionEvaluator.Prediction, _ config: DetectionConfig) -> [PicturedObject] {
    let categories = config.categories
    return prediction.detections.enumerated().filter { $1.score >= config.inference.threshold }.map { index, detection in
      PicturedObject(categories.name(of: detection.label), category: detection.label, score: detection.score, box: detection.box,
                     mask: prediction.mask(at: index))
    }
  }
}
