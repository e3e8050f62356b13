import Base

/// SORT's motion of a box: centre and area at constant velocity, constant aspect ratio.
///
/// The state is `[u, v, s, r, u̇, v̇, ṡ]`: centre in pixels, area s = w·h in px², ratio r = w/h.
/// - Source: Bewley et al. 2016, "Simple online and realtime tracking", and the authors' `sort.py`.
public struct SORTMotion: Sendable, Codable, Equatable {
  public private(set) var filter: ConstantVelocityFilter

  private static let initialVariances = [10, 10, 10, 10, 1e4, 1e4, 1e4]
  private static let processNoise = [1, 1, 1, 1, 0.01, 0.01, 0.0001]
  private static let measurementNoise = [1.0, 1, 10, 10]

  /// - Precondition: the box has an area.
  public init(_ box: BoundingBox) {
    require(!box.isEmpty, "SORTMotion: the box has no area: \(box)")
    filter = ConstantVelocityFilter(measurement: Self.measurement(box), variances: Self.initialVariances)
  }

  /// The box one frame later; nil if it is none: not finite, or without area.
  public mutating func predict() -> BoundingBox? {
    if filter.mean[2] + filter.mean[6] <= 0 { filter.mean[6] = 0 }
    filter.predict(noise: Self.processNoise)
    return box
  }

  /// Corrects the state by a detection. A box that is not finite changes nothing.
  public mutating func update(_ box: BoundingBox) { filter.update(Self.measurement(box), noise: Self.measurementNoise) }

  /// Squared Mahalanobis distance of a detection from the predicted box, in 4 dimensions, or in 2 (its centre).
  public func gatingDistance(to box: BoundingBox, isPositionOnly: Bool = false) -> Double {
    filter.squaredMahalanobisDistance(to: Self.measurement(box), noise: Self.measurementNoise, count: isPositionOnly ? 2 : nil)
  }

  /// The box of the state; nil if it is none.
  public var box: BoundingBox? {
    let (u, v, s, r) = (filter.mean[0], filter.mean[1], filter.mean[2], filter.mean[3])
    let width = (s * r).squareRoot()
    let height = s / width
    let box = BoundingBox(x: u - width / 2, y: v - height / 2, width: width, height: height)
    return filter.isFinite && box.isFinite && !box.isEmpty ? box : nil
  }

  static func measurement(_ box: BoundingBox) -> [Double] {
    [box.x + box.width / 2, box.y + box.height / 2, box.area, box.width / box.height]
  }
}
