/// A box that a detector found.
public struct DetectedBox: Sendable, Hashable {
  public var box: BoundingBox
  /// Confidence, higher is better; of some detectors a margin that may be negative or above 1.
  public var score: Double
  /// The class by the detector's own numbers; nil if it has none.
  public var category: Int?

  public init(_ box: BoundingBox, score: Double = 1, category: Int? = nil) {
    self.box = box
    self.score = score
    self.category = category
  }

  /// Whether the box is finite and has a size, and the score is finite: trackers pass over all others.
  public var isUsable: Bool { box.isFinite && !box.isEmpty && score.isFinite }
}

/// A box with the identity of its track, as a tracker writes it.
public struct TrackedBox: Sendable, Hashable {
  /// Number of the track: the same for one object through all frames.
  public var id: Int
  public var box: BoundingBox
  /// Confidence of the detection.
  public var score: Double
  /// Index of the detection among those of its frame; nil if the box is a prediction, or comes from a file.
  public var detection: Int?
  /// The class of the detection, of a prediction that of the last one; nil if the detector has none.
  public var category: Int?

  public init(id: Int, box: BoundingBox, score: Double = 1, detection: Int? = nil, category: Int? = nil) {
    self.id = id
    self.box = box
    self.score = score
    self.detection = detection
    self.category = category
  }
}

/// A box of the ground truth of a tracking benchmark.
public struct TruthBox: Sendable, Hashable {
  public var id: Int
  public var box: BoundingBox
  /// The flag of the file: whether the box counts. Others only help to tell distractors.
  public var isEvaluated: Bool
  public var category: TrackingClass
  /// Visible share, 0...1; 1 where the file has none.
  public var visibility: Double

  public init(id: Int, box: BoundingBox, isEvaluated: Bool = true, category: TrackingClass = .pedestrian, visibility: Double = 1) {
    self.id = id
    self.box = box
    self.isEvaluated = isEvaluated
    self.category = category
    self.visibility = visibility
  }

  /// Whether it is what the benchmarks want to be tracked.
  public var isEvaluatedPedestrian: Bool { isEvaluated && category == .pedestrian }
}

extension BoundingBox {
  /// A box in pixels from 1, as the benchmarks' files count them, in pixels from 0.
  public var countedFromZero: BoundingBox { BoundingBox(x: x - 1, y: y - 1, width: width, height: height) }

  /// A box in pixels from 0 in pixels from 1, as the benchmarks' files count them.
  public var countedFromOne: BoundingBox { BoundingBox(x: x + 1, y: y + 1, width: width, height: height) }
}
