import Base
import Vision

/// The random changes of a training image, and the size of all images. Section `augmentation`.
///
/// Training: a flip; with `crop_probability` a resize to one of `crop_sizes` and a random crop; then a resize to one of `sizes`.
/// Evaluation: a resize to `evaluation_size`. Sizes are those of the shorter side; the longer one is at most `maximum_size`.
/// - Source: DETR, section 4 and appendix A.4; as the authors' training script has it.
public struct DetectionAugmentation: Codable, Sendable, Equatable, ValidatedConfig {
  public var flipProbability = 0.5
  public var sizes = Array(stride(from: 480, through: 800, by: 32))
  public var maximumSize = 1333
  public var cropProbability = 0.5
  /// Shorter sides before a crop.
  public var cropSizes = [400, 500, 600]
  /// Each side of a crop has this length at least (or the image's, if that is less), and at most `crop_maximum`.
  public var cropMinimum = 384
  public var cropMaximum = 600
  public var evaluationSize = 800

  public init() {}

  public func problems() -> [ConfigProblem] {
    let side = 8...16_384
    var problems: [ConfigProblem] = []
    problems.require((0...1).contains(flipProbability), "flip_probability", flipProbability, "0 to 1")
    problems.require((0...1).contains(cropProbability), "crop_probability", cropProbability, "0 to 1")
    for (key, list) in [("sizes", sizes), ("crop_sizes", cropSizes)] {
      problems.require(!list.isEmpty && list.allSatisfy(side.contains), key, list, "one or more, each 8 to 16384")
    }
    for (key, value) in [("maximum_size", maximumSize), ("crop_maximum", cropMaximum), ("evaluation_size", evaluationSize)] {
      problems.require(side.contains(value), key, value, "8 to 16384")
    }
    problems.require((8...max(8, cropMaximum)).contains(cropMinimum), "crop_minimum", cropMinimum, "8 to crop_maximum (\(cropMaximum))")
    return problems
  }

  /// A training sample with its random changes.
  public func callAsFunction(
    _ sample: DetectionSample, random: inout Random, seen: AugmentationObserver<DetectionSample> = { _, _ in }
  ) -> DetectionSample {
    var sample = sample
    let isFlipped = random.chance(flipProbability)
    if isFlipped { sample = sample.flipped() }
    seen(AugmentationStep("flip", isFlipped ? "left and right" : "", isTaken: isFlipped)) { sample }
    let isCropped = random.chance(cropProbability)
    if isCropped {
      sample = resized(sample, to: cropSizes[random.integer(in: 0..<cropSizes.count)], longest: nil)
      seen(AugmentationStep("resize before the crop")) { sample }
      let width = cropLength(sample.image.width, &random)
      let height = cropLength(sample.image.height, &random)
      let top = random.integer(in: 0..<sample.image.height - height + 1)
      let left = random.integer(in: 0..<sample.image.width - width + 1)
      sample = sample.cropped(top: top, left: left, height: height, width: width)
      seen(AugmentationStep("crop", "from column \(left), row \(top)")) { sample }
    } else {
      seen(AugmentationStep("crop", isTaken: false)) { sample }
    }
    let before = (sample.image.width, sample.image.height)
    sample = resized(sample, to: sizes[random.integer(in: 0..<sizes.count)], longest: maximumSize)
    let isResized = before != (sample.image.width, sample.image.height)
    seen(AugmentationStep("resize", isResized ? "from \(before.0)x\(before.1)" : "", isTaken: isResized)) { sample }
    return sample
  }

  /// A sample as evaluation sees it.
  public func evaluated(_ sample: DetectionSample) -> DetectionSample { resized(sample, to: evaluationSize, longest: maximumSize) }

  private func cropLength(_ side: Int, _ random: inout Random) -> Int {
    let most = min(side, cropMaximum)
    return random.integer(in: min(cropMinimum, most)..<most + 1)
  }

  private func resized(_ sample: DetectionSample, to size: Int, longest: Int?) -> DetectionSample {
    let target = Self.size(height: sample.image.height, width: sample.image.width, shorter: size, longest: longest)
    guard target != (sample.image.height, sample.image.width) else { return sample }
    return sample.resized(height: target.height, width: target.width)
  }

  /// The size with a given shorter side, less if the longer one would be more than `longest`; fractions of a pixel are dropped.
  public static func size(height: Int, width: Int, shorter: Int, longest: Int?) -> (height: Int, width: Int) {
    let least = Double(min(height, width))
    let most = Double(max(height, width))
    var size = shorter
    if let longest, most / least * Double(size) > Double(longest) {
      size = Int((Double(longest) * least / most).rounded(.toNearestOrEven))
    }
    if min(height, width) == size { return (height, width) }
    let other = max(1, Int(Double(size) * most / least))
    return width < height ? (other, size) : (size, other)
  }
}
