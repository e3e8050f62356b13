import Vision

/// Figures side by side, row by row, each under its caption: the sheets of validation, "input, mask, output, truth", several charts.
///
/// A column is as wide as its widest figure, or caption up to a limit; longer captions are cut. Figures stand at the upper left of
/// their cell.
public struct FigureGrid: Figure {
  public struct Cell: Sendable {
    /// Set in bold above the figure.
    public var caption: String
    /// A second line below the caption, for numbers.
    public var note: String
    public var figure: any Figure

    public init(_ caption: String, note: String = "", _ figure: any Figure) {
      self.caption = caption
      self.note = note
      self.figure = figure
    }

    /// A figure without a caption.
    public init(_ figure: any Figure) { self.init("", figure) }
  }

  /// A line above the whole sheet.
  public var title: String
  /// In reading order.
  public var cells: [Cell]
  /// Cells in a row, at least 1.
  public var columns: Int
  /// Pixels between cells, and around all of them.
  public var gap: Double
  public var margin: Double
  /// Up to so many pixels a caption widens its column.
  public var captionWidth = 180.0

  public init(_ cells: [Cell], columns: Int, title: String = "", gap: Double = 10, margin: Double = 10) {
    self.cells = cells
    self.columns = max(1, columns)
    self.title = title
    self.gap = gap
    self.margin = margin
  }

  /// Rows of pictures under common headings, such as input, mask, output and truth.
  /// - Parameters:
  ///   - headings: one for each column.
  ///   - rows: pictures as many as headings.
  ///   - width: the width of one picture with its frame; they are shrunk or enlarged to it.
  public init(headings: [String], rows: [[Image]], title: String = "", width: Int = 256) {
    let cells = rows.enumerated().flatMap { index, images in
      images.enumerated().map { column, image in
        Cell(index == 0 && column < headings.count ? headings[column] : "", ImageFigure(image.fitted(width: width - 2), hasFrame: true))
      }
    }
    self.init(cells, columns: headings.count, title: title)
  }

  private struct Layout {
    var widths: [Double]
    var heights: [Double]
    /// Height of the two lines above the figures of each row.
    var captions: [Double]
    var notes: [Double]
    var titleHeight: Double
    var size: Size
  }

  private func layout(_ typeface: Typeface) -> Layout {
    let rowCount = (cells.count + columns - 1) / columns
    var layout = Layout(
      widths: Array(repeating: 0, count: min(columns, max(1, cells.count))), heights: Array(repeating: 0, count: rowCount),
      captions: Array(repeating: 0, count: rowCount), notes: Array(repeating: 0, count: rowCount),
      titleHeight: title.isEmpty ? 0 : TextStyle.title.lineHeight + 6, size: Size(width: 0, height: 0))
    for (index, cell) in cells.enumerated() {
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      let size = cell.figure.size(typeface)
      let textWidth = max(typeface.width(of: cell.caption, .caption), typeface.width(of: cell.note, .note))
      layout.widths[column] = max(layout.widths[column], size.width.rounded(.up), min(textWidth.rounded(.up), captionWidth))
      layout.heights[row] = max(layout.heights[row], size.height.rounded(.up))
      if !cell.caption.isEmpty { layout.captions[row] = TextStyle.caption.lineHeight + 2 }
      if !cell.note.isEmpty { layout.notes[row] = TextStyle.note.lineHeight + 1 }
    }
    let inner = layout.widths.reduce(0, +) + gap * Double(layout.widths.count - 1)
    let rows = layout.heights.reduce(0, +) + layout.captions.reduce(0, +) + layout.notes.reduce(0, +) + gap * Double(max(0, rowCount - 1))
    layout.size = Size(width: max(1, inner + 2 * margin), height: max(1, rows + layout.titleHeight + 2 * margin))
    return layout
  }

  public func size(_ typeface: Typeface) -> Size { layout(typeface).size }

  public func draw(on canvas: Canvas) {
    let layout = layout(canvas.typeface)
    canvas.text(title, at: Point(margin, margin - 2), .title, limit: layout.size.width - 2 * margin)
    var top = margin + layout.titleHeight
    for row in layout.heights.indices {
      var left = margin
      for column in layout.widths.indices where row * columns + column < cells.count {
        let cell = cells[row * columns + column]
        let width = layout.widths[column]
        // A caption without a note stands right above its figure.
        canvas.text(cell.caption, at: Point(left, top + (cell.note.isEmpty ? layout.notes[row] : 0)), .caption, limit: width)
        canvas.text(cell.note, at: Point(left, top + layout.captions[row]), .note, limit: width)
        canvas.translated(to: Point(left, top + layout.captions[row] + layout.notes[row])) { cell.figure.draw(on: canvas) }
        left += width + gap
      }
      top += layout.captions[row] + layout.notes[row] + layout.heights[row] + gap
    }
  }
}
