import Foundation
import Vision

/// The iterations of one pair on one sheet: the field after each, its error, and the error as a curve.
///
/// All fields share one colour scale, the true flow's longest vector.
public struct IterationFigure: Figure {
  public var truth: FlowField
  /// The fields after the first iteration, the second, …; at least one.
  public var updates: [FlowField]
  /// A line above the sheet.
  public var title: String
  /// The width of the whole sheet in pixels, at least 200.
  public var width: Int

  public init(truth: FlowField, updates: [FlowField], title: String = "", width: Int = 1280) {
    self.truth = truth
    self.updates = updates
    self.title = title
    self.width = width
  }

  /// The mean error after each iteration, in px; NaN if no true vector is known.
  public var errors: [Double] {
    updates.map { flow in
      var score = EndPointError()
      score.add(predicted: flow, truth: truth)
      return score.pixelCount > 0 ? score.mean : .nan
    }
  }

  private var grid: FigureGrid {
    let limit = max(1, truth.largestMagnitude)
    let gap = 10
    // As few rows as the width allows, and these of about equal length.
    let rows = (updates.count + max(2, width / 200)) / max(2, width / 200)
    let columns = (updates.count + rows) / rows
    let cellWidth = max(80, (width - gap * (columns + 1)) / columns)
    func picture(_ flow: FlowField) -> ImageFigure {
      ImageFigure(FlowColorWheel.image(of: flow, maximum: limit).fitted(width: min(cellWidth - 2, 360)), hasFrame: true)
    }
    var cells = [FigureGrid.Cell("true flow", note: String(format: "max %.1f px", truth.largestMagnitude), picture(truth))]
    for (index, (flow, error)) in zip(updates, errors).enumerated() {
      cells.append(FigureGrid.Cell("iteration \(index + 1)", note: error.isNaN ? "" : String(format: "EPE %.2f px", error), picture(flow)))
    }
    let fields = FigureGrid(cells, columns: columns, title: title, gap: Double(gap), margin: 0)
    let hasLonger = updates.contains { $0.largestMagnitude > limit }
    let legend = FlowLegend(maximum: limit, hasUnknown: truth.isValid.contains(false), hasLonger: hasLonger)
    var curve = LinePlot(title: "", xLabel: "iteration", yLabel: "end-point error", series: [
      .init(name: "", points: errors.enumerated().map { Point(Double($0.offset + 1), $0.element) }),
    ])
    curve.unit = "px"
    curve.better = .lower
    curve.width = Double(min(560, width - 2 * gap))
    curve.height = 220
    let isWide = width >= 800
    let summary = FigureGrid([.init(legend), .init(curve)], columns: isWide ? 2 : 1, gap: Double(2 * gap), margin: 0)
    return FigureGrid([.init(fields), .init(summary)], columns: 1, gap: Double(gap), margin: Double(gap))
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}
