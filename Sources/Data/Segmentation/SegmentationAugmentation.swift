import Base
import Vision

/// A picture as the network takes it, with the class of each pixel.
public struct SegmentationInput: Sendable {
  public let height: Int
  public let width: Int
  /// Normalised, row-major, red, green and blue interleaved.
  public let pixels: [Float]
  public let labels: LabelMap

  public init(height: Int, width: Int, pixels: [Float], labels: LabelMap) {
    self.height = height
    self.width = width
    self.pixels = pixels
    self.labels = labels
  }
}

/// The random changes of segmentation: scale, crop, flip and, if asked for, brightness; labels always take the nearest pixel.
///
/// The picture is resized so that its longer side has `baseSize` times a random factor, and a random part of the crop's size is taken.
/// Where it is smaller, it stays in the upper left corner; the rest is the mean colour and ignored.
/// - Source: the published HRNet segmentation code: factor 0.5 + k / 10 with k drawn from 0...16.
public struct SegmentationAugmentation: Codable, Sendable, Equatable, ValidatedConfig {
  /// The longer side of the picture at factor 1, px; 0: as it is.
  public var baseSize = 2048
  /// What the network sees of it, px.
  public var cropHeight = 512
  public var cropWidth = 1024
  /// The factors: from the least to the greatest in steps; step 0: any between them.
  public var scaleMinimum = 0.5
  public var scaleMaximum = 2.1
  public var scaleStep = 0.1
  public var flipProbability = 0.5
  /// Pairs of classes that a flip exchanges, such as left and right arm.
  public var flipPairs: [[Int]] = []
  /// Grey levels that are added or taken off at most, in half of the samples; 0: never.
  public var brightness = 0
  public var normalization = PixelNormalization()

  public init() {}

  public func problems() -> [ConfigProblem] {
    let side = 8...16_384
    var problems: [ConfigProblem] = []
    problems.require(baseSize == 0 || side.contains(baseSize), "base_size", baseSize, "0 (as it is), or 8 to 16384")
    problems.require(side.contains(cropHeight), "crop_height", cropHeight, "8 to 16384")
    problems.require(side.contains(cropWidth), "crop_width", cropWidth, "8 to 16384")
    problems.require((0.01...100).contains(scaleMinimum), "scale_minimum", scaleMinimum, "0.01 to 100")
    problems.require(scaleMaximum >= scaleMinimum && scaleMaximum <= 100, "scale_maximum", scaleMaximum,
                     "scale_minimum (\(scaleMinimum)) to 100")
    problems.require(scaleStep == 0 || (1e-4...100).contains(scaleStep), "scale_step", scaleStep, "0 (any factor), or 0.0001 to 100")
    problems.require((0...1).contains(flipProbability), "flip_probability", flipProbability, "0 to 1")
    let members = flipPairs.flatMap { $0 }
    let arePairs = flipPairs.allSatisfy { $0.count == 2 } && Set(members).count == members.count
    problems.require(arePairs && members.allSatisfy { (0..<LabelRules.mostClasses).contains($0) }, "flip_pairs", flipPairs.prefix(4),
                     "pairs of classes, each class once")
    problems.require((0...255).contains(brightness), "brightness", brightness, "0 (never) to 255")
    return problems
  }

  /// A training sample.
  public func callAsFunction(
    _ sample: SegmentationSample, random: inout Random, seen: AugmentationObserver<SegmentationSample> = { _, _ in }
  ) -> SegmentationInput {
    let size = Self.size(of: sample.image, longer: longerSide(sample.image, factor(&random)))
    let rows = kept(cropHeight, of: size.height, &random)
    let columns = kept(cropWidth, of: size.width, &random)
    let isScaled = size != (sample.image.height, sample.image.width)
    seen(AugmentationStep("scale", isScaled ? "from \(sample.image.width)x\(sample.image.height)" : "", isTaken: isScaled)) {
      Self.resized(sample, to: size, rows: 0..<size.height, columns: 0..<size.width)
    }
    var part = Self.resized(sample, to: size, rows: rows, columns: columns)
    let isCut = rows.count < size.height || columns.count < size.width
    let place = "from column \(columns.lowerBound), row \(rows.lowerBound)"
    seen(AugmentationStep("crop", isCut ? place : "", isTaken: isCut)) { part }
    if brightness > 0 {
      let isTaken = random.chance(0.5)
      let shift = isTaken ? random.integer(in: -brightness..<brightness + 1) : 0
      if isTaken { part.image.pixels = part.image.pixels.map { UInt8(clamping: Int($0) + shift) } }
      seen(AugmentationStep("brightness", isTaken ? "by \(shift) levels" : "", isTaken: isTaken)) { part }
    }
    let isFlipped = random.chance(flipProbability)
    let pixels = normalization(part.image, height: cropHeight, width: cropWidth, isFlipped: isFlipped)
    let labels = canvas(part.labels, isFlipped: isFlipped)
    seen(AugmentationStep("flip", isFlipped ? "left and right" : "", isTaken: isFlipped)) {
      let whole = canvas(part.labels, isFlipped: isFlipped, height: part.labels.height, width: part.labels.width)
      return SegmentationSample(image: isFlipped ? part.image.mirrored() : part.image, labels: whole)
    }
    let isFilled = rows.count < cropHeight || columns.count < cropWidth
    let filling = isFilled ? "with the mean colour" : ""
    seen(AugmentationStep("padding", filling, isTaken: isFilled)) {
      SegmentationSample(image: normalization.image(pixels, height: cropHeight, width: cropWidth), labels: labels)
    }
    return SegmentationInput(height: cropHeight, width: cropWidth, pixels: pixels, labels: labels)
  }

  /// A whole picture in the size that inference takes it in.
  /// - Parameters:
  ///   - factor: of the base size, or of the picture's own.
  ///   - least: a canvas that is at least so large is filled up with the mean colour.
  /// - Returns: the network's view, and the part of it that is picture.
  public func evaluated(
    _ image: Image, factor: Double = 1, least: (height: Int, width: Int) = (1, 1)
  ) -> (input: SegmentationInput, height: Int, width: Int) {
    let size = Self.size(of: image, longer: longerSide(image, factor))
    let (height, width) = (max(size.height, least.height), max(size.width, least.width))
    let rows = Self.axis(image.height, size.height, 0..<size.height)
    let columns = Self.axis(image.width, size.width, 0..<size.width)
    let resized = size == (image.height, image.width) ? image : image.sampled(rows: rows, columns: columns)
    let pixels = normalization(resized, height: height, width: width)
    let none = LabelMap(height: height, width: width, filledWith: LabelMap.ignored)
    return (SegmentationInput(height: height, width: width, pixels: pixels, labels: none), size.height, size.width)
  }

  private func factor(_ random: inout Random) -> Double {
    guard scaleStep > 0 else { return random.uniform(scaleMinimum, scaleMaximum) }
    let steps = Int(((scaleMaximum - scaleMinimum) / scaleStep + 1e-9).rounded(.down))
    return scaleMinimum + scaleStep * Double(random.integer(in: 0..<steps + 1))
  }

  private func longerSide(_ image: Image, _ factor: Double) -> Int {
    let base = baseSize > 0 ? baseSize : max(image.height, image.width)
    return max(1, Int(Double(base) * factor + 0.5))
  }

  /// The size with a given longer side, in the picture's proportions.
  static func size(of image: Image, longer: Int) -> (height: Int, width: Int) {
    let (h, w) = (Double(image.height), Double(image.width))
    return h > w ? (longer, max(1, Int(w * Double(longer) / h + 0.5))) : (max(1, Int(h * Double(longer) / w + 0.5)), longer)
  }

  /// A random part of an axis that is longer than the crop, else all of it.
  private func kept(_ crop: Int, of length: Int, _ random: inout Random) -> Range<Int> {
    guard length > crop else { return 0..<length }
    let start = random.integer(in: 0..<length - crop + 1)
    return start..<start + crop
  }

  private static func axis(_ count: Int, _ length: Int, _ kept: Range<Int>) -> ResamplingAxis {
    ResamplingAxis(resizing: count, by: Double(length) / Double(count), keeping: kept)
  }

  /// Rows and columns of the sample at another size.
  static func resized(
    _ sample: SegmentationSample, to size: (height: Int, width: Int), rows: Range<Int>, columns: Range<Int>
  ) -> SegmentationSample {
    let (h, w) = (sample.image.height, sample.image.width)
    let image = sample.image.sampled(rows: axis(h, size.height, rows), columns: axis(w, size.width, columns))
    let labels = sample.labels.sampled(rows: rows.map { $0 * h / size.height }, columns: columns.map { $0 * w / size.width })
    return SegmentationSample(image: image, labels: labels)
  }

  private func canvas(_ labels: LabelMap, isFlipped: Bool) -> LabelMap {
    canvas(labels, isFlipped: isFlipped, height: cropHeight, width: cropWidth)
  }

  /// Labels in the upper left corner of a canvas, ignored elsewhere; the whole canvas flipped.
  private func canvas(_ labels: LabelMap, isFlipped: Bool, height: Int, width: Int) -> LabelMap {
    var partner = Array(0...LabelMap.ignored)
    for pair in flipPairs where isFlipped { (partner[pair[0]], partner[pair[1]]) = (UInt16(pair[1]), UInt16(pair[0])) }
    var map = LabelMap(height: height, width: width, filledWith: LabelMap.ignored)
    for y in 0..<labels.height {
      for x in 0..<labels.width {
        let target = y * width + (isFlipped ? width - 1 - x : x)
        map.values[target] = partner[Int(labels.values[y * labels.width + x])]
      }
    }
    return map
  }
}
