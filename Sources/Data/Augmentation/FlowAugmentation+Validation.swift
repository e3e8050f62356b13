import Tensors

extension FlowAugmentation {
  /// What is out of range, one line per setting; empty if all is well.
  public var problems: [String] {
    var problems: [String] = []
    func check(_ name: String, _ value: Double, in range: ClosedRange<Double>) {
      if !range.contains(value) { problems.append("\(name) is \(value), expected \(range.lowerBound)...\(range.upperBound)") }
    }
    let probabilities = [
      ("asymmetricProbability", asymmetricProbability), ("eraserProbability", eraserProbability),
      ("resizeProbability", resizeProbability), ("stretchProbability", stretchProbability),
      ("horizontalFlipProbability", horizontalFlipProbability), ("verticalFlipProbability", verticalFlipProbability),
    ]
    for (name, value) in probabilities { check(name, value, in: 0...1) }
    for (name, value) in [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)] { check(name, value, in: 0...10) }
    check("hue", hue, in: 0...0.5)
    check("cropHeight", Double(cropHeight), in: 1...65536)
    check("cropWidth", Double(cropWidth), in: 1...65536)
    check("cropMargin", Double(cropMargin), in: 0...1024)
    check("eraserMaximumCount", Double(eraserMaximumCount), in: 1...1000)
    check("eraserMinimumSide", Double(eraserMinimumSide), in: 1...65536)
    check("eraserMaximumSide", Double(eraserMaximumSide), in: Double(max(1, eraserMinimumSide))...65536)
    check("minimumScale", minimumScale, in: -5...5)
    check("maximumScale", maximumScale, in: max(-5, min(minimumScale, 5))...5)
    check("maximumStretch", maximumStretch, in: 0...5)
    if !(maximumDisplacement > 0) { problems.append("maximumDisplacement is \(maximumDisplacement), expected a positive number") }
    return problems
  }

  /// - Throws: `.usage` at `place` with all problems.
  public func validate(at place: String = "augmentation") throws {
    if !problems.isEmpty { throw Failure(.usage, at: place, problems.joined(separator: "; ")) }
  }
}
