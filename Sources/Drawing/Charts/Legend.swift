/// A legend: marks in the colours of the entries with their names, as many in a row as the width allows.
public struct Legend: Figure {
  public enum Mark: Sendable {
    /// A piece of a curve with its dashes, and the shape at its points if they are shown.
    case line(dash: [Double], marker: Marker?)
    /// A filled square.
    case box
  }

  public struct Entry: Sendable {
    public var name: String
    public var color: Color
    public var mark: Mark

    public init(_ name: String, _ color: Color, _ mark: Mark = .box) {
      self.name = name
      self.color = color
      self.mark = mark
    }
  }

  public var entries: [Entry]
  /// Room in pixels; longer names are cut.
  public var width: Double

  public init(_ entries: [Entry], width: Double) {
    self.entries = entries
    self.width = width
  }

  private static let style = TextStyle.body
  private static let gap = 16.0
  private static let rowHeight = 18.0

  private static func markWidth(_ mark: Mark) -> Double {
    switch mark {
    case .line: 28
    case .box: 18
    }
  }

  /// The upper left corner of each entry, and its width.
  private func places(_ typeface: Typeface) -> [(at: Point, width: Double)] {
    var places: [(Point, Double)] = []
    var x = 0.0
    var row = 0.0
    for entry in entries {
      let needed = min(width, Self.markWidth(entry.mark) + typeface.width(of: entry.name, Self.style))
      if x > 0, x + needed > width {
        x = 0
        row += 1
      }
      places.append((Point(x, row * Self.rowHeight), needed))
      x += needed + Self.gap
    }
    return places
  }

  public func size(_ typeface: Typeface) -> Size {
    let places = places(typeface)
    return Size(width: places.map { $0.at.x + $0.width }.max() ?? 0, height: places.last.map { $0.at.y + Self.rowHeight } ?? 0)
  }

  public func draw(on canvas: Canvas) {
    for (entry, place) in zip(entries, places(canvas.typeface)) {
      let middle = place.at.y + Self.rowHeight / 2
      switch entry.mark {
      case .line(let dash, let marker):
        canvas.line(from: Point(place.at.x + 1, middle), to: Point(place.at.x + 22, middle), Stroke(entry.color, width: 2.5, dash: dash))
        marker?.draw(on: canvas, at: Point(place.at.x + 11.5, middle), entry.color)
      case .box:
        let box = Rectangle(left: place.at.x, top: middle - 6, width: 12, height: 12)
        canvas.fill(box, entry.color)
        canvas.outline(box.expanded(by: -0.5), Stroke(Color(.black, opacity: 0.35)))
      }
      let mark = Self.markWidth(entry.mark)
      canvas.text(entry.name, at: Point(place.at.x + mark, place.at.y + 1), Self.style, limit: place.width - mark + 0.5)
    }
  }
}
