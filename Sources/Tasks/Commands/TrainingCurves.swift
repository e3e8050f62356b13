import Base
import Drawing
import Foundation
import Training

/// The metric log of a run as charts: every metric that has a direction over the minutes of training, training and validation together.
public enum TrainingCurves {
  /// Charts on one sheet at most, the score first.
  private static let mostCharts = 6

  /// One row of `metrics.jsonl` as far as the charts need it.
  private struct Row {
    let split: String
    /// Minutes of training before it.
    let minutes: Double
    let values: [String: Double]
  }

  /// Draws `curves.png` and `curves.svg` into a run folder. Pauses of a resumed run are left out.
  /// - Parameter metrics: those of training and validation; of one name the first counts.
  /// - Throws: `.missingInput` if the folder has no metric log, and the failures of writing.
  public static func draw(runFolder: String, metrics: [MetricKind]) throws {
    let rows = try rows(of: "\(runFolder)/metrics.jsonl")
    var kinds: [MetricKind] = []
    for kind in metrics where kind.better != nil && kinds[kind.name] == nil { kinds.append(kind) }
    let charts = kinds.compactMap { chart(of: $0, rows) }.prefix(mostCharts)
    guard let first = charts.first else { return }
    let figure: any Figure = charts.count == 1 ? first : FigureGrid(charts.map { .init($0) }, columns: 2)
    try figure.write(to: "\(runFolder)/curves.png")
    try figure.write(to: "\(runFolder)/curves.svg")
  }

  /// Nil if there are not two points of a curve.
  private static func chart(of kind: MetricKind, _ rows: [Row]) -> LinePlot? {
    let series = [("train", "training"), ("val", "validation")].enumerated().map { index, split in
      let points = rows.compactMap { row in row.split == split.0 ? row.values[kind.name].map { Point(row.minutes, $0) } : nil }
      return LinePlot.Series(name: split.1, points: points, colorIndex: index)
    }
    var plot = LinePlot(title: "\(kind.name): \(kind.meaning)", xLabel: "minutes of training", yLabel: kind.name,
                        series: series.filter { $0.points.count > 1 })
    guard !plot.series.isEmpty else { return nil }
    plot.unit = kind.unit
    plot.better = kind.better == .higher ? .higher : .lower
    return plot
  }

  private static func rows(of path: String) throws -> [Row] {
    var last: Double?
    var minutes = 0.0
    return try File.text(at: path).split(separator: "\n").compactMap { line in
      guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let split = object["split"] as? String, let wall = object["wall"] as? Double else { return nil }
      let gap = last.map { wall - $0 } ?? 0
      minutes += gap > 0 && gap < 1800 ? gap / 60 : 0
      last = wall
      return Row(split: split, minutes: minutes, values: object.compactMapValues { $0 as? Double })
    }
  }
}
