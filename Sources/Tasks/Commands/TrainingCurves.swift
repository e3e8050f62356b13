import Base
import Drawing
import Training

/// The metric log of a run as charts: every metric that has a direction over the minutes of training, training and validation together.
public enum TrainingCurves {
  /// Charts on one sheet at most, the score first.
  private static let mostCharts = 6

  /// Draws `curves.png` and `curves.svg` into a run folder. Pauses of a resumed run are left out.
  /// - Parameter metrics: those of training and validation; of one name the first counts.
  /// - Throws: `.missingInput` if the folder has no metric log, `.badData` if it is damaged, and the failures of writing.
  public static func draw(runFolder: String, metrics: [MetricKind]) throws {
    let rows = try MetricHistory(runFolder: runFolder).rows
    var kinds: [MetricKind] = []
    for kind in metrics where kind.better != nil && kinds[kind.name] == nil { kinds.append(kind) }
    let charts = kinds.compactMap { chart(of: $0, rows) }.prefix(mostCharts)
    guard let first = charts.first else { return }
    let figure: any Figure = charts.count == 1 ? first : FigureGrid(charts.map { .init($0) }, columns: 2)
    try figure.writeBothForms(to: "\(runFolder)/curves")
  }

  /// Nil if there are not two points of a curve.
  private static func chart(of kind: MetricKind, _ rows: [MetricHistory.Row]) -> LinePlot? {
    let series = [("train", "training"), ("val", "validation")].enumerated().map { index, split in
      let points = rows.compactMap { row in row.split == split.0 ? row.values[kind.name].map { Point(row.minutes, $0) } : nil }
      return LinePlot.Series(name: split.1, points: points, colorIndex: index)
    }
    var plot = LinePlot(title: "\(kind.name): \(kind.meaning)", xLabel: "minutes of training", yLabel: kind.name,
                        series: series.filter { $0.points.count > 1 })
    guard !plot.series.isEmpty else { return nil }
    plot.unit = kind.unit
    plot.better = kind.better?.ofChart
    return plot
  }
}

extension MetricKind.Direction {
  /// As charts have it.
  package var ofChart: BetterDirection { self == .higher ? .higher : .lower }
}
