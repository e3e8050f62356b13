import Data
import Models
import Networks
import Tensors
import Vision

/// Runs a network on crops of bodies: with the flip test, if the config has it.
struct PoseEstimator {
  private let model: HRNetPose
  private let skeleton: Skeleton
  private let settings: PoseInferenceSettings

  init(_ model: HRNetPose, _ config: PoseConfig) {
    self.model = model
    skeleton = config.skeleton.skeleton
    settings = config.inference
  }

  /// - Parameter images: `[n, h, w, 3]`, normalised.
  func callAsFunction(_ images: Tensor) -> [Heatmaps] {
    noGradient {
      let maps = Heatmaps.list(of: model(images, .evaluation))
      guard settings.flipTest else { return maps }
      let mirrored = Heatmaps.list(of: model(images.reversed(2), .evaluation))
      return zip(maps, mirrored).map { $0.averaged(with: $1.flippedBack(skeleton, shift: settings.shiftHeatmaps)) }
    }
  }

  /// The keypoints of one batch of bodies in the boxes of a picture, in its pixels, and the area of each crop in px².
  func keypoints(of boxes: [BoundingBox], in image: Image, _ crop: PoseCrop) -> [(keypoints: [ScoredKeypoint], area: Double)] {
    let crops = boxes.map { crop.crop(around: $0) }
    let pixels = crops.flatMap { PixelNormalization()(crop.sample(image, $0, []).image) }
    let maps = self(Tensor(pixels, shape: [boxes.count, crop.height, crop.width, 3]))
    return zip(crops, maps).map { (crop.keypoints($1, $0), $0.area) }
  }
}

/// A body that was found in a picture.
struct PosedBody: Sendable {
  let imageID: Int
  let category: Int
  let keypoints: [ScoredKeypoint]
  /// Of the box.
  let boxScore: Double
  /// Of the crop, px².
  let area: Double
  /// The box's score times the mean of the peaks that count.
  private(set) var score: Double

  init(imageID: Int, category: Int, keypoints: [ScoredKeypoint], boxScore: Double, area: Double, countingAbove threshold: Double) {
    self.imageID = imageID
    self.category = category
    self.keypoints = keypoints
    self.boxScore = boxScore
    self.area = area
    let counted = keypoints.map(\.score).filter { $0 > threshold }
    score = counted.isEmpty ? 0 : boxScore * counted.reduce(0, +) / Double(counted.count)
  }

  var points: [SIMD2<Double>] { keypoints.map(\.position) }

  /// As COCO's result files have it: x, y and the height of the peak of each keypoint.
  var result: COCOResult {
    var result = COCOResult(imageID: imageID, categoryID: category, score: score)
    result.keypoints = keypoints.flatMap { [$0.position.x, $0.position.y, $0.score] }
    return result
  }

  /// The bodies of one picture that are not too much alike, in the order of their scores.
  static func suppressed(_ bodies: [PosedBody], _ skeleton: Skeleton, threshold: Double) -> [PosedBody] {
    skeleton.suppressed(bodies.map { ($0.points, $0.score, $0.area) }, threshold: threshold).map { bodies[$0] }
  }
}
