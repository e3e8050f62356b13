import Base
import Foundation
import Vision

/// The attention windows of a block over the picture, and where one token looked within its window.
///
/// Holes are tinted; borders of windows are lines. A shifted window that leaves the picture on one side goes on at the other, as the cyclic
/// shift of the tokens makes it.
public struct AttentionWindowFigure: Figure {
  public struct Panel: Sendable {
    /// The block, such as `tran.1 block 1`.
    public var caption: String
    /// The known tokens; its size is that of the token grid.
    public var mask: InpaintingMask
    /// Tokens along one side of a window.
    public var window: Int
    /// Tokens that the windows are shifted by, down and to the right; 0: not.
    public var shift: Int
    /// The token whose attention is shown, and its weights of the `window · window` tokens of its window, row by row; nil: none.
    public var query: (row: Int, column: Int, weights: [Float])?

    /// - Precondition: the token grid is made of whole windows, and the query lies in it.
    public init(
      _ caption: String, mask: InpaintingMask, window: Int, shift: Int = 0, query: (row: Int, column: Int, weights: [Float])? = nil
    ) {
      require(window > 0 && mask.height.isMultiple(of: window) && mask.width.isMultiple(of: window) && (0..<window).contains(shift),
              "AttentionWindowFigure: windows of \(window) tokens, shifted by \(shift), on a grid of \(mask.height)x\(mask.width)")
      if let query {
        require((0..<mask.height).contains(query.row) && (0..<mask.width).contains(query.column) && query.weights.count == window * window,
                "AttentionWindowFigure: the token (\(query.row), \(query.column)) with \(query.weights.count) weights")
      }
      self.caption = caption
      self.mask = mask
      self.window = window
      self.shift = shift
      self.query = query
    }

    /// The tokens of the query's window, row by row, as rows and columns of the grid.
    var windowTokens: [(row: Int, column: Int)] {
      guard let query else { return [] }
      func origin(_ position: Int, _ count: Int) -> Int { (position - shift + count) % count / window * window + shift }
      let top = origin(query.row, mask.height)
      let left = origin(query.column, mask.width)
      return (0..<window * window).map { ((top + $0 / window) % mask.height, (left + $0 % window) % mask.width) }
    }
  }

  public var picture: Image
  public var panels: [Panel]
  public var title: String
  /// The largest width of the whole in pixels.
  public var width: Int

  public init(_ picture: Image, panels: [Panel], title: String = "", width: Int = 1000) {
    self.picture = picture
    self.panels = panels
    self.title = title
    self.width = width
  }

  private var grid: FigureGrid {
    let columns = max(1, min(panels.count, (width - 10) / 190))
    let own = max(60, (width - 10 * (columns + 1)) / columns)
    let cells = panels.map { panel in
      FigureGrid.Cell(panel.caption, note: note(panel), WindowPanel(picture: picture.fitted(width: own), panel: panel))
    }
    var grid = FigureGrid(cells, columns: columns, title: title)
    grid.captionWidth = Double(own)
    return grid
  }

  /// The windows, and the largest weight beside that of even attention.
  private func note(_ panel: Panel) -> String {
    let windows = "windows of \(panel.window)" + (panel.shift > 0 ? ", shifted by \(panel.shift)" : "")
    guard let query = panel.query, let largest = query.weights.max(), largest.isFinite else { return windows }
    let sum = query.weights.reduce(0, +)
    let factor = sum > 0 ? Double(largest / sum) * Double(query.weights.count) : 0
    return "\(windows); peak \(String(format: "%.1f", factor)) times the mean"
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}

/// One block over the picture in its size on the sheet.
private struct WindowPanel: Figure {
  let picture: Image
  let panel: AttentionWindowFigure.Panel

  func size(_ typeface: Typeface) -> Size { Size(width: Double(picture.width), height: Double(picture.height)) }

  /// The picture with tinted holes, and the weights of the query's window in colours; its largest weight has the last colour.
  private var colored: Image {
    var image = panel.mask.tinted(picture, MaskStagesFigure.hole)
    guard let query = panel.query else { return image }
    let largest = max(query.weights.filter(\.isFinite).max() ?? 0, 1e-30)
    var shares = [Float?](repeating: nil, count: panel.mask.known.count)
    for (token, weight) in zip(panel.windowTokens, query.weights) where weight.isFinite {
      shares[token.row * panel.mask.width + token.column] = weight / largest
    }
    for pixel in 0..<image.height * image.width {
      let (y, x) = pixel.quotientAndRemainder(dividingBy: image.width)
      let token = y * panel.mask.height / image.height * panel.mask.width + x * panel.mask.width / image.width
      guard let share = shares[token] else {
        image[rgb: pixel] = image[rgb: pixel].mixed(with: .white, share: 0.45)
        continue
      }
      image[rgb: pixel] = image[rgb: pixel].mixed(with: ColorMap.ember.color(at: share), share: 0.8)
    }
    return image
  }

  func draw(on canvas: Canvas) {
    let bounds = Rectangle(left: 0, top: 0, width: Double(picture.width), height: Double(picture.height))
    let token = Point(bounds.width / Double(panel.mask.width), bounds.height / Double(panel.mask.height))
    canvas.image(colored, at: Point(0, 0))
    canvas.clipped(to: bounds) {
      for isBorder in [true, false] {
        let stroke = isBorder ? Stroke(Color(.black, opacity: 0.55), width: 3) : Stroke(.white, width: 1)
        for column in stride(from: panel.shift, through: panel.mask.width, by: panel.window) {
          canvas.line(from: Point(Double(column) * token.x, 0), to: Point(Double(column) * token.x, bounds.height), stroke)
        }
        for row in stride(from: panel.shift, through: panel.mask.height, by: panel.window) {
          canvas.line(from: Point(0, Double(row) * token.y), to: Point(bounds.width, Double(row) * token.y), stroke)
        }
      }
      if let query = panel.query {
        let place = Rectangle(left: Double(query.column) * token.x, top: Double(query.row) * token.y, width: token.x, height: token.y)
        canvas.outline(place.expanded(by: 1.5), Stroke(.black, width: 3))
        canvas.outline(place.expanded(by: 1.5), Stroke(Color(90, 230, 120), width: 1.5))
      }
    }
  }
}
