import Foundation

/// How the flow of one pair came about: the field after each update on one sheet, the error under each, and the error as a curve.
///
/// All fields share one colour scale, the true flow's longest vector.
public struct FlowUpdates: Sendable {
  public var truth: FlowField
  /// The fields after the first update, the second, …; at least one.
  public var updates: [FlowField]
  /// A line above the sheet.
  public var title: String

  public init(truth: FlowField, updates: [FlowField], title: String = "") {
    (self.truth, self.updates, self.title) = (truth, updates, title)
  }

  /// The mean error after each update, in px.
  public var errors: [Double] {
    updates.map { flow in
      var score = EndPointError()
      score.add(predicted: flow, truth: truth)
      return score.mean
    }
  }

  /// - Parameters:
  ///   - columns: fields side by side.
  ///   - tileWidth: their width in pixels; larger fields are shrunk.
  public func image(columns: Int = 6, tileWidth: Int = 200) -> Image {
    let limit = max(1, truth.largestMagnitude), errors = errors
    var tiles = [Image.Tile("true flow", picture(of: truth, limit, "", tileWidth))]
    for (index, flow) in updates.enumerated() {
      tiles.append(Image.Tile("update \(index + 1)", picture(of: flow, limit, String(format: "EPE %.2f px", errors[index]), tileWidth)))
    }
    let fields = Image.grid(tiles, columns: min(columns, tiles.count))
    let legend = FlowWheel.legend(width: 0, maximum: limit), gap = 6, plotHeight = 180
    let titleHeight = title.isEmpty ? 0 : 26
    let width = max(fields.width, legend.width + 400 + 3 * gap, BitmapFont.width(of: title, scale: 2) + 2 * gap)
    var sheet = Image(height: titleHeight + fields.height + plotHeight + gap, width: width, color: .white)
    sheet.write(title, top: 5, left: gap, .black, scale: 2)
    sheet.blit(fields, top: titleHeight, left: 0)
    sheet.blit(legend, top: titleHeight + fields.height + 4, left: gap)
    sheet.blit(curve(of: errors, height: plotHeight, width: min(560, width - legend.width - 3 * gap)), top: titleHeight + fields.height,
               left: legend.width + 2 * gap)
    return sheet
  }

  /// A small picture of one field in a frame, above a line of text.
  private func picture(of flow: FlowField, _ limit: Float, _ text: String, _ tileWidth: Int) -> Image {
    let colors = FlowWheel.image(of: flow, maximum: limit).shrunk(toWidth: tileWidth)
    let (height, width) = (colors.height + 2, colors.width + 2)
    var tile = Image(height: height + BitmapFont.lineHeight + 10, width: max(width, BitmapFont.width(of: text)), color: .white)
    tile.fill(top: 0, left: 0, height: height, width: width, RGB(190, 190, 190))
    tile.blit(colors, top: 1, left: 1)
    tile.write(text, top: height + 3, left: 0, .black)
    return tile
  }

  private func curve(of errors: [Double], height: Int, width: Int) -> Image {
    let points = errors.enumerated().map { SIMD2(Double($0.offset + 1), $0.element) }
    return LinePlot(title: "error after each update", xLabel: "update", yLabel: "EPE, px", series: [.init(name: "", points: points)])
      .image(height: height, width: width)
  }
}
