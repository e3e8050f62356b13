import Foundation
import Vision

/// Precision over recall, class by class and averaged: one chart for each IoU threshold.
public struct PrecisionRecallFigure: Figure {
  public var result: AveragePrecisionResult
  /// Names by category id; others go by their id.
  public var names: [Int: String]
  /// Of the result's thresholds.
  public var ious: [Double]
  public var title: String
  /// The width of the whole in pixels.
  public var width: Int
  /// With more classes, those with the most objects are shown; the mean is over all.
  public var mostCurves = 8

  public init(_ result: AveragePrecisionResult, names: [Int: String] = [:], ious: [Double] = [0.5, 0.75], title: String = "",
              width: Int = 1000) {
    self.result = result
    self.names = names
    self.ious = ious
    self.title = title
    self.width = width
  }

  private func plot(_ iou: Double, width: Double) -> LinePlot {
    let measured = result.categories.filter { result.truthCount(category: $0) > 0 }
    let shown = Set(measured.sorted { result.truthCount(category: $0) > result.truthCount(category: $1) }.prefix(mostCurves))
    func percent(_ value: Double) -> String { String(format: "%.0f", 100 * value) }
    var plot = LinePlot(title: String(format: "Precision and recall at IoU %g", iou), xLabel: "recall", yLabel: "precision")
    var sums: [Double] = []
    for category in measured {
      guard let curve = result.precisionRecall(category: category, iou: iou) else { continue }
      sums = sums.isEmpty ? curve.map(\.precision) : zip(sums, curve).map { $0 + $1.precision }
      guard shown.contains(category) else { continue }
      let ap = result.averagePrecision(iou: iou, category: category)
      // The curve ends with the highest recall.
      let points = curve.prefix { $0.precision > 0 }.map { Point($0.recall, $0.precision) }
      plot.series.append(.init(name: "\(names[category] ?? "\(category)") \(percent(ap))", points: points))
    }
    if let curve = measured.first.flatMap({ result.precisionRecall(category: $0, iou: iou) }) {
      let points = zip(curve, sums).map { Point($0.recall, $1 / Double(measured.count)) }.filter { $0.y > 0 }
      let others = measured.count - shown.count
      let name = "mean \(percent(result.averagePrecision(iou: iou)))" + (others > 0 ? ", with \(others) more classes" : "")
      plot.series.append(.init(name: name, points: points, style: .dashed, colorIndex: 7))
    }
    plot.better = .higher
    plot.marksPoints = false
    (plot.xRange, plot.yRange) = (0...1, 0...1)
    plot.width = width
    plot.height = max(260, min(420, 0.75 * width))
    return plot
  }

  private var grid: FigureGrid {
    let columns = width < 700 ? 1 : max(1, ious.count)
    let own = (Double(width) - 10 * Double(columns + 1)) / Double(columns)
    return FigureGrid(ious.map { .init(plot($0, width: own.rounded(.down))) }, columns: columns, title: title)
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}
