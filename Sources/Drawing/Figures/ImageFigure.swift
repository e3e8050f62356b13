import Vision

/// A picture as a part of a sheet, pixel for pixel, within a thin frame if wanted.
public struct ImageFigure: Figure {
  public var image: Image
  public var hasFrame: Bool

  public init(_ image: Image, hasFrame: Bool = false) {
    self.image = image
    self.hasFrame = hasFrame
  }

  private var border: Double { hasFrame ? 1 : 0 }

  public func size(_ typeface: Typeface) -> Size {
    Size(width: Double(image.width) + 2 * border, height: Double(image.height) + 2 * border)
  }

  public func draw(on canvas: Canvas) {
    if hasFrame {
      let outside = Rectangle(left: 0, top: 0, width: Double(image.width) + 2, height: Double(image.height) + 2)
      canvas.outline(outside.expanded(by: -0.5), Stroke(.frame))
    }
    canvas.image(image, at: Point(border, border))
  }
}
