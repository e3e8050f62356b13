import Base
import Drawing
import Foundation
import Training

/// The metric log of a run as a picture: the score that decides which checkpoint is the best, over the minutes of training.
public enum TrainingCurves {
  /// Draws `curves.png` and `curves.svg` into a run folder. Pauses of a resumed run are left out.
  /// - Parameter metrics: those of evaluations; the first one with a direction is drawn, for training batches too if they have it.
  /// - Throws: `.missingInput` if the folder has no metric log, and the failures of writing.
  public static func draw(runFolder: String, _ metrics: [MetricKind]) throws {
    guard let score = metrics.first(where: { $0.better != nil }) else { return }
    let lines = try File.text(at: "\(runFolder)/metrics.jsonl").split(separator: "\n")
    let rows = lines.compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    var minutes: [Double] = []
    var elapsed = 0.0
    var last: Double?
    for row in rows {
      let wall = row["wall"] as? Double  // seconds since 1970
      let gap = wall.flatMap { wall in last.map { wall - $0 } } ?? 0
      elapsed += gap > 0 && gap < 1800 ? gap / 60 : 0
      minutes.append(elapsed)
      last = wall ?? last
    }
    func series(_ split: String, _ name: String) -> LinePlot.Series {
      LinePlot.Series(name: name, points: zip(rows, minutes).compactMap { row, minute in
        row["split"] as? String == split ? (row[score.name] as? Double).map { Point(minute, $0) } : nil
      })
    }
    var plot = LinePlot(
      title: score.meaning, xLabel: "minutes of training", yLabel: score.name,
      series: [series("train", "training batches"), series("val", "validation")].filter { $0.points.count > 1 })
    guard !plot.series.isEmpty else { return }
    plot.unit = score.unit
    plot.better = score.better == .lower ? .lower : .higher
    try plot.write(to: "\(runFolder)/curves.png")
    try plot.write(to: "\(runFolder)/curves.svg")
  }
}
