import Base
import Data
import Drawing
import Training
import Vision

extension Inpainting: DataBrowseTask {
  public static func samples(_ stage: Stage<InpaintingConfig>) throws -> TrainingSamples<InpaintingView> {
    let data = try InpaintingTraining.trainingSet(stage)
    let order = InpaintingTraining.order(of: data, stage.config)
    func name(_ index: Int) -> String { data.name(of: index % data.count) + (index >= data.count ? ", mirrored" : "") }
    return TrainingSamples(order, name: name) { index, random, seen in
      _ = try InpaintingTraining.element(of: data, at: index, random: &random, seen: seen)
    }
  }

  /// The picture; as soon as there is a mask, the mask and what is known of the picture.
  public static func pictures(of view: InpaintingView, _ config: InpaintingConfig) throws -> [SamplePicture] {
    let width = SamplePicture.width(of: view.image)
    guard let mask = view.mask else {
      return [SamplePicture("\(view.image.width)x\(view.image.height)", view.image.fitted(width: width))]
    }
    let hole = Int((100 * mask.holeShare).rounded())
    return [SamplePicture("\(hole) % is hole", mask.image.rgb().fitted(width: width)),
            SamplePicture("what is known", mask.applied(to: view.image).fitted(width: width))]
  }
}
