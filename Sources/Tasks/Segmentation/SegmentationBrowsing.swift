import Base
import Data
import Drawing
import Training
import Vision

extension Segmentation: DataBrowseTask {
  public static func samples(_ stage: Stage<SegmentationConfig>) throws -> TrainingSamples<SegmentationSample> {
    let data = try SegmentationTraining.trainingSet(stage)
    let order = SegmentationTraining.order(of: data, stage.config)
    return TrainingSamples(order, name: data.name) { index, random, seen in
      _ = try SegmentationTraining.element(of: data, stage.config, at: index, random: &random, seen: seen)
    }
  }

  /// The picture, and its classes over it with their names; pixels that are ignored stay uncoloured.
  public static func pictures(of view: SegmentationSample, _ config: SegmentationConfig) throws -> [SamplePicture] {
    let width = SamplePicture.width(of: view.image)
    var overlay = Segmentation.overlay(of: view.image, view.labels, config)
    overlay.width = width
    let picture = ImageFigure(view.image.fitted(width: width))
    return [try .stacked("\(view.image.width)x\(view.image.height)", [("", picture), ("", overlay)])]
  }
}
