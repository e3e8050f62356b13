import Vision

/// Colours for a number: a ramp between fixed stops, from the least value to the largest.
public struct ColorMap: Sendable, Equatable {
  /// Evenly spaced, two or more.
  let stops: [RGB]

  /// The ramp of errors and heat maps: dark blue over violet, red and orange to pale yellow.
  ///
  /// Its lightness rises from end to end, so that it can be read with every kind of colour vision and in grey print.
  public static let ember = ColorMap(stops: [
    RGB(8, 14, 70), RGB(70, 24, 122), RGB(140, 34, 120), RGB(202, 60, 82), RGB(238, 116, 40), RGB(250, 190, 60), RGB(255, 248, 190),
  ])

  /// The colour at a share of the range; 0 and 1 beyond its ends.
  public func color(at share: Float) -> RGB {
    let position = min(1, max(0, share)) * Float(stops.count - 1)
    let lower = min(Int(position), stops.count - 2)
    return stops[lower].mixed(with: stops[lower + 1], share: position - Float(lower))
  }
}
