import CCairo
import Vision

/// Colour, width and dashes of a line.
public struct Stroke: Sendable, Equatable {
  public var color: Color
  /// In pixels.
  public var width: Double
  /// Lengths of dash and gap in turn, in pixels; empty: one line without gaps.
  public var dash: [Double]

  public init(_ color: Color, width: Double = 1, dash: [Double] = []) {
    self.color = color
    self.width = width
    self.dash = dash
  }
}

extension Canvas {
  /// Fills a rectangle.
  public func fill(_ rectangle: Rectangle, _ color: Color) {
    path(rectangle)
    setSource(color)
    cairo_fill(context)
  }

  /// Draws the border of a rectangle; the line runs half inside, half outside.
  public func outline(_ rectangle: Rectangle, _ stroke: Stroke) {
    path(rectangle)
    cairo_set_line_join(context, CAIRO_LINE_JOIN_MITER)
    drawPath(stroke)
  }

  public func line(from a: Point, to b: Point, _ stroke: Stroke) { polyline([a, b], stroke) }

  /// A line through the points, with round corners and ends; points that are not finite leave a gap.
  public func polyline(_ points: [Point], _ stroke: Stroke) {
    for run in points.split(whereSeparator: { !$0.x.isFinite || !$0.y.isFinite }) {
      for (index, point) in run.enumerated() {
        if index == 0 { cairo_move_to(context, point.x, point.y) } else { cairo_line_to(context, point.x, point.y) }
      }
    }
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    cairo_set_line_cap(context, stroke.dash.isEmpty ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT)
    drawPath(stroke)
  }

  /// Fills the polygon whose corners these are.
  public func polygon(_ corners: [Point], _ color: Color) {
    guard corners.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else { return }
    for (index, point) in corners.enumerated() {
      if index == 0 { cairo_move_to(context, point.x, point.y) } else { cairo_line_to(context, point.x, point.y) }
    }
    cairo_close_path(context)
    setSource(color)
    cairo_fill(context)
  }

  /// Fills a disc, and draws its border if there is a stroke.
  public func circle(center: Point, radius: Double, fill: Color? = nil, stroke: Stroke? = nil) {
    guard center.x.isFinite, center.y.isFinite, radius > 0 else { return }
    for paint in [fill.map { Stroke($0, width: 0) }, stroke].compactMap({ $0 }) {
      cairo_new_sub_path(context)
      cairo_arc(context, center.x, center.y, radius, 0, 2 * Double.pi)
      if paint.width > 0 {
        drawPath(paint)
      } else {
        setSource(paint.color)
        cairo_fill(context)
      }
    }
  }

  private func drawPath(_ stroke: Stroke) {
    setSource(stroke.color)
    cairo_set_line_width(context, stroke.width)
    cairo_set_dash(context, stroke.dash, Int32(stroke.dash.count), 0)
    cairo_stroke(context)
  }

  /// An image, pixel for pixel, its upper left corner at `point`; alpha is dropped.
  public func image(_ image: Image, at point: Point) {
    let width = Int32(clamping: image.width)
    let height = Int32(clamping: image.height)
    guard width > 0, height > 0, let picture = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height) else { return }
    defer { cairo_surface_destroy(picture) }
    if let data = cairo_image_surface_get_data(picture) {
      let source = image.rgb()
      let stride = Int(cairo_image_surface_get_stride(picture))
      for y in 0..<image.height {
        UnsafeMutableRawPointer(data + y * stride).withMemoryRebound(to: UInt32.self, capacity: image.width) { row in
          for x in 0..<image.width {
            let at = 3 * (y * image.width + x)
            row[x] = UInt32(source.pixels[at]) << 16 | UInt32(source.pixels[at + 1]) << 8 | UInt32(source.pixels[at + 2])
          }
        }
      }
      cairo_surface_mark_dirty(picture)
    }
    // An image that Cairo refuses (too large) puts the context into its error state, which ends in a failure when the canvas is finished.
    cairo_set_source_surface(context, picture, point.x, point.y)
    cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST)
    cairo_rectangle(context, point.x, point.y, Double(image.width), Double(image.height))
    cairo_fill(context)
  }
}
