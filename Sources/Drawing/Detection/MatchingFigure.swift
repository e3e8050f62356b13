import Base
import Vision

/// The matching of objects to queries over a training: how many objects keep their query from one evaluation to the next, and which query
/// each object has.
///
/// While the network learns to divide the objects among its queries the matching changes; when it has settled most stay.
public struct MatchingFigure: Figure {
  /// The matching at one evaluation.
  public struct Moment: Sendable {
    public var step: Int
    /// The query of each object, in the same order every time; nil: none.
    public var queries: [Int?]

    public init(step: Int, queries: [Int?]) {
      self.step = step
      self.queries = queries
    }
  }

  /// In the order of steps.
  public var moments: [Moment]
  /// A name for each object: image and class.
  public var objects: [String]
  public var title: String
  /// The width of the whole in pixels.
  public var width: Int
  /// Rows of the table, at most; the shares are over all objects.
  public var mostRows = 24

  /// - Precondition: every moment has a query for each of the objects.
  public init(_ moments: [Moment], objects: [String], title: String = "Matched pairs over training", width: Int = 800) {
    require(moments.allSatisfy { $0.queries.count == objects.count }, "MatchingFigure: moments with other than \(objects.count) objects")
    self.moments = moments
    self.objects = objects
    self.title = title
    self.width = width
  }

  /// The share of objects, 0...1, with the same query at this moment and at the one before; NaN without objects.
  public func keptShare(at index: Int) -> Double {
    let pairs = zip(moments[index - 1].queries, moments[index].queries)
    return Double(pairs.count { $0 != nil && $0 == $1 }) / Double(objects.count)
  }

  private var grid: FigureGrid {
    var plot = LinePlot(title: "", xLabel: "step", yLabel: "same query as before")
    plot.unit = "%"
    plot.better = .higher
    plot.yRange = 0...100
    plot.series = [.init(name: "", points: moments.indices.dropFirst().map { Point(Double(moments[$0].step), 100 * keptShare(at: $0)) })]
    (plot.width, plot.height) = (Double(width - 20), width < 700 ? 200 : 260)
    let table = QueryTable(moments: moments, objects: objects, rows: min(objects.count, mostRows), width: Double(width - 20))
    let more = objects.count - table.rows
    let rows = more > 0 ? "\(table.rows) of \(objects.count) objects" : "objects"
    let note = "\(rows) by evaluations; numbers and colours: queries"
    return FigureGrid([.init(plot), .init("", note: note, table)], columns: 1, title: title)
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}

/// One row for each object, one column for each moment: the query as a number on its colour.
private struct QueryTable: Figure {
  let moments: [MatchingFigure.Moment]
  let objects: [String]
  let rows: Int
  let width: Double

  private static let rowHeight = 17.0

  func size(_ typeface: Typeface) -> Size { Size(width: width, height: Double(rows) * Self.rowHeight + TextStyle.note.lineHeight + 4) }

  func draw(on canvas: Canvas) {
    let names = objects.prefix(rows)
    let left = min(0.35 * width, (names.map { canvas.typeface.width(of: $0, .note) }.max() ?? 0) + 8).rounded(.up)
    let cell = (width - left) / Double(max(1, moments.count))
    for (row, name) in names.enumerated() {
      let top = Double(row) * Self.rowHeight
      canvas.text(name, at: Point(0, top + 1), .note, limit: left - 6)
      for (column, moment) in moments.enumerated() {
        let place = Rectangle(left: left + Double(column) * cell, top: top, width: cell, height: Self.rowHeight)
        guard let query = moment.queries[row] else { continue }
        let color = Palette.color(query)
        // A gap between cells where there is room for one.
        canvas.fill(cell > 8 ? place.expanded(by: -0.5) : place, color)
        let style = TextStyle(size: 11, color: color.readableInk)
        if canvas.typeface.width(of: "\(query)", style) + 4 < cell {
          canvas.text("\(query)", at: Point(place.center.x, top + 1), style, alignment: .center)
        }
      }
    }
    drawSteps(left, cell, on: canvas)
  }

  private func drawSteps(_ left: Double, _ cell: Double, on canvas: Canvas) {
    /// The text of a step below its column, within the figure.
    func label(_ column: Int) -> (text: String, left: Double, right: Double) {
      let text = "\(moments[column].step)"
      let textWidth = canvas.typeface.width(of: text, .note)
      let start = min(left + (Double(column) + 0.5) * cell - textWidth / 2, width - textWidth)
      return (text, start, start + textWidth)
    }
    // The last one always stands, the others where they have room.
    guard let last = moments.indices.last.map(label) else { return }
    var lastRight = -Double.infinity
    for column in moments.indices {
      let place = label(column)
      guard column == moments.indices.last || (place.left > lastRight + 8 && place.right < last.left - 8) else { continue }
      canvas.text(place.text, at: Point(place.left, Double(rows) * Self.rowHeight + 3), .note)
      lastRight = place.right
    }
  }
}
