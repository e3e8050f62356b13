import Base
import Drawing
import Tasks
import Training

/// The report of one run, or of several runs of one task against the first of them, the baseline.
struct RunsReport {
  /// In the order in which they were named.
  let runs: [ReportedRun]
  /// The metric by which runs are ranked, and the rows of the log that have it.
  let score: MetricKind
  let split: String
  let format: MetricFormat
  /// The best value of each run; nil for runs without one.
  let scores: [ReportedRun.Score?]
  /// Whether losses and errors have logarithmic axes.
  var isLogarithmic = false

  var baseline: ReportedRun { runs[0] }
  var isComparison: Bool { runs.count > 1 }

  /// - Throws: `.usage` for runs of different tasks, `.badData` if none has logged anything that can be ranked.
  init(_ runs: [ReportedRun]) throws {
    let metrics = runs[0].task.task.runMetrics
    if let other = runs.first(where: { $0.task != runs[0].task }) {
      throw Failure(.usage, at: other.folder, "this run is of the task '\(other.task.configName)', but \(runs[0].folder) of "
                    + "'\(runs[0].task.configName)': their metrics cannot be compared", remedy: "Make one report for each task.")
    }
    let kinds = metrics.evaluation.map { ($0, "val") } + metrics.training.map { ($0, "train") }
    let ranking = kinds.first { kind, split in kind.better != nil && runs.contains { $0.score(kind, split: split) != nil } }
    guard let (score, split) = ranking else {
      let log = Path.join(runs[0].folder, MetricHistory.fileName)
      throw Failure(.badData, at: log, "no metric has been logged, so there is nothing to report",
                    remedy: "\(runs[0].folder) is \(runs[0].stateText); the first row comes after plan.log_every steps.")
    }
    self.runs = runs
    self.score = score
    self.split = split
    scores = runs.map { $0.score(score, split: split) }
    format = MetricFormat(of: scores.compactMap { $0?.best })
  }

  /// The indices of the runs, best first; those without a value come last.
  var ranking: [Int] {
    runs.indices.sorted { a, b in
      switch (scores[a], scores[b]) {
      case (let x?, let y?): score.isBetter(x.best, than: y.best) || (x.best == y.best && a < b)
      case (_?, nil): true
      case (nil, _?): false
      case (nil, nil): a < b
      }
    }
  }

  var best: Int { ranking[0] }

  /// The best value of a run less that of the baseline; nil for the baseline and where one of the two has none.
  func difference(_ index: Int) -> Double? {
    guard index > 0, let own = scores[index]?.best, let base = scores[0]?.best else { return nil }
    return own - base
  }

  func changes(_ index: Int) -> [ConfigDifference] { baseline.config.differences(to: runs[index].config) }

  // MARK: Figures

  /// Curves in one figure, at most: the best ones, and the baseline.
  static let mostCurves = 8

  var curves: LearningCurves {
    let chosen = Set(ranking.prefix(Self.mostCurves - 1) + [0])
    let groups = runs.indices.filter(chosen.contains).compactMap { index in
      runs[index].history.map { RunGroup(name: runs[index].name, colorIndex: index, histories: [$0]) }
    }
    return LearningCurves(groups: groups, isLogarithmic: isLogarithmic)
  }

  /// Charts of one page, at most.
  private static let mostCharts = 6

  /// The curves of all metrics that have a direction, the score first, and of all losses.
  func curvePlots() -> [(name: String, plot: LinePlot)] {
    let metrics = baseline.task.task.runMetrics
    let curves = curves
    let validation = ([score] + metrics.evaluation.filter { $0 != score }).filter { $0.better != nil }
    let plots = curves.plots(of: split == "val" ? validation : [], split: "val", "validation")
    let losses = curves.plots(of: metrics.training.filter { $0.better != nil || $0.isLoss }, split: "train", "training")
    let shown = Array(plots.prefix(max(Self.mostCharts - losses.count, Self.mostCharts / 2)))
    return shown + losses.prefix(Self.mostCharts - shown.count)
  }

  /// The best value of every run; nil for one run.
  func bars() -> BarPlot? {
    guard isComparison else { return nil }
    let bars = zip(runs, scores).enumerated().map { index, pair in
      BarPlot.Bar(pair.0.name, pair.1?.best ?? .nan, colorIndex: index)
    }
    var plot = BarPlot(title: "\(score.name): \(score.meaning), best value of each run", label: score.name, bars: bars)
    plot.unit = score.unit
    plot.better = score.better?.ofChart
    plot.decimals = format.decimals
    plot.width = ReportStyle.chartWidth
    return plot
  }

  /// For the terminal.
  var text: String {
    var table = TextTable(["run", "\(score.name) (best)", "at step", "last", isComparison ? "difference" : "", "state"],
                          rightAligned: [1, 2, 3, 4])
    for index in ranking {
      let own = scores[index]
      let difference = isComparison && index == 0 ? "baseline" : difference(index).map(format.signed) ?? ""
      table.add([runs[index].name, own.map { format.text($0.best) } ?? "none", own.map { "\($0.bestStep)" } ?? "",
                 own.map { format.text($0.last) } ?? "", difference, runs[index].stateText])
    }
    return table.text
  }
}
