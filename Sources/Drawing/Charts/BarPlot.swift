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
    /// The ends of an error bar that need not lie evenly about the value, such as those of a bootstrap interval; in force over `error`.
    public var range: ClosedRange<Double>?
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
  /// Whether numbers show their sign, as differences do.
  public var showsSign = false
  public var bars: [Bar]

  public init(title: String, label: String, bars: [Bar]) {
    self.title = title
    self.label = label
    self.bars = bars
  }

  private static let barHeight = 24.0
  private static let margin = 10.0

  /// The share of the width that names beside their bars may take; longer ones stand above them.
  private static let nameShare = 0.4

  private func nameWidth(_ typeface: Typeface) -> Double { bars.map { typeface.width(of: $0.name) }.max() ?? 0 }
  private func namesStandAbove(_ typeface: Typeface) -> Bool { nameWidth(typeface) > Self.nameShare * width }
  private func rowHeight(_ typeface: Typeface) -> Double {
    Self.barHeight + (namesStandAbove(typeface) ? TextStyle.body.lineHeight : 0)
  }

  private var top: Double { Self.margin + (title.isEmpty ? 0 : TextStyle.title.lineHeight) + TextStyle.note.lineHeight + 4 }
  private func bottom(_ typeface: Typeface) -> Double { top + Double(max(1, bars.count)) * rowHeight(typeface) }

  public func size(_ typeface: Typeface) -> Size { Size(width: width, height: bottom(typeface) + 8 + TextStyle.note.lineHeight) }

  public func draw(on canvas: Canvas) {
    let margin = Self.margin
    let typeface = canvas.typeface
    canvas.text(title, at: Point(margin, margin - 2), .title, limit: width - 2 * margin)
    let heading = BetterDirection.heading(label, title: title, unit: unit, better)
    canvas.text(heading, at: Point(margin, top - TextStyle.note.lineHeight - 4), .note, limit: width - 2 * margin)
    let nameWidth = namesStandAbove(typeface) ? 0 : nameWidth(typeface)
    let numberWidth = bars.map { typeface.width(of: number($0), .note) }.max() ?? 0
    let left = (margin + (nameWidth > 0 ? nameWidth + 10 : 0)).rounded() + 0.5
    let area = Rectangle(left: left, top: top, width: max(20, width - left - numberWidth - margin - 8), height: bottom(typeface) - top)
    let axis = Axis(values: bars.flatMap { [$0.value] + ends(of: $0) } + [0], ticks: max(2, Int(area.width / 50)))
    drawAxis(axis, area, on: canvas)
    for (index, bar) in bars.enumerated() { draw(bar, row: index, axis, area, on: canvas) }
  }

  /// The ends of the error bar; none without one.
  private func ends(of bar: Bar) -> [Double] {
    guard bar.value.isFinite else { return [] }
    let ends = bar.range.map { [$0.lowerBound, $0.upperBound] } ?? (bar.error > 0 ? [bar.value - bar.error, bar.value + bar.error] : [])
    return ends.allSatisfy(\.isFinite) ? ends : []
  }

  private func number(_ bar: Bar) -> String {
    guard bar.value.isFinite else { return "no value" }
    let value = text(bar.value)
    if let range = bar.range { return "\(value) [\(text(range.lowerBound)), \(text(range.upperBound))]" }
    return bar.error > 0 ? value + String(format: " ± %.\(decimals)f", bar.error) : value
  }

  private func text(_ value: Double) -> String {
    let digits = String(format: "%.\(decimals)f", abs(value))
    let isZero = !digits.contains { ("1"..."9").contains($0) }
    return (isZero ? "" : value < 0 ? "−" : showsSign ? "+" : "") + digits
  }

  private func drawAxis(_ axis: Axis, _ area: Rectangle, on canvas: Canvas) {
    var lastRight = -Double.infinity
    for (value, label) in zip(axis.ticks, axis.labels) {
      let x = (area.left + axis.share(value) * area.width).rounded(.down) + 0.5
      canvas.line(from: Point(x, area.top), to: Point(x, area.bottom + 3), Stroke(value == 0 ? .faintInk : .gridLine))
      let textWidth = canvas.typeface.width(of: label, .note)
      let left = max(2, x - textWidth / 2)
      guard left > lastRight + 6 else { continue }
      canvas.text(label, at: Point(left, area.bottom + 5), .note)
      lastRight = left + textWidth
    }
  }

  private func draw(_ bar: Bar, row: Int, _ axis: Axis, _ area: Rectangle, on canvas: Canvas) {
    let rowHeight = rowHeight(canvas.typeface)
    let isAbove = namesStandAbove(canvas.typeface)
    let middle = area.top + Double(row + 1) * rowHeight - Self.barHeight / 2
    let nameTop = isAbove ? middle - Self.barHeight / 2 - TextStyle.body.lineHeight + 3 : middle - 8
    if isAbove {
      // The lines of the axis must not run through it.
      let width = min(canvas.typeface.width(of: bar.name), width - 2 * Self.margin)
      canvas.fill(Rectangle(left: Self.margin, top: nameTop, width: width, height: TextStyle.body.lineHeight - 1), .white)
    }
    canvas.text(bar.name, at: Point(Self.margin, nameTop), .body, limit: isAbove ? width - 2 * Self.margin : area.left - Self.margin - 9)
    func x(_ value: Double) -> Double { area.left + axis.share(value) * area.width }
    var end = x(0)
    if bar.value.isFinite {
      let sides = [x(0), x(bar.value)].sorted()
      canvas.fill(Rectangle(left: sides[0], top: middle - 8, width: sides[1] - sides[0], height: 16), Palette.color(bar.colorIndex))
      end = sides[1]
      let errorEnds = ends(of: bar).map(x)
      if let from = errorEnds.first, let to = errorEnds.last {
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
