/// An annotated point of a body, in pixels of its image; the pixel in column 0 has its centre at `x` = 0.
public struct Keypoint: Sendable, Hashable {
  /// What the annotator says about a point; the raw values are COCO's.
  public enum Visibility: Int, Sendable {
    /// Not annotated: its place means nothing.
    case unlabeled
    /// Annotated, but hidden by something.
    case hidden
    case visible
  }

  public var x: Double
  public var y: Double
  public var visibility: Visibility

  public init(x: Double, y: Double, visibility: Visibility) {
    self.x = x
    self.y = y
    self.visibility = visibility
  }

  /// A point that is not annotated.
  public static let unlabeled = Keypoint(x: 0, y: 0, visibility: .unlabeled)

  /// Whether the point is annotated; hidden ones are.
  public var isLabeled: Bool { visibility != .unlabeled }

  public var position: SIMD2<Double> {
    get { SIMD2(x, y) }
    set { (x, y) = (newValue.x, newValue.y) }
  }
}

/// A point of a body as a network finds it.
public struct ScoredKeypoint: Sendable, Hashable, Codable {
  /// In pixels.
  public var position: SIMD2<Double>
  /// Height of the heatmap's peak.
  public var score: Double

  public init(_ position: SIMD2<Double>, score: Double) {
    self.position = position
    self.score = score
  }
}
