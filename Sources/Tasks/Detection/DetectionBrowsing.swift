import Base
import Data
import Drawing
import Training
import Vision

extension Detection: DataBrowseTask {
  public static func samples(_ stage: Stage<DetectionConfig>) throws -> TrainingSamples<DetectionSample> {
    let data = try DetectionTraining.trainingSet(stage)
    let order = DetectionTraining.order(of: data, stage.config)
    return TrainingSamples(order, name: data.name) { index, random, seen in
      _ = try DetectionTraining.element(of: data, stage.config, at: index, random: &random, seen: seen)
    }
  }

  /// The objects to learn, with their classes, boxes and masks.
  public static func pictures(of view: DetectionSample, _ config: DetectionConfig) throws -> [SamplePicture] {
    let image = view.image
    let objects = view.objects.map { object in
      let mask = object.mask.isEmpty ? nil : RunLengthMask(height: image.height, width: image.width, flags: object.mask.map { $0 != 0 })
      return PicturedObject(config.categories.name(of: object.label), category: object.label, box: object.box, mask: mask)
    }
    let words = "\(image.width)x\(image.height), \(objects.count) object\(objects.count == 1 ? "" : "s")"
    return [try SamplePicture(words, AnnotatedPicture(image, objects: objects, width: SamplePicture.width(of: image)))]
  }
}
