import Base
import Vision

/// How the known part of a picture grows from stage to stage of a network with dynamic masks: holes in a colour, one panel for each stage.
public struct MaskStagesFigure: Figure {
  public struct Stage: Sendable {
    /// The stage and block, such as `tran.0 block 1`.
    public var caption: String
    public var mask: InpaintingMask

    public init(_ caption: String, _ mask: InpaintingMask) {
      self.caption = caption
      self.mask = mask
    }
  }

  public var picture: Image
  /// In the order of the forward pass; their masks may have any resolution.
  public var stages: [Stage]
  public var title: String
  /// The largest width of the whole in pixels.
  public var width: Int

  public init(_ picture: Image, stages: [Stage], title: String = "", width: Int = 1000) {
    self.picture = picture
    self.stages = stages
    self.title = title
    self.width = width
  }

  /// The colour of holes.
  static let hole = RGB(204, 51, 63)

  private var grid: FigureGrid {
    let columns = max(1, min(stages.count, (width - 10) / 150))
    let own = max(60, (width - 10 * (columns + 1)) / columns)
    let cells = stages.map { stage in
      let mask = stage.mask
      return FigureGrid.Cell(stage.caption, note: "\(mask.width)x\(mask.height), \(mask.note)",
                             ImageFigure(mask.tinted(picture.fitted(width: own - 2), Self.hole), hasFrame: true))
    }
    var grid = FigureGrid(cells, columns: columns, title: title)
    grid.captionWidth = Double(own)
    return grid
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}
