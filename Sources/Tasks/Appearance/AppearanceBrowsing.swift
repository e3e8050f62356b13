import Base
import Data
import Drawing
import Training
import Vision

extension Appearance: DataBrowseTask {
  public static func samples(_ stage: Stage<AppearanceConfig>) throws -> TrainingSamples<IdentitySample> {
    let data = try AppearanceTraining.trainingSet(stage)
    return TrainingSamples(AppearanceTraining.order(of: data, stage.config), name: data.name) { index, random, seen in
      _ = try AppearanceTraining.element(of: data, stage.config, at: index, random: &random, seen: seen)
    }
  }

  public static func pictures(of view: IdentitySample, _ config: AppearanceConfig) throws -> [SamplePicture] {
    let size = "\(view.image.width)x\(view.image.height)"
    return [try SamplePicture(size, ImageFigure(view.image.fitted(width: min(128, max(64, view.image.width)))))]
  }
}
