/// A position on a canvas in pixels: x to the right, y down, (0, 0) at the upper left corner.
///
/// The centre of the upper left pixel is (0.5, 0.5); a line one pixel wide is sharp if it runs through pixel centres.
public typealias Point = SIMD2<Double>

/// Width and height in pixels.
public struct Size: Sendable, Equatable {
  public var width: Double
  public var height: Double

  public init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }
}

/// An axis-aligned rectangle in pixels of a canvas or an image.
public struct Rectangle: Sendable, Equatable {
  public var left: Double
  public var top: Double
  public var width: Double
  public var height: Double

  public init(left: Double, top: Double, width: Double, height: Double) {
    self.left = left
    self.top = top
    self.width = width
    self.height = height
  }

  public var right: Double { left + width }
  public var bottom: Double { top + height }
  public var center: Point { Point(left + width / 2, top + height / 2) }

  /// Whether the two have an inner point in common.
  public func overlaps(_ other: Rectangle) -> Bool {
    left < other.right && other.left < right && top < other.bottom && other.top < bottom
  }

  /// The rectangle within `distance` pixels of this one's border, outside; negative distances shrink it.
  public func expanded(by distance: Double) -> Rectangle {
    Rectangle(left: left - distance, top: top - distance, width: width + 2 * distance, height: height + 2 * distance)
  }
}
