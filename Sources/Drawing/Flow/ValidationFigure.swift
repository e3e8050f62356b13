import Foundation
import Vision

/// One validation sample of optical flow on one sheet: the images, the true and the estimated flow, and the error.
public struct ValidationFigure: Figure {
  public var image1: Image
  public var image2: Image
  public var truth: FlowField
  public var predicted: FlowField
  /// A line above the sheet: the sample's name, the step of the training.
  public var title: String
  /// The width of the whole sheet in pixels, at least 200; nil: as the images ask for it, three side by side, each at most 640 pixels wide.
  public var width: Int?

  public init(image1: Image, image2: Image, truth: FlowField, predicted: FlowField, title: String = "", width: Int? = nil) {
    self.image1 = image1
    self.image2 = image2
    self.truth = truth
    self.predicted = predicted
    self.title = title
    self.width = width
  }

  /// Six cells: image 1, image 2 warped back by the predicted flow (to be compared with it), image 2; true flow, predicted flow, error map.
  ///
  /// Both flows share one colour scale, the true flow's longest vector, so that their colours can be compared.
  private var grid: FigureGrid {
    var score = EndPointError()
    score.add(predicted: predicted, truth: truth)
    let limit = max(1, truth.largestMagnitude)
    let errors = score.pixelCount > 0
      ? String(format: "mean %.2f px; %.0f%% below 1 px", score.mean, 100 * score.fractionBelow1) : "no known vector"
    let margin = 10
    let columns = width.map { min(3, max(1, $0 / 190)) } ?? 3
    // Without a width of the sheet, small images are enlarged by a whole number.
    let ownWidth = image1.width >= 200 ? min(640, image1.width) : image1.width * (200 / max(1, image1.width))
    let cellWidth = width.map { max(80, ($0 - margin * (columns + 1)) / columns) } ?? ownWidth
    func picture(_ image: Image) -> ImageFigure { ImageFigure(image.fitted(width: cellWidth)) }
    let first = FigureGrid.Cell("image 1", picture(image1))
    let second = FigureGrid.Cell("image 2", picture(image2))
    let warped = FigureGrid.Cell("image 2 warped back", note: "grey: outside", picture(image2.warped(by: predicted)))
    func cell(_ caption: String, _ flow: FlowField) -> FigureGrid.Cell {
      .init(caption, note: String(format: "max %.1f px", flow.largestMagnitude),
            FlowColorWheel.figure(of: flow, maximum: limit, width: cellWidth))
    }
    let errorMap = EndPointErrorMap.figure(predicted: predicted, truth: truth, width: cellWidth)
    let error = FigureGrid.Cell("end-point error", note: errors, errorMap)
    let flows = [cell("true flow", truth), cell("predicted flow", predicted)]
    let cells = columns == 2 ? [first, second] + flows + [warped, error] : [first, warped, second] + flows + [error]
    return FigureGrid(cells, columns: columns, title: title, margin: Double(margin))
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}
