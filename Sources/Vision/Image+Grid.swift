extension Image {
  /// A picture with the text that stands above it in a grid.
  public struct Tile: Sendable {
    public var caption: String
    public var image: Image

    public init(_ caption: String, _ image: Image) {
      self.caption = caption
      self.image = image
    }
  }

  /// Pictures side by side on white, row by row, each under its caption.
  ///
  /// A column is as wide as its widest tile (or caption), a row as high as its highest tile; tiles stand at the upper left of their cell.
  /// - Parameters:
  ///   - tiles: in reading order.
  ///   - columns: cells per row, at least 1.
  ///   - gap: pixels between cells and around them.
  public static func grid(_ tiles: [Tile], columns: Int, gap: Int = 6) -> Image {
    guard columns >= 1 else { fatalError("Image.grid: \(columns) columns, expected at least 1") }
    let captionHeight = tiles.contains { !$0.caption.isEmpty } ? BitmapFont.lineHeight + 3 : 0
    let rows = (tiles.count + columns - 1) / columns
    var widths = [Int](repeating: 0, count: columns), heights = [Int](repeating: 0, count: rows)
    for (index, tile) in tiles.enumerated() {
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      widths[column] = max(widths[column], tile.image.width, BitmapFont.width(of: tile.caption))
      heights[row] = max(heights[row], tile.image.height + captionHeight)
    }
    var sheet = Image(
      height: heights.reduce(gap) { $0 + $1 + gap }, width: widths.reduce(gap) { $0 + ($1 == 0 ? 0 : $1 + gap) }, color: .white)
    var top = gap
    for row in 0..<rows {
      var left = gap
      for column in 0..<columns where row * columns + column < tiles.count {
        let tile = tiles[row * columns + column]
        sheet.write(tile.caption, top: top, left: left, .black)
        sheet.blit(tile.image, top: top + captionHeight, left: left)
        left += widths[column] + gap
      }
      top += heights[row] + gap
    }
    return sheet
  }
}
