import Base

extension FlowAugmentation: ValidatedConfig {
  /// Pixels of a crop, at most: 64 million, far above any data set.
  public static let largestCrop = 1 << 26

  /// The settings that are out of range: key as in config files, value, and what is allowed.
  public func problems() -> [ConfigProblem] {
    let side = 1...65536
    let octaves = -5.0...5
    var problems = cropProblems
    for (key, value) in [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)] {
      problems.require((0...10).contains(value), key, value, "0 to 10")
    }
    problems.require((0...0.5).contains(hue), "hue", hue, "0 to 0.5")
    problems.require((1...1000).contains(eraserMaximumCount), "eraser_maximum_count", eraserMaximumCount, "1 to 1000")
    problems.require(side.contains(eraserMinimumSide), "eraser_minimum_side", eraserMinimumSide, "1 to 65536")
    problems.require(side.contains(eraserMaximumSide) && eraserMaximumSide >= eraserMinimumSide, "eraser_maximum_side", eraserMaximumSide,
                     "eraser_minimum_side (\(eraserMinimumSide)) to 65536")
    problems.require(octaves.contains(minimumScale), "minimum_scale", minimumScale, "-5 to 5 (a binary logarithm)")
    problems.require(octaves.contains(maximumScale) && !(maximumScale < minimumScale), "maximum_scale", maximumScale,
                     "minimum_scale (\(minimumScale)) to 5 (a binary logarithm)")
    problems.require((0...5).contains(maximumStretch), "maximum_stretch", maximumStretch, "0 to 5")
    problems.require((0...1024).contains(cropMargin), "crop_margin", cropMargin, "0 to 1024")
    problems.require((0...65536).contains(overhangRows), "overhang_rows", overhangRows, "0 to 65536")
    problems.require((0...65536).contains(overhangColumns), "overhang_columns", overhangColumns, "0 to 65536")
    problems.require(maximumDisplacement > 0, "maximum_displacement", maximumDisplacement, "above 0")
    for (key, value) in probabilities { problems.require((0...1).contains(value), key, value, "0 to 1") }
    return problems
  }

  /// Crops that are too large; networks have demands of their own on small ones.
  private var cropProblems: [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(cropHeight <= 65536, "crop_height", cropHeight, "at most 65536")
    problems.require(cropWidth <= 65536, "crop_width", cropWidth, "at most 65536")
    guard problems.isEmpty, cropHeight > 0, cropWidth > 0 else { return problems }
    let largest = FlowAugmentation.largestCrop
    problems.require(cropHeight * cropWidth <= largest, "crop_width", cropWidth,
                     "at most \(largest / cropHeight) with crop_height \(cropHeight): \(largest) pixels in all")
    return problems
  }

  private var probabilities: [(key: String, value: Double)] {
    [
      ("asymmetric_probability", asymmetricProbability),
      ("eraser_probability", eraserProbability),
      ("resize_probability", resizeProbability),
      ("stretch_probability", stretchProbability),
      ("horizontal_flip_probability", horizontalFlipProbability),
      ("vertical_flip_probability", verticalFlipProbability),
    ]
  }

  /// - Throws: `.usage` at `place` with all problems.
  public func validate(at place: String = "augmentation") throws {
    var problems = problems()
    problems.require(cropHeight >= 1, "crop_height", cropHeight, "1 to 65536")
    problems.require(cropWidth >= 1, "crop_width", cropWidth, "1 to 65536")
    guard !problems.isEmpty else { return }
    throw Failure(.usage, at: place, "", items: problems.map { "\($0.key) is \($0.value); allowed: \($0.allowed)" })
  }
}
