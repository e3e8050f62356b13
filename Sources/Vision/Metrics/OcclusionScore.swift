import Base

/// The agreement of estimated occlusion with the truth: F1 over all pixels of all images.
public struct OcclusionScore: Sendable, Equatable {
  private var hits = 0
  private var falseAlarms = 0
  private var misses = 0

  public init() {}

  /// Adds one image.
  /// - Parameters:
  ///   - predicted, truth: one flag for each pixel, true where it is occluded.
  public mutating func add(predicted: [Bool], truth: [Bool]) {
    guard predicted.count == truth.count else {
      stop("OcclusionScore.add: \(predicted.count) flags to be judged by \(truth.count)")
    }
    for (found, isOccluded) in zip(predicted, truth) {
      if found && isOccluded { hits += 1 } else if found { falseAlarms += 1 } else if isOccluded { misses += 1 }
    }
  }

  /// The harmonic mean of precision and recall, `2·hits / (2·hits + false alarms + misses)`, 0...1; `nil` if no pixel is occluded in
  /// either.
  public var f1: Double? {
    let all = 2 * hits + falseAlarms + misses
    return all == 0 ? nil : 2 * Double(hits) / Double(all)
  }
}
