import Base

extension FlowAugmentation {
  /// The settings that are out of range: key as in config files, value, and what is allowed.
  public var problems: [(key: String, value: String, allowed: String)] {
    let share = 0.0...1, factor = 0.0...10, side = 1...65536, octaves = -5.0...5
    return [
      ("crop_height", "\(cropHeight)", "1 to 65536", side.contains(cropHeight)),
      ("crop_width", "\(cropWidth)", "1 to 65536", side.contains(cropWidth)),
      ("brightness", "\(brightness)", "0 to 10", factor.contains(brightness)),
      ("contrast", "\(contrast)", "0 to 10", factor.contains(contrast)),
      ("saturation", "\(saturation)", "0 to 10", factor.contains(saturation)),
      ("hue", "\(hue)", "0 to 0.5", (0...0.5).contains(hue)),
      ("asymmetric_probability", "\(asymmetricProbability)", "0 to 1", share.contains(asymmetricProbability)),
      ("eraser_probability", "\(eraserProbability)", "0 to 1", share.contains(eraserProbability)),
      ("eraser_maximum_count", "\(eraserMaximumCount)", "1 to 1000", (1...1000).contains(eraserMaximumCount)),
      ("eraser_minimum_side", "\(eraserMinimumSide)", "1 to 65536", side.contains(eraserMinimumSide)),
      ("eraser_maximum_side", "\(eraserMaximumSide)", "eraser_minimum_side (\(eraserMinimumSide)) to 65536",
       side.contains(eraserMaximumSide) && eraserMaximumSide >= eraserMinimumSide),
      ("resize_probability", "\(resizeProbability)", "0 to 1", share.contains(resizeProbability)),
      ("minimum_scale", "\(minimumScale)", "-5 to 5 (a binary logarithm)", octaves.contains(minimumScale)),
      ("maximum_scale", "\(maximumScale)", "minimum_scale (\(minimumScale)) to 5 (a binary logarithm)",
       octaves.contains(maximumScale) && !(maximumScale < minimumScale)),
      ("stretch_probability", "\(stretchProbability)", "0 to 1", share.contains(stretchProbability)),
      ("maximum_stretch", "\(maximumStretch)", "0 to 5", (0...5).contains(maximumStretch)),
      ("crop_margin", "\(cropMargin)", "0 to 1024", (0...1024).contains(cropMargin)),
      ("overhang_rows", "\(overhangRows)", "0 to 65536", (0...65536).contains(overhangRows)),
      ("overhang_columns", "\(overhangColumns)", "0 to 65536", (0...65536).contains(overhangColumns)),
      ("horizontal_flip_probability", "\(horizontalFlipProbability)", "0 to 1", share.contains(horizontalFlipProbability)),
      ("vertical_flip_probability", "\(verticalFlipProbability)", "0 to 1", share.contains(verticalFlipProbability)),
      ("maximum_displacement", "\(maximumDisplacement)", "above 0", maximumDisplacement > 0),
    ].compactMap { key, value, allowed, isFine in isFine ? nil : (key, value, allowed) }
  }

  /// - Throws: `.usage` at `place` with all problems.
  public func validate(at place: String = "augmentation") throws {
    guard !problems.isEmpty else { return }
    throw Failure(.usage, at: place, problems.map { "\($0.key) is \($0.value); allowed: \($0.allowed)" }.joined(separator: "\n"))
  }
}
