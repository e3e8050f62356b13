import Base

/// How a trained network is asked, in validation and prediction. Section `inference`.
public struct PoseInferenceSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Bodies in a batch.
  public var batchSize = 32
  /// Whether the mirror image is looked at, too, and both sets of heatmaps averaged.
  public var flipTest = true
  /// Whether the mirror image's heatmaps are moved by one cell first. Without it AP is about 2 lower.
  public var shiftHeatmaps = true
  /// Keypoints whose peak is higher count in a body's score; that is the box's score times the mean of their peaks.
  public var keypointThreshold = 0.2
  /// Of bodies of one picture that are more alike than this (OKS), only the best is kept; 1: all are.
  public var oksThreshold = 0.9
  /// Keypoints with a lower peak are not drawn.
  public var drawThreshold = 0.2
  /// `apus predict`: a JSON file of boxes, either COCO annotations (by file name), or COCO results whose `image_id` is the number in the
  /// picture's name; empty: the whole picture shows one body.
  public var boxes = ""

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize)
    problems.require((0...1).contains(keypointThreshold), "keypoint_threshold", keypointThreshold, "0 to 1")
    problems.require(oksThreshold > 0 && oksThreshold <= 1, "oks_threshold", oksThreshold, "above 0, at most 1")
    problems.require((0...1).contains(drawThreshold), "draw_threshold", drawThreshold, "0 to 1")
    return problems
  }
}
