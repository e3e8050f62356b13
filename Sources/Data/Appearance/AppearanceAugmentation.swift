import Base
import Vision

/// A crop as an appearance network takes it.
public struct AppearanceInput: Sendable {
  public let height: Int
  public let width: Int
  /// 0 to 255, row-major, red, green and blue interleaved.
  public let pixels: [Float]
  public let identity: Int

  public init(height: Int, width: Int, pixels: [Float], identity: Int) {
    (self.height, self.width, self.pixels, self.identity) = (height, width, pixels, identity)
  }

  /// A picture as it is.
  public init(_ image: Image, identity: Int) {
    require(image.channels == 3, "AppearanceInput: an image of \(image.channels) channels, expected RGB")
    self.init(height: image.height, width: image.width, pixels: image.pixels.map(Float.init), identity: identity)
  }
}

/// The random changes of crops of objects: a smaller crop, a flip, colours, and an erased rectangle. Section `augmentation`.
public struct AppearanceAugmentation: Codable, Sendable, Equatable, ValidatedConfig {
  public var flipProbability = 0.5
  /// Share of the height, and of the width, that is cut off at random at most, at both sides together.
  public var cropShare = 0.1
  /// Factors of brightness, contrast and saturation lie within 1 ± these; the hue turns by this part of the circle at most.
  public var brightness = 0.2
  public var contrast = 0.2
  public var saturation = 0.2
  public var hue = 0.02
  /// How often a rectangle is replaced by the mean colour of the picture.
  public var eraseProbability = 0.3
  /// Its area, as a share of the picture's.
  public var eraseMinimum = 0.02
  public var eraseMaximum = 0.2

  public init() {}

  /// No change at all.
  public static var none: AppearanceAugmentation {
    var none = AppearanceAugmentation()
    (none.flipProbability, none.cropShare, none.eraseProbability) = (0, 0, 0)
    (none.brightness, none.contrast, none.saturation, none.hue) = (0, 0, 0, 0)
    return none
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    for (key, value) in [("flip_probability", flipProbability), ("erase_probability", eraseProbability)] {
      problems.require((0...1).contains(value), key, value, "0 to 1")
    }
    problems.require(cropShare >= 0 && cropShare <= 0.8, "crop_share", cropShare, "0 to 0.8")
    for (key, value) in [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)] {
      problems.require(value >= 0 && value <= 10, key, value, "0 to 10")
    }
    problems.require((0...0.5).contains(hue), "hue", hue, "0 to 0.5")
    problems.require(eraseMinimum > 0 && eraseMinimum <= 0.9, "erase_minimum", eraseMinimum, "above 0, at most 0.9")
    problems.require(eraseMaximum >= eraseMinimum && eraseMaximum <= 0.9, "erase_maximum", eraseMaximum,
                     "erase_minimum (\(eraseMinimum)) to 0.9")
    return problems
  }

  private var changesColors: Bool { brightness > 0 || contrast > 0 || saturation > 0 || hue > 0 }

  /// A training sample of the network's size.
  public func callAsFunction(
    _ sample: IdentitySample, height: Int, width: Int, random: inout Random, seen: AugmentationObserver<IdentitySample> = { _, _ in }
  ) -> AppearanceInput {
    var image = sample.image
    func tell(_ step: AugmentationStep) {
      let now = image
      seen(step) { IdentitySample(image: now, identity: sample.identity) }
    }
    let rows = kept(image.height, &random), columns = kept(image.width, &random)
    let isCut = rows.count < image.height || columns.count < image.width
    if isCut { image = image.cropped(rows: rows, columns: columns) }
    if cropShare > 0 { tell(AugmentationStep("crop", isCut ? "to \(image.width)x\(image.height)" : "", isTaken: isCut)) }
    let isScaled = (image.height, image.width) != (height, width)
    image = image.resized(height: height, width: width)
    tell(AugmentationStep("scale", isScaled ? "to \(width)x\(height)" : "", isTaken: isScaled))
    if flipProbability > 0 {
      let isFlipped = random.chance(flipProbability)
      if isFlipped { image = image.mirrored() }
      tell(AugmentationStep("flip", isFlipped ? "left and right" : "", isTaken: isFlipped))
    }
    if changesColors {
      var images = [image]
      ColorJitter(brightness: brightness, contrast: contrast, saturation: saturation, hue: hue, random: &random).apply(to: &images)
      image = images[0]
      tell(AugmentationStep("colours"))
    }
    if eraseProbability > 0 {
      let isErased = random.chance(eraseProbability)
      if isErased { erase(&image, &random) }
      tell(AugmentationStep("erasing", isErased ? "with the mean colour" : "", isTaken: isErased))
    }
    return AppearanceInput(image, identity: sample.identity)
  }

  /// What stays of an axis.
  private func kept(_ length: Int, _ random: inout Random) -> Range<Int> {
    guard cropShare > 0 else { return 0..<length }
    let cut = min(length - 1, Int(random.uniform(0, cropShare) * Double(length)))
    let start = random.integer(in: 0..<cut + 1)
    return start..<start + length - cut
  }

  /// - Source: Zhong, Zheng, Kang, Li, Yang, "Random erasing data augmentation", 2017, with one draw of a rectangle that is cut to the
  ///   picture.
  private func erase(_ image: inout Image, _ random: inout Random) {
    let area = random.uniform(eraseMinimum, eraseMaximum) * Double(image.height * image.width)
    let shape = random.uniform(0.3, 1 / 0.3)
    let rows = min(image.height, max(1, Int((area * shape).squareRoot())))
    let columns = min(image.width, max(1, Int((area / shape).squareRoot())))
    let top = random.integer(in: 0..<image.height - rows + 1), left = random.integer(in: 0..<image.width - columns + 1)
    var sums = [0, 0, 0]
    for (index, value) in image.pixels.enumerated() { sums[index % 3] += Int(value) }
    let mean = sums.map { UInt8($0 / (image.height * image.width)) }
    for y in top..<top + rows {
      for x in left..<left + columns {
        for channel in 0..<3 { image.pixels[3 * (y * image.width + x) + channel] = mean[channel] }
      }
    }
  }
}
