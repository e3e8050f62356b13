import Vision

/// Whether a smaller or a larger value of a metric is the better one.
public enum BetterDirection: Sendable {
  case lower, higher

  var hint: String { self == .lower ? "↓ lower is better" : "↑ higher is better" }

  /// The line above an axis: what it measures, unless the title says just that, the unit, and which direction is the better one.
  static func heading(_ label: String, title: String, unit: String, _ better: BetterDirection?) -> String {
    let name = label == title ? "" : label
    return [[name, unit].filter { !$0.isEmpty }.joined(separator: ", "), better?.hint ?? ""].filter { !$0.isEmpty }.joined(separator: "   ")
  }
}

/// A chart of curves over a common axis, such as the metrics of a training over its steps.
///
/// ```swift
/// var plot = LinePlot(title: "End-point error", xLabel: "step", yLabel: "EPE")
/// plot.unit = "px"
/// plot.better = .lower
/// plot.series.append(.init(name: "validation", points: [Point(0, 8.1), Point(500, 3.2)]))
/// try plot.write(to: "curves.png")
/// ```
public struct LinePlot: Figure {
  /// One curve; points that are not finite leave a gap.
  public struct Series: Sendable {
    public enum Style: Sendable { case line, dashed }

    /// What a curve spreads over at one x, such as the seeds around their mean.
    public struct Spread: Sendable, Equatable {
      public var x: Double
      public var low: Double
      public var high: Double

      public init(x: Double, low: Double, high: Double) { (self.x, self.low, self.high) = (x, low, high) }
    }

    public var name: String
    public var points: [Point]
    public var style: Style
    /// The index of its colour and marker; nil: by its position among the series. Charts side by side give one thing one colour.
    public var colorIndex: Int?
    /// A band in the curve's colour, by ascending x; where an end is not finite it has a gap.
    public var band: [Spread] = []

    public init(name: String, points: [Point], style: Style = .line, colorIndex: Int? = nil) {
      self.name = name
      self.points = points
      self.style = style
      self.colorIndex = colorIndex
    }
  }

  /// A value of the x axis that means something, as a dotted line with a text at its upper end.
  public struct Mark: Sendable {
    public var x: Double
    public var text: String

    public init(_ x: Double, _ text: String) { (self.x, self.text) = (x, text) }
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  /// The unit of the y axis, such as "px" or "%"; empty if it has none.
  public var unit = ""
  /// Said above the axis, if known.
  public var better: BetterDirection?
  /// On a logarithmic axis, values of 0 and less leave a gap.
  public var yScale = Axis.Scale.linear
  public var xScale = Axis.Scale.linear
  /// Whether a linear y axis always shows zero; errors and losses should be read against it.
  public var includesZero = true
  /// Whether curves of few points show each of them.
  public var marksPoints = true
  /// What both axes show at least: 0...1 for shares.
  public var xRange: ClosedRange<Double>?
  public var yRange: ClosedRange<Double>?
  /// Size in pixels.
  public var width = 640.0
  public var height = 360.0
  public var series: [Series]
  public var marks: [Mark] = []

  public init(title: String, xLabel: String, yLabel: String, series: [Series] = []) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
  }

  public func size(_ typeface: Typeface) -> Size { Size(width: width, height: height) }

  /// Marks of points in the order of the series, so that curves differ by more than their colour.
  private static let markers: [Marker] = [.circle, .square, .triangle, .diamond]
  /// Curves with at most so many points show each of them.
  private static let mostMarkedPoints = 40

  public func draw(on canvas: Canvas) {
    let typeface = canvas.typeface
    let margin = 10.0
    var top = margin - 2
    if !title.isEmpty {
      canvas.text(title, at: Point(margin, top), .title, limit: width - 2 * margin)
      top += TextStyle.title.lineHeight
    }
    let legend = Legend(entries, width: width - 2 * margin)
    if !legend.entries.isEmpty {
      canvas.draw(legend, at: Point(margin, top + 2))
      top += legend.size(typeface).height + 4
    }
    let heading = BetterDirection.heading(yLabel, title: title, unit: unit, better)
    if !heading.isEmpty {
      canvas.text(heading, at: Point(margin, top), .note, limit: width - 2 * margin)
      top += TextStyle.note.lineHeight
    }
    top += 7
    let bottom = height - 12 - TextStyle.note.lineHeight * (xLabel.isEmpty ? 1 : 2)
    let frame = PlotFrame(
      x: xValues, xScale: xScale, y: yValues, yScale: yScale,
      within: Rectangle(left: margin, top: top, width: width - 2 * margin, height: bottom - top), typeface)
    frame.drawAxes(on: canvas)
    canvas.text(xLabel, at: Point(frame.area.center.x, bottom + 6 + TextStyle.note.lineHeight), .note, alignment: .center,
                limit: frame.area.width)
    draw(marks, on: canvas, frame)
    canvas.clipped(to: frame.area.expanded(by: 5)) {
      for (index, curve) in series.enumerated() { drawBand(of: curve, curve.colorIndex ?? index, on: canvas, frame) }
      for (index, curve) in series.enumerated() { draw(curve, curve.colorIndex ?? index, on: canvas, frame) }
    }
    if !series.contains(where: { $0.points.contains { $0.x.isFinite && $0.y.isFinite } }) {
      canvas.text("no data", at: Point(frame.area.center.x, frame.area.center.y - 8), .note, alignment: .center)
    }
  }

  private var xValues: [Double] { series.flatMap { $0.points.filter { $0.y.isFinite }.map(\.x) } + Self.ends(xRange) }

  private var yValues: [Double] {
    series.flatMap { $0.points.filter { $0.x.isFinite }.map(\.y) + $0.band.filter { $0.x.isFinite }.flatMap { [$0.low, $0.high] } }
      + (includesZero && yScale == .linear ? [0] : []) + Self.ends(yRange)
  }

  private static func ends(_ range: ClosedRange<Double>?) -> [Double] { range.map { [$0.lowerBound, $0.upperBound] } ?? [] }

  private func marker(_ curve: Series, _ index: Int) -> Marker? {
    marksPoints && curve.points.count <= Self.mostMarkedPoints ? Self.markers[index % Self.markers.count] : nil
  }

  private func dash(_ curve: Series) -> [Double] { curve.style == .dashed ? [6, 4] : [] }

  private var entries: [Legend.Entry] {
    series.enumerated().filter { !$0.element.name.isEmpty }.map { position, curve in
      let index = curve.colorIndex ?? position
      return Legend.Entry(curve.name, Palette.color(index), .line(dash: dash(curve), marker: marker(curve, index)))
    }
  }

  /// Texts stand right of their line where there is room, else left of it; one that would run into another is one line lower.
  private func draw(_ marks: [Mark], on canvas: Canvas, _ frame: PlotFrame) {
    var taken: [Rectangle] = []
    for mark in marks {
      let x = (frame.area.left + frame.x.share(mark.x) * frame.area.width).rounded(.down) + 0.5
      guard x.isFinite, x >= frame.area.left, x <= frame.area.right + 1 else { continue }
      canvas.line(from: Point(x, frame.area.top), to: Point(x, frame.area.bottom), Stroke(.faintInk, dash: [2, 3]))
      let width = canvas.typeface.width(of: mark.text, .note)
      let left = x + 4 + width <= frame.area.right ? x + 4 : max(frame.area.left, x - 4 - width)
      var place = Rectangle(left: left, top: frame.area.top + 2, width: width, height: TextStyle.note.lineHeight)
      while let other = taken.first(where: { $0.overlaps(place) }), other.bottom + place.height < frame.area.bottom {
        place.top = other.bottom
      }
      taken.append(place)
      canvas.text(mark.text, at: Point(place.left, place.top), .note, limit: frame.area.right - place.left)
    }
  }

  private func drawBand(of curve: Series, _ index: Int, on canvas: Canvas, _ frame: PlotFrame) {
    let edges = curve.band.map { (frame.position(of: Point($0.x, $0.low)), frame.position(of: Point($0.x, $0.high))) }
    for part in edges.split(whereSeparator: { !$0.0.y.isFinite || !$0.1.y.isFinite || !$0.0.x.isFinite }) {
      canvas.polygon(part.map(\.0) + part.reversed().map(\.1), Color(Palette.color(index).rgb, opacity: 0.2))
    }
  }

  private func draw(_ curve: Series, _ index: Int, on canvas: Canvas, _ frame: PlotFrame) {
    let color = Palette.color(index)
    let points = curve.points.map(frame.position)
    let marker = marker(curve, index)
    canvas.polyline(points, Stroke(color, width: marker == nil ? 1.5 : 2, dash: dash(curve)))
    for point in points { marker?.draw(on: canvas, at: point, color) }
  }
}
