import Base
import Drawing
import Foundation

/// The metric log of a run as a picture: one score over the minutes of training.
public enum TrainingCurves {
  /// One line of `metrics.jsonl`, as far as the plot needs it.
  private struct Row: Decodable {
    let split: String
    let step: Int
    /// Seconds since 1970.
    let wall: Double
    let epe: Double?
  }

  /// Draws `curves.png` and `curves.svg` into a run folder: the end-point error of training and validation over time. Pauses of a resumed run are left out.
  /// - Throws: `.missingInput` if the folder has no metric log, and the failures of writing.
  public static func draw(runFolder: String) throws {
    let lines = try File.text(at: "\(runFolder)/metrics.jsonl").split(separator: "\n")
    let rows = lines.compactMap { try? JSONDecoder().decode(Row.self, from: Foundation.Data($0.utf8)) }
    var minutes: [Double] = [], elapsed = 0.0
    for (i, row) in rows.enumerated() {
      let gap = i == 0 ? 0 : row.wall - rows[i - 1].wall
      elapsed += gap > 0 && gap < 1800 ? gap / 60 : 0
      minutes.append(elapsed)
    }
    func series(_ split: String, _ name: String) -> LinePlot.Series {
      LinePlot.Series(name: name, points: zip(rows, minutes).compactMap { row, minute in
        row.split == split ? row.epe.map { Point(minute, $0) } : nil
      })
    }
    var plot = LinePlot(
      title: "End-point error", xLabel: "minutes of training", yLabel: "EPE",
      series: [series("train", "training batches"), series("val", "validation")].filter { $0.points.count > 1 })
    guard !plot.series.isEmpty else { return }
    plot.unit = "px"
    plot.better = .lower
    try plot.write(to: "\(runFolder)/curves.png")
    try plot.write(to: "\(runFolder)/curves.svg")
  }
}
