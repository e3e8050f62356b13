import Base
import Drawing
import Tasks
import Training

extension RunsReport {
  /// The whole page.
  /// - Throws: the failures of drawing and of reading pictures.
  func page() throws -> HTMLPage {
    let title = isComparison ? "\(runs.count) runs compared by \(score.name)" : baseline.name
    let state: [HTML] = isComparison ? [] : [" ", baseline.badge]
    var page = HTMLPage(title: title, subtitle: HTML(baseline.task.help.title) + state.joined())
    summarize(in: &page)
    if let bars = bars() { try page.section("Comparison") { try $0.chart(bars) } }
    let plots = curvePlots()
    if !plots.isEmpty {
      try page.section("Learning curves") { page in
        try page.charts(plots.map(\.plot))
        if runs.count > Self.mostCurves { page.paragraph(.note("The best \(Self.mostCurves - 1) runs and the baseline.")) }
      }
    }
    if isComparison { page.section("Config differences") { tellChanges(in: &$0) } }
    try addSamples(to: &page)
    if isComparison {
      page.section("Runs") { page in
        for index in ranking {
          page.foldable(HTML(runs[index].name) + " " + runs[index].badge) { runs[index].describe(in: &$0) }
        }
      }
    } else {
      page.section("Config, environment, commands") { baseline.describe(in: &$0) }
    }
    return page
  }

  // MARK: The first screen

  private func summarize(in page: inout HTMLPage) {
    let notices = runs.compactMap { $0.notice(isNamed: isComparison) }
    if !isComparison { for notice in notices { page.warning(notice) } }
    if split == "train" { page.warning("There is no validation in these runs: they are ranked by a metric of training.") }
    page.highlights(highlights)
    guard isComparison else {
      page.table(metricTable(split))
      if split == "val" { page.foldable("Metrics of training") { $0.table(metricTable("train")) } }
      return
    }
    page.paragraph(verdict)
    page.table(rankingTable)
    for notice in notices { page.warning(notice) }  // below the best run, for there may be many
    page.paragraph(.note("""
      Best: the best of all values of the run, which is the one of its best checkpoint. The baseline is the run named first. A single run \
      of each says nothing about the spread over seeds, so the differences have no intervals: apus ablate repeats runs over seeds and \
      gives them.
      """))
    if runs.indices.contains(where: { changes($0).contains { $0.key.hasPrefix("validation.") } }) {
      page.warning("The configs differ under 'validation': these figures may not be of the same samples.")
    }
  }

  private var highlights: [(value: HTML, meaning: HTML)] {
    guard let own = scores[best] else { return [] }
    let unit = score.unit.isEmpty ? "" : " \(score.unit)"
    let direction = score.better?.words ?? ""
    let value = (value: HTML(format.text(own.best) + unit), meaning: HTML("\(score.name), best of \(own.count), \(direction)"))
    guard isComparison else {
      return [value, (HTML(format.text(own.last) + unit), HTML("\(score.name) at the end, step \(own.lastStep)")),
              (HTML("\(own.bestStep)"), HTML("step of the best value, of \(baseline.record?.steps ?? baseline.step)")),
              (HTML(ReportStyle.duration(baseline.history?.minutes ?? 0)), "training and validation")]
    }
    var entries = [(value: HTML(runs[best].name), meaning: HTML(best == 0 ? "best run, the baseline" : "best run")), value]
    if let gain = difference(best) {
      entries.append((HTML(format.signed(gain) + unit), HTML("difference to the baseline \(baseline.name)")))
    }
    return entries
  }

  /// What the best run has that the baseline has not, in a sentence.
  private var verdict: HTML {
    let base = HTML.strong(baseline.name)
    guard best > 0 else {
      let parts: [HTML] = ["None of the other runs is better than the baseline ", base, "."]
      return parts.joined()
    }
    let changes = changes(best)
    let own = HTML.strong(runs[best].name)
    guard !changes.isEmpty else {
      let parts: [HTML] = [own, " has the same config as the baseline ", base, "."]
      return parts.joined()
    }
    let shown = changes.prefix(6).map { change in
      let parts: [HTML] = [.code(change.key), " ", .code(change.after.shown), " instead of ", .code(change.before.shown)]
      return parts.joined()
    }.joined(separator: "; ")
    let rest: HTML = changes.count > 6 ? "; and \(changes.count - 6) more, see below." : "."
    let parts: [HTML] = [own, " differs from the baseline ", base, " in ", shown, rest]
    return parts.joined()
  }

  private var rankingTable: HTMLTable {
    var table = HTMLTable([.text("run"), .number(HTML(score.heading) + " best"), .number("at step"), .number("last"),
                           .number("difference"), .number("time"), .text("state")])
    for index in ranking {
      let run = runs[index]
      let own = scores[index]
      let difference: HTML = index == 0 ? .note("baseline") : HTML(difference(index).map(format.signed) ?? "")
      let figures = own.map { [format.text($0.best), "\($0.bestStep)", format.text($0.last)] } ?? ["none", "", ""]
      let time = run.history.map { ReportStyle.duration($0.minutes) } ?? ""
      table.add([HTML(run.name)] + figures.map { HTML($0) } + [difference, HTML(time), run.badge], isMarked: index == best && own != nil)
    }
    return table
  }

  /// All metrics of one run, of validation or of training.
  private func metricTable(_ split: String) -> HTMLTable {
    var table = HTMLTable([.text("metric"), .number("best"), .number("at step"), .number("last"), .text("meaning")])
    let metrics = baseline.task.task.runMetrics
    for kind in split == "val" ? metrics.evaluation : metrics.training {
      guard let own = baseline.score(kind, split: split) else { continue }
      let format = MetricFormat(of: [own.best, own.last])
      let best = kind.better == nil ? ["", ""] : [format.text(own.best), "\(own.bestStep)"]
      table.add([HTML(kind.heading)] + best.map { HTML($0) } + [HTML(format.text(own.last)), HTML(kind.description)],
                isMarked: kind == score && split == self.split)
    }
    return table
  }

  // MARK: Sections

  /// Runs side by side in a table, at most.
  private static let mostColumns = 8

  private func tellChanges(in page: inout HTMLPage) {
    let changes = runs.indices.map(changes)
    let keys = changes.joined().map(\.key).uniqued()
    guard !keys.isEmpty else { return page.paragraph("All runs have the same config.") }
    let shown = [0] + ranking.filter { $0 > 0 }.prefix(Self.mostColumns - 1)
    let names = shown.map { HTML(runs[$0].name) + ($0 == 0 ? .note(" (baseline)") : .empty) }
    var table = HTMLTable([.text("key")] + names.map { .text($0) })
    for key in keys {
      let base = changes.joined().first { $0.key == key }?.before
      let cells = shown.map { index -> HTML in
        guard let change = changes[index].first(where: { $0.key == key }) else { return .code(base.shown) }
        return .element("mark", [:], .code(change.after.shown))
      }
      table.add([.code(key)] + cells)
    }
    page.table(table)
    if runs.count > shown.count { page.paragraph(.note("The baseline and the best \(shown.count - 1) others.")) }
  }

  /// Runs whose pictures are shown, at most, and pictures of each.
  private static let mostSampled = 4

  private func addSamples(to page: inout HTMLPage) throws {
    let order = [best] + (best == 0 ? [] : [0]) + ranking.filter { $0 != best && $0 != 0 }
    try SampleSection(runs: order.prefix(Self.mostSampled).map { runs[$0] }, isComparison: isComparison).add(to: &page)
  }
}

extension ConfigDifference.Value? {
  /// The value as it is read in a sentence; a key that is not there says so.
  var shown: String { self?.text ?? "(not there)" }
}
