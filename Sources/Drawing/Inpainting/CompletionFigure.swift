import Base
import Vision

/// Pictures with holes and what filled them, one sample a row: input, mask, first stage, completions, truth.
public struct CompletionFigure: Figure {
  public struct Row: Sendable {
    /// The picture; what it holds in the holes is not shown as the input.
    public var picture: Image
    public var mask: InpaintingMask
    /// The output of the first stage; nil: none.
    public var firstStage: Image?
    /// The final outputs, such as one for each seed.
    public var completions: [Image]
    /// Whether `picture` is whole and stands at the end of the row for comparison.
    public var hasTruth: Bool
    /// The name of the sample; empty: none.
    public var name: String
    /// Numbers below the captions of the completions; may be fewer.
    public var notes: [String]

    public init(
      _ picture: Image, mask: InpaintingMask, firstStage: Image? = nil, completions: [Image], hasTruth: Bool = true, name: String = "",
      notes: [String] = []
    ) {
      self.picture = picture
      self.mask = mask
      self.firstStage = firstStage
      self.completions = completions
      self.hasTruth = hasTruth
      self.name = name
      self.notes = notes
    }
  }

  public var rows: [Row]
  public var title: String
  /// The largest width of the whole in pixels.
  public var width: Int

  public init(_ rows: [Row], title: String = "", width: Int = 1280) {
    self.rows = rows
    self.title = title
    self.width = width
  }

  private var hasFirstStage: Bool { rows.contains { $0.firstStage != nil } }

  private var grid: FigureGrid {
    let completions = rows.map(\.completions.count).max() ?? 0
    let columns = 2 + (hasFirstStage ? 1 : 0) + completions + (rows.contains { $0.hasTruth } ? 1 : 0)
    let own = max(24, (width - 10 * (columns + 1)) / columns)
    func cell(_ caption: String, note: String = "", _ image: Image?) -> FigureGrid.Cell {
      let nothing = ImageFigure(Image(height: 1, width: own, color: .white))
      return .init(caption, note: note, image.map { ImageFigure($0.fitted(width: own - 2), hasFrame: true) } ?? nothing)
    }
    let cells = rows.flatMap { row -> [FigureGrid.Cell] in
      var cells = [cell(row.name.isEmpty ? "input" : row.name, note: row.name.isEmpty ? "" : "input", row.mask.applied(to: row.picture)),
                   cell("mask", note: row.mask.note, row.mask.image.rgb())]
      if hasFirstStage { cells.append(cell(row.firstStage == nil ? "" : "first stage", row.firstStage)) }
      for k in 0..<completions {
        let isThere = k < row.completions.count
        let caption = row.completions.count > 1 ? "completion \(k + 1)" : "completion"
        cells.append(cell(isThere ? caption : "", note: k < row.notes.count ? row.notes[k] : "", isThere ? row.completions[k] : nil))
      }
      if rows.contains(where: { $0.hasTruth }) { cells.append(cell(row.hasTruth ? "truth" : "", row.hasTruth ? row.picture : nil)) }
      return cells
    }
    var grid = FigureGrid(cells, columns: columns, title: title)
    grid.captionWidth = Double(own)
    return grid
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}
