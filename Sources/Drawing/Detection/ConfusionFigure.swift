import Base
import Vision

/// A confusion matrix: what true objects were found as. Rows are true classes, columns found ones; the last of both is the background:
/// objects that were missed, and detections of nothing.
///
/// Colours are shares of the row, numbers are counts.
public struct ConfusionFigure: Figure {
  /// `[K + 1, K + 1]`, row-major, for K classes.
  public var counts: [Int]
  /// Of the K classes.
  public var names: [String]
  public var title: String
  /// Room for the whole in pixels; the figure takes less where cells would become too large.
  public var width: Int

  /// - Precondition: `counts.count == (names.count + 1)²`.
  public init(_ counts: [Int], names: [String], title: String = "Confusion matrix", width: Int = 640) {
    let side = names.count + 1
    require(counts.count == side * side, "ConfusionFigure: \(counts.count) counts for \(names.count) classes, expected \(side * side)")
    self.counts = counts
    self.names = names
    self.title = title
    self.width = width
  }

  private static let margin = 10.0
  private static let largestCell = 120.0

  private struct Layout {
    let labels: [String]
    /// Columns have the labels of the rows, or numbers where those have no room.
    let columnLabels: [String]
    let left: Double
    let top: Double
    let cell: Size
    let side: Int
    let size: Size
  }

  private func layout(_ typeface: Typeface) -> Layout {
    let all = names + ["background"]
    let side = all.count
    let width = Double(width)
    // Names of rows; numbers before them if the columns have numbers only.
    func left(_ labels: [String]) -> Double {
      let widest = labels.map { typeface.width(of: $0, .note) }.max() ?? 0
      return Self.margin + TextStyle.note.lineHeight + min(widest.rounded(.up), width * 0.3) + 8
    }
    func cell(_ left: Double) -> Double { min(Self.largestCell, max(4, ((width - left - Self.margin) / Double(side)).rounded(.down))) }
    var labels = all
    var columnLabels = all
    let widest = all.map { typeface.width(of: $0, .note) }.max() ?? 0
    if widest + 6 > cell(left(all)) {
      labels = all.enumerated().map { "\($0 + 1) \($1)" }
      columnLabels = all.indices.map { "\($0 + 1)" }
    }
    let start = left(labels)
    let cellSize = Size(width: cell(start), height: min(40, max(4, cell(start))))
    let top = Self.margin + (title.isEmpty ? 0 : TextStyle.title.lineHeight + 2) + 2 * TextStyle.note.lineHeight + 6
    let size = Size(width: max(start + cellSize.width * Double(side) + Self.margin, min(width, 220)),
                    height: top + cellSize.height * Double(side) + 44 + Self.margin)
    return Layout(labels: labels, columnLabels: columnLabels, left: start, top: top, cell: cellSize, side: side, size: size)
  }

  public func size(_ typeface: Typeface) -> Size { layout(typeface).size }

  public func draw(on canvas: Canvas) {
    let layout = layout(canvas.typeface)
    let inner = layout.size.width - 2 * Self.margin
    canvas.text(title, at: Point(Self.margin, Self.margin - 2), .title, limit: inner)
    let note = TextStyle.note.lineHeight
    canvas.text("found as", at: Point(layout.left, layout.top - 2 * note - 4), .note)
    canvas.text("true class", at: Point(Self.margin, layout.top - note - 3), .note, limit: layout.left - Self.margin - 6)
    let smallest = min(layout.cell.width, layout.cell.height)
    // Where cells are smaller than a line, every second or fifth label stands.
    let stride = smallest >= 14 ? 1 : smallest >= 7 ? 2 : 5
    var lastRight = -Double.infinity
    for index in 0..<layout.side {
      let x = layout.left + (Double(index) + 0.5) * layout.cell.width
      let y = layout.top + (Double(index) + 0.5) * layout.cell.height
      if index % stride == 0 {
        canvas.text(layout.labels[index], at: Point(layout.left - 6, y - 7.5), .note, alignment: .right,
                    limit: layout.left - Self.margin - 6)
      }
      let label = layout.columnLabels[index]
      let half = canvas.typeface.width(of: label, .note) / 2
      if x - half > lastRight + 3 {
        canvas.text(label, at: Point(x, layout.top - note - 3), .note, alignment: .center)
        lastRight = x + half
      }
      drawRow(index, layout, on: canvas)
    }
    let frame = Rectangle(left: layout.left, top: layout.top, width: layout.cell.width * Double(layout.side),
                          height: layout.cell.height * Double(layout.side))
    canvas.outline(frame.expanded(by: 0.5), Stroke(.frame))
    let ticks = [ColorBar.Tick(0, "0"), ColorBar.Tick(0.5, "50"), ColorBar.Tick(1, "100")]
    let bar = ColorBar(Self.colors, ticks: ticks, label: "% of the row", width: min(260, inner))
    canvas.draw(bar, at: Point(Self.margin, frame.bottom + 12))
  }

  /// White to dark blue, so that the numbers can be read.
  private static let colors = ColorMap(stops: [RGB(252, 252, 253), RGB(158, 202, 225), RGB(33, 113, 181), RGB(8, 48, 107)])

  private func drawRow(_ row: Int, _ layout: Layout, on canvas: Canvas) {
    let values = counts[row * layout.side..<(row + 1) * layout.side]
    let sum = values.reduce(0, +)
    for (column, count) in values.enumerated() {
      let place = Rectangle(left: layout.left + Double(column) * layout.cell.width, top: layout.top + Double(row) * layout.cell.height,
                            width: layout.cell.width, height: layout.cell.height)
      let color = Color(Self.colors.color(at: sum == 0 ? 0 : Float(count) / Float(sum)))
      canvas.fill(place, color)
      // Detections of nothing on nothing do not exist.
      guard count > 0, !(row == layout.side - 1 && column == row) else { continue }
      let style = TextStyle(size: 11, color: color.readableInk)
      guard canvas.typeface.width(of: "\(count)", style) + 3 < place.width, place.height >= 14 else { continue }
      canvas.text("\(count)", at: Point(place.center.x, place.center.y - 7.5), style, alignment: .center)
    }
  }
}
