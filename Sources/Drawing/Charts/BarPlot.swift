import Foundation

/// A chart of horizontal bars with names, numbers and error bars, for tables of experiments.
///
/// Bars begin at zero. The height follows from their number.
public struct BarPlot: Figure {
  public struct Bar: Sendable {
    public var name: String
    public var value: Double
    /// Half the length of the error bar, such as the standard deviation over seeds; 0: none.
    public var error: Double
    /// The colour's index in the palette; bars of one kind share theirs.
    public var colorIndex: Int

    public init(_ name: String, _ value: Double, error: Double = 0, colorIndex: Int = 0) {
      self.name = name
      self.value = value
      self.error = error
      self.colorIndex = colorIndex
    }
  }

  public var title: String
  /// Name of the quantity that the bars show.
  public var label: String
  public var unit = ""
  public var better: BetterDirection?
  /// Decimals of the numbers behind the bars.
  public var decimals = 2
  public var width = 640.0
  public var bars: [Bar]

  public init(title: String, label: String, bars: [Bar]) {
    self.title = title
    self.label = label
    self.bars = bars
  }

  private static let rowHeight = 24.0
  private static let margin = 10.0

  private var top: Double { Self.margin + (title.isEmpty ? 0 : TextStyle.title.lineHeight) + TextStyle.note.lineHeight + 4 }
  private var bottom: Double { top + Double(max(1, bars.count)) * Self.rowHeight }

  public func size(_ typeface: Typeface) -> Size { Size(width: width, height: bottom + 8 + TextStyle.note.lineHeight) }

  public func draw(on canvas: Canvas) {
    let margin = Self.margin
    let typeface = canvas.typeface
    canvas.text(title, at: Point(margin, margin - 2), .title, limit: width - 2 * margin)
    let heading = BetterDirection.heading(label, title: title, unit: unit, better)
    canvas.text(heading, at: Point(margin, top - TextStyle.note.lineHeight - 4), .note, limit: width - 2 * margin)
    let nameWidth = min(0.4 * width, bars.map { typeface.width(of: $0.name) }.max() ?? 0)
    let numberWidth = bars.map { typeface.width(of: number($0), .note) }.max() ?? 0
    let left = (margin + nameWidth + 10).rounded() + 0.5
    let area = Rectangle(left: left, top: top, width: max(20, width - left - numberWidth - margin - 8), height: bottom - top)
    let finite = bars.filter { $0.value.isFinite }
    let axis = Axis(values: finite.flatMap { [$0.value - $0.error, $0.value + $0.error] } + [0], ticks: max(2, Int(area.width / 50)))
    drawAxis(axis, area, on: canvas)
    for (index, bar) in bars.enumerated() { draw(bar, row: index, axis, area, nameWidth, on: canvas) }
  }

  private func number(_ bar: Bar) -> String {
    guard bar.value.isFinite else { return "no value" }
    let value = String(format: "%.\(decimals)f", bar.value)
    return bar.error > 0 ? value + String(format: " ± %.\(decimals)f", bar.error) : value
  }

  private func drawAxis(_ axis: Axis, _ area: Rectangle, on canvas: Canvas) {
    var lastRight = -Double.infinity
    for (value, label) in zip(axis.ticks, axis.labels) {
      let x = (area.left + axis.share(value) * area.width).rounded(.down) + 0.5
      canvas.line(from: Point(x, area.top), to: Point(x, area.bottom + 3), Stroke(value == 0 ? .faintInk : .gridLine))
      let textWidth = canvas.typeface.width(of: label, .note)
      guard x - textWidth / 2 > lastRight + 6 else { continue }
      canvas.text(label, at: Point(x, area.bottom + 5), .note, alignment: .center)
      lastRight = x + textWidth / 2
    }
  }

  private func draw(_ bar: Bar, row: Int, _ axis: Axis, _ area: Rectangle, _ nameWidth: Double, on canvas: Canvas) {
    let middle = area.top + (Double(row) + 0.5) * Self.rowHeight
    canvas.text(bar.name, at: Point(Self.margin, middle - 8), .body, limit: nameWidth + 0.5)
    func x(_ value: Double) -> Double { area.left + axis.share(value) * area.width }
    var end = x(0)
    if bar.value.isFinite {
      let ends = [x(0), x(bar.value)].sorted()
      canvas.fill(Rectangle(left: ends[0], top: middle - 8, width: ends[1] - ends[0], height: 16), Palette.color(bar.colorIndex))
      end = ends[1]
      if bar.error > 0 {
        let from = x(bar.value - bar.error)
        let to = x(bar.value + bar.error)
        // A white line below the dark one, so that it is seen on the bar and beside it.
        for stroke in [Stroke(.white, width: 4), Stroke(.ink, width: 1.5)] {
          canvas.line(from: Point(from, middle), to: Point(to, middle), stroke)
          for cap in [from, to] { canvas.line(from: Point(cap, middle - 4), to: Point(cap, middle + 4), stroke) }
        }
        end = max(end, to)
      }
    }
    canvas.text(number(bar), at: Point(end + 7, middle - 7.5), .note)
  }
}
