import Base
import Drawing
import Foundation
import Training
import Vision

/// The metrics of one or several trackers as tables, files and charts.
struct TrackingScores {
  /// The metrics of a tracker, by sequence and combined.
  struct Tracker {
    let name: String
    private(set) var sequences: [(name: String, metrics: TrackingMetrics)] = []
    /// Counts added, and ratios of the sums.
    private(set) var combined = TrackingMetrics()

    init(name: String) { self.name = name }

    mutating func add(_ name: String, _ metrics: TrackingMetrics) {
      sequences.append((name, metrics))
      combined += metrics
    }

    /// The sequences and, of more than one, their combination.
    var rows: [(name: String, metrics: TrackingMetrics)] { sequences.count == 1 ? sequences : sequences + [(combinedName, combined)] }
  }

  /// What the row of all sequences is called, as TrackEval has it.
  static let combinedName = "COMBINED"

  let trackers: [Tracker]
  let rule: TrackingRule
  let benchmarks: [TrackingBenchmark]
  let isPreprocessed: Bool

  /// The families of metrics, each of which has a table.
  private var families: [(title: String, metrics: [TrackingMetric])] {
    [("HOTA", TrackingMetric.hota), ("CLEAR", TrackingMetric.clear(rule)), ("CLEAR, counts", TrackingMetric.clearCounts(rule)),
     ("Identity", TrackingMetric.identity), ("Boxes and tracks", TrackingMetric.sizes)]
  }

  // MARK: Text

  /// What holds for all numbers.
  private var conventions: [String] {
    let names = benchmarks.map { $0.rawValue.uppercased() }.joined(separator: ", ")
    let removed = trackers.map { "\($0.combined.removedCount)" }.joined(separator: ", ")
    let excused = benchmarks.contains(where: \.hasClasses)
      ? isPreprocessed ? "; boxes on distractors are removed (\(removed))" : "; nothing is removed (--no-preprocessing)" : ""
    let motp = switch rule {
    case .official: "MOTP is the mean IoU of the pairs: higher is better"
    case .pyMotmetrics: "MOTP is the mean distance 1 - IoU of the pairs: lower is better"
    }
    let ruleName = switch rule {
    case .official: "the official rule (TrackEval)"
    case .pyMotmetrics: "py-motmetrics' rule; HOTA is TrackEval's"
    }
    return ["\(names) by \(ruleName)\(excused)",
            "ratios in %; \(motp); MOTA may be negative; HOTA and its parts are means over α = 0.05 ... 0.95",
            "\(Self.combinedName) adds the counts of all sequences, it averages no ratio"]
  }

  var text: String {
    var text = conventions.map { $0 + "\n" }.joined()
    for family in families {
      let columns = family.metrics.map(\.kind.name)
      var table = TextTable([family.title] + columns, rightAligned: Set(1...columns.count))
      for tracker in trackers {
        for row in tracker.rows {
          let name = trackers.count == 1 ? row.name : tracker.sequences.count == 1 ? tracker.name : "\(tracker.name): \(row.name)"
          table.add([name] + family.metrics.map { $0.text(row.metrics) })
        }
      }
      text += "\n" + table.text
    }
    return text
  }

  private var metrics: [TrackingMetric] { families.flatMap(\.metrics) }

  // MARK: Files

  private struct Document: Encodable {
    struct Result: Encodable {
      let name: String
      let combined: [String: Double]
      let sequences: [Row]
    }

    struct Row: Encodable {
      let name: String
      let metrics: [String: Double]
    }

    let rule: String
    let benchmarks: [String]
    let preprocessing: Bool
    let ratios = "percent"
    let motp: String
    let results: [Result]
  }

  /// One object: the conventions, and for each tracker the numbers of its sequences and of all.
  var json: String {
    get throws {
      let metrics = self.metrics
      func numbers(_ counts: TrackingMetrics) -> [String: Double] {
        Dictionary(metrics.map { ($0.kind.name, $0.value(counts)) }) { first, _ in first }
      }
      let results = trackers.map { tracker in
        Document.Result(
          name: tracker.name, combined: numbers(tracker.combined),
          sequences: tracker.sequences.map { Document.Row(name: $0.name, metrics: numbers($0.metrics)) })
      }
      let document = Document(
        rule: rule.configName, benchmarks: benchmarks.map(\.rawValue), preprocessing: isPreprocessed,
        motp: rule == .official ? "iou, higher is better" : "1 - iou, lower is better", results: results)
      return String(decoding: try JSONEncoder.ofFiles.encode(document), as: UTF8.self) + "\n"
    }
  }

  /// A row for each sequence of each tracker, and one for all of them.
  var csv: String {
    let head = ["result", "sequence"] + metrics.map(\.kind.name)
    let rows = trackers.flatMap { tracker in
      (tracker.sequences + [(Self.combinedName, tracker.combined)]).map { row in
        [tracker.name, row.name] + metrics.map { $0.isCount ? $0.text(row.metrics) : "\($0.value(row.metrics))" }
      }
    }
    return ([head] + rows).map { $0.map(\.quotedCSV).joined(separator: ",") + "\n" }.joined()
  }

  /// Writes `metrics.csv`, `metrics.json` and a chart for each tracker, and one of all of them if there are several.
  /// - Returns: lines for the user; none if `isSilent`.
  func write(to folder: String, isSilent: Bool) throws -> String {
    try File.createFolder(folder)
    try AtomicFile.write(csv, to: Path.join(folder, "metrics.csv"))
    try AtomicFile.write(json, to: Path.join(folder, "metrics.json"))
    var text = "\nwritten: \(Path.join(folder, "metrics.csv")) and .json\n"
    for tracker in trackers {
      let name = trackers.count == 1 ? "hota" : "hota-" + tracker.name.replacing("/", with: "-")
      text += try ChartFiles(folder, name).write(chart(of: tracker))
    }
    if trackers.count > 1 { text += try ChartFiles(folder, "hota").write(comparison) }
    return isSilent ? "" : text
  }

  // MARK: Charts

  private static func curve(_ name: String, _ metrics: TrackingMetrics, _ value: (HOTAMetrics.Tally) -> Double) -> LinePlot.Series {
    let points = zip(HOTAMetrics.thresholds, metrics.hota.tallies).map { Point($0, 100 * value($1)) }
    return LinePlot.Series(name: name, points: points)
  }

  private static func plot(_ title: String, _ label: String, _ series: [LinePlot.Series]) -> LinePlot {
    var plot = LinePlot(title: title, xLabel: "α, the least IoU of a pair", yLabel: label, series: series)
    plot.unit = "%"
    plot.better = .higher
    plot.xRange = 0...1
    plot.yRange = 0...100
    return plot
  }

  /// HOTA, DetA and AssA over the thresholds, with their means.
  private func chart(of tracker: Tracker) -> LinePlot {
    let metrics = tracker.combined
    func name(_ name: String, _ mean: Double) -> String { String(format: "\(name) (mean %.1f)", 100 * mean) }
    let curves = [
      Self.curve(name("HOTA", metrics.hota.hota), metrics, \.hota), Self.curve(name("DetA", metrics.hota.detA), metrics, \.detA),
      Self.curve(name("AssA", metrics.hota.assA), metrics, \.assA),
    ]
    let count = tracker.sequences.count
    let title = "\(tracker.name), \(count == 1 ? tracker.sequences[0].name : "\(count) sequences")"
    return Self.plot(title, "accuracy", curves)
  }

  /// HOTA of all trackers over the thresholds.
  private var comparison: LinePlot {
    Self.plot("HOTA of \(trackers.count) trackers", "HOTA", trackers.map { Self.curve($0.name, $0.combined, \.hota) })
  }
}
