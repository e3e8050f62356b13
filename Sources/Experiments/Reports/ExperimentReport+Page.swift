import Base
import Drawing
import Foundation

extension ExperimentReport {
  /// The whole page.
  /// - Throws: the failures of drawing and of reading pictures.
  func page() throws -> HTMLPage {
    var page = HTMLPage(title: result.name, subtitle: HTML(result.question))
    summarize(in: &page)
    try page.section("Variants") { page in
      for metric in result.metrics {
        try page.charts([bars(metric)] + (differences(metric).map { [$0] } ?? []))
      }
    }
    let plots = curvePlots()
    if !plots.isEmpty {
      try page.section("Learning curves") { page in
        try page.charts(plots.map(\.plot))
        if runs.contains(where: { $0.count > 1 }) {
          page.paragraph(.note("Bands: one sample deviation over the seeds to each side of their mean, at the steps that all seeds have."))
        }
      }
    }
    page.section("Config differences") { tellOverrides(in: &$0) }
    try addSamples(to: &page)
    page.section("Jobs") { page in page.foldable("Every seed", isOpen: hasUnfinished) { $0.table(jobTable) } }
    page.section("Environment, commands") { describe(in: &$0) }
    return page
  }

  private var hasUnfinished: Bool { result.variants.contains { $0.seeds.contains { $0.status != .finished } } }

  // MARK: The first screen

  private func summarize(in page: inout HTMLPage) {
    page.highlights(highlights)
    if let verdict { page.paragraph(verdict) }
    page.table(resultTable)
    let missing = result.variants.contains { variant in summary(variant, score).map { $0.count < $0.planned } ?? true }
    if missing, result.notes.isEmpty {
      page.warning("Seeds are missing: means are over those that are there, as the column of seeds says.")
    }
    for note in result.notes { page.warning(HTML(note)) }
    for problem in problems { page.warning(HTML(problem.replacing("\n", with: " "))) }
    page.paragraph(.note("Mean ± sample deviation over seeds; in brackets the 95 % interval of the difference to the baseline by the "
                         + "paired bootstrap over evaluation samples. Budget of each job: \(result.budget.words)."))
  }

  private var highlights: [(value: HTML, meaning: HTML)] {
    guard let best, let summary = summary(result.variants[best], score), let mean = summary.mean else { return [] }
    let format = format(score)
    let unit = score.unit.isEmpty ? "" : " \(score.unit)"
    let direction = score.better.map { ", \($0.words)" } ?? ""
    let difference = summary.difference.map { difference in
      let interval = format.interval(of: summary)
      let meaning = "difference to \(result.label(of: result.baseline))" + (interval.isEmpty ? "" : ", with its 95 % interval")
      return (value: HTML(format.signed(difference) + interval + unit), meaning: HTML(meaning))
    }
    let seeds = "\(summary.count) of \(summary.planned) seeds"
    var entries: [(value: HTML, meaning: HTML)] = [
      (HTML(result.variants[best].label), best == baseline ? "best variant, the baseline" : "best variant"),
      (HTML(format.text(mean) + format.spread(of: summary) + unit), HTML("\(score.name), \(seeds)\(direction)")),
    ]
    if let difference { entries.append(difference) }
    return entries
  }

  /// What the best variant has that the baseline has not, in a sentence.
  private var verdict: HTML? {
    guard let best else { return "No variant has a figure yet." }
    let variant = result.variants[best]
    guard best != baseline else {
      let parts: [HTML] = ["None of the other variants is better than the baseline ", .strong(variant.label), ".", nearest]
      return parts.joined()
    }
    let certainty: HTML = switch summary(variant, score)?.interval {
    case let interval? where interval.isBeyondZero: ". The interval of their difference leaves out zero."
    case _?: ". The interval of their difference holds zero: the samples do not tell the two apart."
    case nil: "."
    }
    let changes = variant.overrides.map { HTML.code($0) }.joined(separator: ", ")
    let baseChanges = baseline.map { result.variants[$0].overrides.map { HTML.code($0) }.joined(separator: ", ") } ?? .empty
    let own: [HTML] = variant.overrides.isEmpty ? [" is the base config"] : [" lays ", changes, " over the base config"]
    let base = HTML.strong(result.label(of: result.baseline))
    let other: [HTML] = baseChanges == .empty ? [] : [", the baseline ", base, " lays ", baseChanges, " over it"]
    let parts: [HTML] = ["Best: ", .strong(variant.label)] + own + other + [certainty]
    return parts.joined()
  }

  /// The best of the other variants and how far it is from the baseline; empty without one.
  private var nearest: HTML {
    let others = result.variants.indices.filter { $0 != baseline }.compactMap { index in
      summary(result.variants[index], score).flatMap { summary in summary.difference.map { (index, summary, $0) } }
    }
    guard let (index, summary, difference) = others.min(by: { score.better == .higher ? $0.2 > $1.2 : $0.2 < $1.2 }) else { return .empty }
    let format = format(score)
    let interval = format.interval(of: summary)
    let parts: [HTML] = [" The next is ", .strong(result.variants[index].label), ": \(format.signed(difference))\(interval)."]
    return parts.joined()
  }

  private var resultTable: HTMLTable {
    let paperNames = result.paperFigures
    var columns: [HTMLTable.Column] = [.text("variant"), .number("seeds")]
    for metric in result.metrics { columns += [.number(HTML(metric.heading)), .number("difference")] }
    columns += paperNames.map { .number(HTML("paper: \($0)")) } + [.number("time")]
    var table = HTMLTable(columns)
    for (index, variant) in result.variants.enumerated() {
      let first = summary(variant, score)
      let name: HTML = HTML(variant.label) + (index == baseline ? " " + .note("(baseline)") : "")
      let seeds = first.map { "\($0.count) of \($0.planned)" } ?? "0 of \(variant.seeds.count)"
      let seconds = variant.seeds.compactMap(\.seconds).reduce(0, +)
      let paper = paperNames.map { name in HTML(variant.paper.first { $0.name == name }?.value ?? "") }
      let time = HTML(seconds > 0 ? ReportStyle.duration(seconds / 60) : "")
      let figures: [HTML] = result.metrics.flatMap { cells(variant, $0) }
      table.add([name, HTML(seeds)] + figures + paper + [time], isMarked: index == best)
    }
    return table
  }

  /// Mean and difference of one metric.
  private func cells(_ variant: ExperimentResult.Variant, _ metric: ExperimentResult.Metric) -> [HTML] {
    guard let summary = summary(variant, metric), let mean = summary.mean else { return [.note("none"), ""] }
    let format = format(metric)
    let figure = HTML(format.text(mean) + format.spread(of: summary))
    guard let difference = summary.difference else { return [figure, ""] }
    let isCertain = summary.interval?.isBeyondZero == true
    let words = format.signed(difference) + format.interval(of: summary)
    return [figure, isCertain ? .strong(words) : HTML(words)]
  }

  // MARK: Sections

  private func tellOverrides(in page: inout HTMLPage) {
    var table = HTMLTable([.text("variant"), .text("over the base config")])
    for (index, variant) in result.variants.enumerated() {
      let words = variant.overrides.map { HTML.code($0) }.joined(separator: HTML.element("span", [:], ", "))
      let nothing: HTML = .note(index == baseline ? "nothing: the base config" : "nothing")
      table.add([HTML(variant.label), variant.overrides.isEmpty ? nothing : words])
    }
    page.table(table)
  }

  /// Variants whose pictures are shown, at most.
  private static let mostSampled = 4

  private func addSamples(to page: inout HTMLPage) throws {
    let order = [best, baseline].compactMap { $0 } + Array(runs.indices)
    var chosen: [Int] = []
    for index in order where !chosen.contains(index) && !runs[index].isEmpty { chosen.append(index) }
    try SampleSection(runs: chosen.prefix(Self.mostSampled).compactMap { runs[$0].first }, isComparison: true).add(to: &page)
  }

  private var jobTable: HTMLTable {
    var table = HTMLTable([.text("variant"), .number("seed"), .text("state"), .number(HTML(score.name)), .number("step"), .number("time"),
                           .text("folder")])
    for variant in result.variants {
      for seed in variant.seeds {
        let state: HTML = switch seed.status {
        case .finished: .badge("finished", .good)
        case .failed: .badge("failed", .bad) + " " + HTML((seed.message ?? "").replacing("\n", with: " "))
        case .missing: .badge("missing", .warning)
        }
        table.add([HTML(variant.label), "\(seed.seed)", state, HTML(seed.metrics[score.name].map(format(score).text) ?? ""),
                   HTML(seed.step.map { "\($0)" } ?? ""), HTML(seed.seconds.map { ReportStyle.duration($0 / 60) } ?? ""), .code(seed.run)])
      }
    }
    return table
  }

  private func describe(in page: inout HTMLPage) {
    let environments = runs.joined().map { run in run.environment.map { "\($0.name): \($0.value)" } }
    if let first = runs.joined().first {
      page.definitions(first.environment.map { (HTML($0.name), HTML($0.value)) } + (result.data.map { [("data", .code($0))] } ?? []))
    }
    let others = environments.filter { $0 != environments.first }.flatMap { $0.filter { environments.first?.contains($0) == false } }
    if !others.isEmpty { page.paragraph("Other jobs had " + others.uniqued().map { .code($0) }.joined(separator: ", ") + ".") }
    page.preformatted("\(result.command)\napus report \(folder)\n")
  }
}
