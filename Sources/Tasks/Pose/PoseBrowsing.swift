import Base
import Data
import Drawing
import Training
import Vision

extension Pose: DataBrowseTask {
  public static func samples(_ stage: Stage<PoseConfig>) throws -> TrainingSamples<PoseView> {
    let data = try PoseTraining.trainingSet(stage)
    let order = PoseTraining.order(of: data, stage.config)
    return TrainingSamples(order, name: data.name) { index, random, seen in
      _ = try PoseTraining.element(of: data, stage.config, at: index, random: &random, seen: seen)
    }
  }

  /// The skeleton, and before it is cut out the crop; of the network's view also the targets of its heatmaps, the largest of all keypoints
  /// in each place.
  public static func pictures(of view: PoseView, _ config: PoseConfig) throws -> [SamplePicture] {
    let skeleton = config.skeleton.skeleton
    let image = view.image
    let words = "\(image.width)x\(image.height)"
    var picture = AnnotatedPicture(image, bodies: [PicturedBody(view.keypoints)], skeleton, width: SamplePicture.width(of: image))
    if let crop = view.crop {
      picture.skeletons.insert(frame(of: crop, config.crop), at: 0)
      return [try SamplePicture("\(words), framed: the crop", picture)]
    }
    let targets = config.crop.targets(view.keypoints).maps.overlay(on: image.fitted(width: picture.width))
    return [try SamplePicture(words, picture), SamplePicture("targets of the heatmaps", targets)]
  }

  /// The border of a crop in its picture; its corners are marked, and the upper edge has a colour of its own.
  private static func frame(of crop: BodyCrop, _ settings: PoseCrop) -> PicturedSkeleton {
    let (width, height) = (Double(settings.width), Double(settings.height))
    let back = crop.transform(width: settings.width, height: settings.height).inverse
    let corners = [SIMD2(0, 0), SIMD2(width, 0), SIMD2(width, height), SIMD2(0, height)].map { back($0) }
    let limbs = (0..<4).map { PicturedSkeleton.Limb($0, ($0 + 1) % 4, $0 == 0 ? Palette.color(3) : Palette.color(4)) }
    return PicturedSkeleton(joints: corners.map { Point($0.x, $0.y) }, limbs: limbs)
  }
}
