import Base
import Vision

/// RAFT's random changes of a sample: colours, an eraser, and a resize, flip and crop, in this order.
///
///     var random = Random(seed: 1234, stream: .augmentation, epoch: epoch, sample: index)
///     let changed = FlowAugmentation.chairs(sample, random: &random)
///
/// The defaults are those of the FlyingChairs stage; `Preset` has those of the others. Probabilities are in 0...1.
///
/// - Source: Teed and Deng, "RAFT", ECCV 2020, supplement and published code.
public struct FlowAugmentation: Codable, Sendable, Equatable {
  /// The way of resizing flow.
  public enum Kind: String, ConfigChoice {
    /// Bilinearly; a vector is known where all that it blends are.
    case dense
    /// Each known vector is moved to the pixel where it comes to lie, so that none is blended with unknown ones.
    case sparse
  }

  /// The position of the crop.
  public enum Crop: String, ConfigChoice {
    /// Uniform over the places that fit.
    case random
    /// In the middle (one pixel up or left of it where the sides differ in parity).
    case center
  }

  /// Gives the values of all settings that are not set themselves.
  public var preset = Preset.chairs
  public var kind = Kind.dense
  /// Size of the result, in pixels.
  public var cropHeight = 368
  public var cropWidth = 496
  public var crop = Crop.random

  /// True: colours change.
  public var photometric = true
  /// Half-widths of the uniform ranges of the brightness, contrast and saturation factors around 1.
  public var brightness = 0.4
  public var contrast = 0.4
  public var saturation = 0.4
  /// Largest turn of the hue, as a part of the circle, 0...0.5.
  public var hue = 0.5 / 3.14
  /// Probability, 0...1, of different colour changes for the two images.
  public var asymmetricProbability = 0.2

  /// True: rectangles of the second image may be erased, as if something hid the view.
  public var eraser = true
  public var eraserProbability = 0.5
  /// At most so many rectangles (at least one).
  public var eraserMaximumCount = 2
  /// Smallest and largest side of a rectangle, in pixels.
  public var eraserMinimumSide = 50
  public var eraserMaximumSide = 99

  /// True: the geometry changes beyond the crop. An image smaller than the crop is enlarged in any case.
  public var spatial = true
  /// Probability, 0...1, of a resize.
  public var resizeProbability = 0.8
  /// Range of the binary logarithm of the scale.
  public var minimumScale = -0.1
  public var maximumScale = 1.0
  /// Probability, 0...1, of different scales for the two axes.
  public var stretchProbability = 0.8
  /// Largest binary logarithm of the additional factor of each axis.
  public var maximumStretch = 0.2
  /// The scale is at least so large that these rows and columns remain beside the crop.
  public var cropMargin = 8
  /// The crop's offset is drawn from a range that is longer by so many rows at the bottom, and columns at the left and at the right, and
  /// then moved inside: so the crop lies at these borders more often.
  public var overhangRows = 0
  public var overhangColumns = 0
  public var horizontalFlipProbability = 0.5
  public var verticalFlipProbability = 0.1

  /// Vectors with a component of this size or more, in pixels of the result, become invalid; `.inf`: none.
  public var maximumDisplacement = 1000.0

  public init() {}

  /// The FlyingChairs stage.
  public static let chairs = FlowAugmentation()

  /// No randomness: the centre of the image, for validation during training.
  public static func centerCrop(height: Int, width: Int) -> FlowAugmentation {
    var augmentation = FlowAugmentation()
    (augmentation.cropHeight, augmentation.cropWidth, augmentation.crop) = (height, width, .center)
    (augmentation.photometric, augmentation.eraser, augmentation.spatial) = (false, false, false)
    return augmentation
  }

  /// Changes one sample; all draws come from `random`. The result has the size of the crop.
  public func callAsFunction(
    _ sample: FlowSample, random: inout Random, seen: AugmentationObserver<FlowSample> = { _, _ in }
  ) -> FlowSample {
    var images = [sample.image1, sample.image2]
    func show(_ step: AugmentationStep) { seen(step) { FlowSample(image1: images[0], image2: images[1], flow: sample.flow) } }
    if photometric {
      let isAsymmetric = jitterColors(of: &images, random: &random)
      show(AugmentationStep("colours", isAsymmetric ? "each frame by draws of its own" : "both frames alike"))
    }
    if eraser {
      let isTaken = random.chance(eraserProbability)
      if isTaken { erase(&images[1], random: &random) }
      show(AugmentationStep("eraser", isTaken ? "rectangles of the second frame" : "", isTaken: isTaken))
    }
    let draw = SpatialDraw(self, height: sample.flow.height, width: sample.flow.width, random: &random)
    for (step, transform) in draw.steps(isSpatial: spatial) {
      seen(step) { FlowSample(image1: transform()(images[0]), image2: transform()(images[1]), flow: transform()(sample.flow)) }
    }
    let transform = SpatialTransform(draw)
    var flow = transform(sample.flow)
    invalidateLargeVectors(of: &flow)
    let result = FlowSample(image1: transform(images[0]), image2: transform(images[1]), flow: flow)
    seen(AugmentationStep("crop", "from column \(draw.columns.lowerBound), row \(draw.rows.lowerBound)")) { result }
    return result
  }

  /// - Returns: whether the two images were changed by different draws.
  private func jitterColors(of images: inout [Image], random: inout Random) -> Bool {
    let isAsymmetric = random.chance(asymmetricProbability)
    if isAsymmetric {
      for i in images.indices {
        var single = [images[i]]
        ColorJitter(self, random: &random).apply(to: &single)
        images[i] = single[0]
      }
    } else {
      ColorJitter(self, random: &random).apply(to: &images)
    }
    return isAsymmetric
  }

  /// Fills rectangles with the mean colour of the image, truncated; the corner is uniform, so some of it may lie outside.
  private func erase(_ image: inout Image, random: inout Random) {
    let mean = FlowAugmentation.meanColor(of: image)
    for _ in 0..<random.integer(in: 1..<eraserMaximumCount + 1) {
      let left = random.integer(in: 0..<image.width)
      let top = random.integer(in: 0..<image.height)
      let columns = random.integer(in: eraserMinimumSide..<eraserMaximumSide + 1)
      let rows = random.integer(in: eraserMinimumSide..<eraserMaximumSide + 1)
      for y in top..<min(top + rows, image.height) {
        for x in left..<min(left + columns, image.width) {
          for c in 0..<3 { image.pixels[3 * (y * image.width + x) + c] = mean[c] }
        }
      }
    }
  }

  private static func meanColor(of image: Image) -> SIMD3<UInt8> {
    var sum = SIMD3<Int>()
    image.pixels.withUnsafeBufferPointer { pixels in
      for i in stride(from: 0, to: pixels.count, by: 3) {
        sum &+= SIMD3(Int(pixels[i]), Int(pixels[i + 1]), Int(pixels[i + 2]))
      }
    }
    return SIMD3(truncatingIfNeeded: sum / SIMD3(repeating: image.height * image.width))
  }

  private func invalidateLargeVectors(of flow: inout FlowField) {
    let limit = Float(maximumDisplacement)
    for i in flow.isValid.indices where !(abs(flow.vectors[2 * i]) < limit && abs(flow.vectors[2 * i + 1]) < limit) {
      flow.isValid[i] = false
    }
  }
}
