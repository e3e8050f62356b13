import Base
import Drawing
import Tasks
import Training

/// The report of an experiment, from its `results.json` and the run folders of its jobs.
struct ExperimentReport {
  /// The folder of the experiment's runs.
  let folder: String
  let result: ExperimentResult
  /// The run folders of the finished seeds that were trained, for each variant.
  let runs: [[ReportedRun]]
  /// Why a run folder could not be read; its figures stand in the results all the same.
  let problems: [String]
  /// Whether losses and errors have logarithmic axes.
  var isLogarithmic = false

  /// - Throws: `.missingInput` or `.badData` if there are no results.
  init(folder: String) throws {
    self.folder = folder
    result = try ExperimentResult(folder: folder)
    var problems: [String] = []
    let isTrained = !result.budget.isEmpty
    runs = try result.variants.map { variant in
      try variant.seeds.filter { isTrained && $0.status == .finished && $0.weights == nil }.compactMap { seed in
        do {
          var run = try ReportedRun(folder: Path.join(folder, seed.run))
          run.name = variant.label
          return run
        } catch let failure as Failure where [.missingInput, .badData, .usage].contains(failure.kind) {
          problems.append("\(failure)")
          return nil
        }
      }
    }
    self.problems = problems
    if result.variants.isEmpty || result.metrics.isEmpty {
      throw Failure(.badData, at: Path.join(folder, ExperimentResult.fileName), "this experiment has no variants or no metrics",
                    remedy: "apus ablate SPEC writes its results anew.")
    }
  }

  /// The metric that ranks the variants: the first with a direction, else the first.
  var score: ExperimentResult.Metric { result.metrics.first { $0.better != nil } ?? result.metrics[0] }

  func summary(_ variant: ExperimentResult.Variant, _ metric: ExperimentResult.Metric) -> ExperimentResult.Summary? {
    variant.summaries.first { $0.metric == metric.name }
  }

  /// The decimals of a metric: as many as its smallest spread or difference needs to be seen.
  func format(_ metric: ExperimentResult.Metric) -> MetricFormat {
    let summaries = result.variants.compactMap { summary($0, metric) }
    let spreads = summaries.compactMap(\.deviation) + summaries.compactMap(\.interval).map { ($0.high - $0.low) / 2 }
    return MetricFormat(of: summaries.compactMap(\.mean), spreads: spreads)
  }

  /// The index of the best variant: by its difference to the baseline where seeds are missing, for means over different seeds say little;
  /// nil if none has a figure.
  var best: Int? {
    let own = baseline.flatMap { summary(result.variants[$0], score)?.mean }
    let means = result.variants.indices.map { index -> Double? in
      let summary = summary(result.variants[index], score)
      guard let own, index != baseline else { return summary?.mean }
      return summary?.difference.map { own + $0 }
    }
    return means.indices.filter { means[$0] != nil }.reduce(nil as Int?) { best, index in
      guard let best, let old = means[best], let new = means[index] else { return index }
      return (score.better == .higher ? new > old : new < old) ? index : best
    }
  }

  var baseline: Int? { result.variants.firstIndex { $0.name == result.baseline } }

  // MARK: Figures

  /// The mean of every variant in the order of the spec, with the deviation over its seeds.
  func bars(_ metric: ExperimentResult.Metric) -> BarPlot {
    let bars = result.variants.enumerated().map { index, variant in
      let summary = summary(variant, metric)
      return BarPlot.Bar(variant.label, summary?.mean ?? .nan, error: summary?.deviation ?? 0, colorIndex: index)
    }
    let isSpread = bars.contains { $0.error > 0 }
    var plot = BarPlot(title: "\(metric.name): \(metric.meaning)" + (isSpread ? ", mean ± deviation over seeds" : ""), label: metric.name,
                       bars: bars)
    plot.unit = metric.unit
    plot.better = metric.better?.ofChart
    plot.decimals = format(metric).decimals
    plot.width = ReportStyle.chartWidth
    return plot
  }

  /// The differences to the baseline with their intervals; nil if there are none.
  func differences(_ metric: ExperimentResult.Metric) -> BarPlot? {
    let bars = result.variants.enumerated().compactMap { index, variant -> BarPlot.Bar? in
      guard let summary = summary(variant, metric), let difference = summary.difference else { return nil }
      var bar = BarPlot.Bar(variant.label, difference, colorIndex: index)
      bar.range = summary.interval.flatMap { $0.low <= $0.high ? $0.low...$0.high : nil }
      return bar
    }
    guard !bars.isEmpty else { return nil }
    var plot = BarPlot(title: "\(metric.name): difference to \(result.baseline)", label: metric.name, bars: bars)
    plot.title += bars.contains { $0.range != nil } ? ", 95 % intervals" : ""
    plot.unit = metric.unit
    plot.better = metric.better?.ofChart
    plot.decimals = format(metric).decimals
    plot.showsSign = true
    plot.width = ReportStyle.chartWidth
    return plot
  }

  var curves: LearningCurves {
    let groups = zip(result.variants, runs).enumerated().compactMap { index, pair in
      let histories = pair.1.compactMap(\.history)
      return histories.isEmpty ? nil : RunGroup(name: pair.0.label, colorIndex: index, histories: histories)
    }
    return LearningCurves(groups: groups, isLogarithmic: isLogarithmic)
  }

  /// Charts of one kind, at most.
  private static let mostCharts = 4

  /// The curves of the experiment's metrics in validation, and of the losses in training.
  func curvePlots() -> [(name: String, plot: LinePlot)] {
    guard let metrics = runs.joined().first?.task.task.runMetrics else { return [] }
    let curves = curves
    let validation = curves.plots(of: result.metrics.compactMap { metrics.evaluation[$0.name] }, split: "val", "validation")
    let losses = curves.plots(of: metrics.training.filter { $0.better != nil || $0.isLoss }, split: "train", "training")
    return Array(validation.prefix(Self.mostCharts) + losses.prefix(Self.mostCharts / 2))
  }

  /// For the terminal.
  var text: String {
    var table = TextTable(["variant", "seeds", score.name, "difference", "95 % interval"], rightAligned: [2, 3])
    let format = format(score)
    for variant in result.variants {
      let summary = summary(variant, score)
      table.add([variant.label, summary.map { "\($0.count) of \($0.planned)" } ?? "", summary.flatMap(\.mean).map(format.text) ?? "none",
                 summary.flatMap(\.difference).map(format.signed) ?? "",
                 summary.flatMap(\.interval).map { format.interval($0.low, $0.high) } ?? ""])
    }
    return table.text
  }
}
