import Base
import Drawing
import Foundation
import Tasks
import Training

/// Runs that differ in their seed alone, drawn as one curve: the mean, in a band of one sample deviation to each side.
struct RunGroup: Sendable {
  let name: String
  /// The index of its colour in every chart of the report.
  let colorIndex: Int
  let histories: [MetricHistory]
}

/// The metrics of a report over the steps of training, all runs of one metric in one figure.
struct LearningCurves {
  let groups: [RunGroup]
  /// Whether losses and errors have logarithmic axes.
  let isLogarithmic: Bool

  /// Points of one curve, at most; more are averaged over neighbours.
  private static let mostPoints = 300

  /// The figures of those metrics that were logged, with the names of their files.
  /// - Parameters:
  ///   - split: `val` or `train`.
  ///   - words: what that is, for the titles.
  func plots(of kinds: [MetricKind], split: String, _ words: String) -> [(name: String, plot: LinePlot)] {
    kinds.compactMap { kind in
      plot(of: kind, split: split, title: "\(kind.name) of \(words): \(kind.meaning)").map { plot in
        ("curves-\(split)-\(kind.name)".fileNamePart, plot)
      }
    }
  }

  /// The figure of one metric.
  /// - Returns: nil if no run has two points of it.
  private func plot(of kind: MetricKind, split: String, title: String) -> LinePlot? {
    let series = groups.compactMap { self.series(of: kind, split: split, $0) }
    guard !series.isEmpty else { return nil }
    var plot = LinePlot(title: title, xLabel: "step", yLabel: kind.name, series: series)
    if groups.count == 1 { plot.series[0].name = "" }
    plot.unit = kind.unit
    plot.better = kind.better?.ofChart
    plot.includesZero = kind.better == .lower
    let spans = isLogarithmic || Self.spansDecades(series.flatMap { $0.points.map(\.y) })
    plot.yScale = kind.better == .lower && spans ? .log : .linear
    plot.width = ReportStyle.chartWidth
    plot.height = 320
    return plot
  }

  private func series(of kind: MetricKind, split: String, _ group: RunGroup) -> LinePlot.Series? {
    let curves = group.histories.map { Self.thinned($0.values(of: kind.name, split: split)) }.filter { !$0.isEmpty }
    guard let first = curves.first else { return nil }
    // A mean over other seeds at every step would show steps that no run made: only those count that all have.
    let common = curves.dropFirst().reduce(Set(first.map(\.step))) { $0.intersection($1.map(\.step)) }
    let values = curves.map { curve in Dictionary(curve.map { ($0.step, $0.value) }) { $1 } }
    let points = common.sorted().map { step in (step: Double(step), values: values.compactMap { $0[step] }) }
    guard points.count > 1 else { return nil }
    let count = curves.count
    let name = group.histories.count > 1 ? "\(group.name) (\(count) \(count == 1 ? "seed" : "seeds"))" : group.name
    let means = points.map { Point($0.step, Statistics.mean($0.values)) }
    var series = LinePlot.Series(name: name, points: means, colorIndex: group.colorIndex)
    if count > 1 {
      series.band = points.map { point in
        let mean = Statistics.mean(point.values)
        let deviation = Statistics.sampleDeviation(point.values) ?? 0
        return .init(x: point.step, low: mean - deviation, high: mean + deviation)
      }
    }
    return series
  }

  /// Neighbours averaged until there are few enough points, each at the last step of its part.
  private static func thinned(_ values: [(step: Int, value: Double)]) -> [(step: Int, value: Double)] {
    let size = (values.count + mostPoints - 1) / mostPoints
    guard size > 1 else { return values }
    return stride(from: 0, to: values.count, by: size).map { start in
      let part = values[start..<min(values.count, start + size)]
      return (part[part.endIndex - 1].step, Statistics.mean(part.map(\.value)))
    }
  }

  /// Whether a few large values would press all others to the foot of a linear axis.
  private static func spansDecades(_ values: [Double]) -> Bool {
    let sorted = values.filter(\.isFinite).sorted()
    guard let low = sorted.first, let high = sorted.last, low > 0 else { return false }
    return high > 20 * sorted[sorted.count / 2]
  }
}
