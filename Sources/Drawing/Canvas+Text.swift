import CCairo

extension Canvas {
  /// One line of text.
  /// - Parameters:
  ///   - text: line breaks become spaces.
  ///   - point: the upper end of its left edge, middle or right edge, as `alignment` says.
  ///   - limit: a longer text is cut and ends in an ellipsis.
  /// - Returns: the width of what was written, in pixels.
  @discardableResult
  public func text(
    _ text: String, at point: Point, _ style: TextStyle = .body, alignment: TextAlignment = .left, limit: Double = .infinity
  ) -> Double {
    let line = typeface.printable(typeface.fitted(text, style, width: limit))
    let width = typeface.width(of: line, style)
    guard !line.isEmpty else { return 0 }
    let share = switch alignment {
    case .left: 0.0
    case .center: 0.5
    case .right: 1.0
    }
    let start = Point(point.x - share * width, point.y + style.baseline)
    cairo_set_font_face(context, typeface.face(style.weight))
    cairo_set_font_size(context, style.size)
    Typeface.withOptions { cairo_set_font_options(context, $0) }
    setSource(style.color)
    cairo_move_to(context, start.x, start.y)
    cairo_show_text(context, line)
    cairo_new_path(context)
    remember(line, at: start, style)
    return width
  }
}
