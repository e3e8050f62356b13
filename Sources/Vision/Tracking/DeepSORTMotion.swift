import Base

/// DeepSORT's motion of a box: centre, aspect ratio and height, all at constant velocity, with noise in proportion to the height.
///
/// The state is `[x, y, a, h, ẋ, ẏ, ȧ, ḣ]`: centre in pixels, ratio a = w/h, height h.
/// - Source: Wojke et al. 2017, "Simple online and realtime tracking with a deep association metric", and the authors' `kalman_filter.py`.
public struct DeepSORTMotion: Sendable, Codable, Equatable {
  public private(set) var filter: ConstantVelocityFilter

  /// - Precondition: the box has an area.
  public init(_ box: BoundingBox) {
    require(!box.isEmpty, "DeepSORTMotion: the box has no area: \(box)")
    let (position, velocity) = Self.deviations(height: box.height)
    let deviations = [2 * position, 2 * position, 1e-2, 2 * position, 10 * velocity, 10 * velocity, 1e-5, 10 * velocity]
    filter = ConstantVelocityFilter(measurement: Self.measurement(box), variances: deviations.map { $0 * $0 })
  }

  /// The motion after the boxes of a track, frame by frame; nil where it was not seen. nil if the first one is.
  public init?(following boxes: some Collection<BoundingBox?>) {
    guard let first = boxes.first.flatMap({ $0 }) else { return nil }
    self.init(first)
    for box in boxes.dropFirst() {
      _ = predict()
      if let box { update(box) }
    }
  }

  /// The box one frame later; nil if it is none: not finite, or without area.
  public mutating func predict() -> BoundingBox? {
    let (position, velocity) = Self.deviations(height: filter.mean[3])
    let deviations = [position, position, 1e-2, position, velocity, velocity, 1e-5, velocity]
    filter.predict(noise: deviations.map { $0 * $0 })
    return box
  }

  /// Corrects the state by a detection. A box that is not finite changes nothing.
  public mutating func update(_ box: BoundingBox) { filter.update(Self.measurement(box), noise: measurementNoise) }

  /// Squared Mahalanobis distance of a detection from the predicted box, in 4 dimensions, or in 2 (its centre).
  public func gatingDistance(to box: BoundingBox, isPositionOnly: Bool = false) -> Double {
    filter.squaredMahalanobisDistance(to: Self.measurement(box), noise: measurementNoise, count: isPositionOnly ? 2 : nil)
  }

  /// The box of the state; nil if it is none.
  public var box: BoundingBox? {
    let (x, y, a, h) = (filter.mean[0], filter.mean[1], filter.mean[2], filter.mean[3])
    let box = BoundingBox(x: x - a * h / 2, y: y - h / 2, width: a * h, height: h)
    return filter.isFinite && box.isFinite && !box.isEmpty ? box : nil
  }

  /// Variances of a measurement (R), by the height of the state.
  private var measurementNoise: [Double] {
    let position = Self.deviations(height: filter.mean[3]).position
    return [position, position, 1e-1, position].map { $0 * $0 }
  }

  /// Standard deviations of position and velocity in pixels, for a height.
  private static func deviations(height: Double) -> (position: Double, velocity: Double) { (height / 20, height / 160) }

  static func measurement(_ box: BoundingBox) -> [Double] {
    [box.x + box.width / 2, box.y + box.height / 2, box.width / box.height, box.height]
  }
}
