import Base
import Vision

/// The network's input, and the targets that belong to it. Section `crop`.
/// - Source: the authors' pose repository.
public struct PoseCrop: Codable, Sendable, Equatable, ValidatedConfig {
  /// Of the network's input, px: multiples of 32.
  public var width = 192
  public var height = 256
  /// The crop's extent over that of the box.
  public var padding = 1.25
  /// Standard deviation of the targets, in cells of 4 px.
  public var sigma = 2.0

  public init() {}

  public init(width: Int, height: Int, sigma: Double) {
    self.width = width
    self.height = height
    self.sigma = sigma
  }

  /// Pixels of the input in a cell of the heatmaps.
  public static let stride = 4

  public var heatmapWidth: Int { width / PoseCrop.stride }
  public var heatmapHeight: Int { height / PoseCrop.stride }
  public var aspectRatio: Double { Double(width) / Double(height) }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    for (key, side) in [("width", width), ("height", height)] {
      problems.require((32...4096).contains(side) && side % PoseCrop.stride == 0, key, side, "a multiple of 4, 32 to 4096 px")
    }
    problems.require((0.5...10).contains(padding), "padding", padding, "0.5 to 10")
    problems.require((0.1...100).contains(sigma), "sigma", sigma, "0.1 to 100 cells")
    return problems
  }

  /// The crop around a detected box, which is taken as it is.
  public func crop(around box: BoundingBox) -> BodyCrop { BodyCrop(around: box, aspectRatio: aspectRatio, padding: padding) }

  /// The network's view of a body.
  public func sample(_ image: Image, _ crop: BodyCrop, _ keypoints: [Keypoint]) -> PoseSample {
    let transform = crop.transform(width: width, height: height)
    let moved = keypoints.map { keypoint in
      var keypoint = keypoint
      if keypoint.isLabeled { keypoint.position = transform(keypoint.position) }
      return keypoint
    }
    return PoseSample(image: image.warped(by: transform, width: width, height: height), crop: crop, keypoints: moved)
  }

  /// Heatmaps and weights of a sample.
  public func targets(_ keypoints: [Keypoint]) -> (maps: Heatmaps, weights: [Float]) {
    Heatmaps.targets(keypoints, height: heatmapHeight, width: heatmapWidth, stride: Double(PoseCrop.stride), sigma: sigma)
  }

  /// Found keypoints in pixels of the picture.
  public func keypoints(_ maps: Heatmaps, _ crop: BodyCrop) -> [ScoredKeypoint] {
    let back = crop.inverse(width: maps.width, height: maps.height)
    return maps.peaks().map { ScoredKeypoint(back($0.position), score: $0.score) }
  }
}

/// One body as the network sees it.
public struct PoseSample: Sendable {
  /// RGB, of the size of the network's input.
  public let image: Image
  /// The part of the picture that it shows.
  public let crop: BodyCrop
  /// In pixels of `image`; those that are not labelled stay so.
  public let keypoints: [Keypoint]
}

/// A body between two steps of its augmentation.
public struct PoseView: Sendable {
  public let image: Image
  /// The part that will be cut out; nil: it is cut out.
  public var crop: BodyCrop?
  /// In pixels of the image.
  public let keypoints: [Keypoint]

  public init(image: Image, crop: BodyCrop? = nil, keypoints: [Keypoint]) {
    (self.image, self.crop, self.keypoints) = (image, crop, keypoints)
  }
}

/// The random changes of a training sample. Section `augmentation`.
/// - Source: `JointsDataset` of HRNet's authors.
public struct PoseAugmentation: Codable, Sendable, Equatable, ValidatedConfig {
  public var flipProbability = 0.5
  /// The crop is scaled by 1 + so much · N(0, 1), at most by so much either way.
  public var scaleFactor = 0.35
  /// Degrees: the standard deviation of the rotation, which is at most twice as much.
  public var rotationFactor = 45.0
  public var rotationProbability = 0.6
  /// Share of bodies with more than `half_body_keypoints` labelled ones of which only the upper or the lower half is shown.
  public var halfBodyProbability = 0.3
  public var halfBodyKeypoints = 8

  public init() {}

  /// No change at all.
  public static let none = {
    var augmentation = PoseAugmentation()
    augmentation.flipProbability = 0
    augmentation.scaleFactor = 0
    augmentation.rotationProbability = 0
    augmentation.halfBodyProbability = 0
    return augmentation
  }()

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let shares = [("flip_probability", flipProbability), ("rotation_probability", rotationProbability),
                  ("half_body_probability", halfBodyProbability)]
    for (key, share) in shares { problems.require((0...1).contains(share), key, share, "0 to 1") }
    problems.require((0..<1).contains(scaleFactor), "scale_factor", scaleFactor, "0 or more, below 1")
    problems.require((0...90).contains(rotationFactor), "rotation_factor", rotationFactor, "0 to 90 degrees")
    problems.require((0...1000).contains(halfBodyKeypoints), "half_body_keypoints", halfBodyKeypoints, "0 to 1000")
    return problems
  }

  /// A training sample of a body.
  /// - Parameter skeleton: says what the upper body is, and what left and right.
  public func callAsFunction(
    _ image: Image, _ crop: BodyCrop, _ keypoints: [Keypoint], _ skeleton: Skeleton, _ settings: PoseCrop, random: inout Random,
    seen: AugmentationObserver<PoseView> = { _, _ in }
  ) -> PoseSample {
    var (image, crop, keypoints) = (image, crop, keypoints)
    func show(_ step: AugmentationStep) { seen(step) { PoseView(image: image, crop: crop, keypoints: keypoints) } }
    if !skeleton.upperBody.isEmpty, halfBodyProbability > 0 {
      var half: BodyCrop?
      if keypoints.count(where: \.isLabeled) > halfBodyKeypoints, random.chance(halfBodyProbability) {
        half = BodyCrop.half(
          of: keypoints, upper: Set(skeleton.upperBody), aspectRatio: settings.aspectRatio, draw: random.normal())
      }
      if let half { crop = half }
      show(AugmentationStep("half body", isTaken: half != nil))
    }
    let scale = (1 + scaleFactor * random.normal()).clamped(to: 1 - scaleFactor...1 + scaleFactor)
    crop.scale *= Float(scale)
    if scaleFactor > 0 { show(AugmentationStep("scale", "the crop by \(Int((100 * scale).rounded())) %")) }
    let angle = (rotationFactor * random.normal()).clamped(to: -2 * rotationFactor...2 * rotationFactor)
    let isTurned = random.chance(rotationProbability)
    crop.rotation = isTurned ? angle : 0
    if rotationFactor > 0, rotationProbability > 0 {
      show(AugmentationStep("rotation", isTurned ? "\(Int(angle.rounded()))°" : "", isTaken: isTurned))
    }
    let isFlipped = random.chance(flipProbability)
    if isFlipped {
      keypoints = Self.mirrored(keypoints, inWidth: image.width, skeleton)
      crop = crop.mirrored(inWidth: image.width)
      image = image.mirrored()
    }
    if flipProbability > 0 { show(AugmentationStep("flip", isFlipped ? "left and right" : "", isTaken: isFlipped)) }
    let sample = settings.sample(image, crop, keypoints)
    seen(AugmentationStep("crop")) { PoseView(image: sample.image, keypoints: sample.keypoints) }
    return sample
  }

  /// The keypoints in the mirror image of a picture.
  public static func mirrored(_ keypoints: [Keypoint], inWidth width: Int, _ skeleton: Skeleton) -> [Keypoint] {
    skeleton.mirrored.map { index in
      var keypoint = keypoints[index]
      if keypoint.isLabeled { keypoint.x = Double(width) - keypoint.x - 1 }
      return keypoint
    }
  }
}
