import Base
import Foundation

/// Numbers as tables show them.
enum TableNumber {
  /// About four digits: `0.0312`, `1.942`, `38.12`, `1234.5`.
  static func text(_ value: Double) -> String {
    let size = abs(value)
    if size != 0, size < 1e-3 || size >= 1e6 { return String(format: "%.3e", value) }
    return String(format: "%.\(size < 1 ? 4 : size < 10 ? 3 : size < 100 ? 2 : 1)f", value)
  }

  /// The same with the digits of another number, so that a mean and its deviation agree.
  static func text(_ value: Double, as other: Double) -> String {
    let text = text(other)
    guard !text.contains("e"), let point = text.firstIndex(of: ".") else { return Self.text(value) }
    let own = String(format: "%.\(text.distance(from: point, to: text.endIndex) - 1)f", value)
    return Double(own) == 0 && own.hasPrefix("-") ? String(own.dropFirst()) : own
  }
}

/// The results as tables: rows in the order of the spec, the paper's figures beside ours. Nothing of the machine or the hour is in them.
package struct ExperimentTable {
  private let result: ExperimentResult
  /// The paper's figures that any variant has, in the order of their first appearance.
  private let figures: [String]

  package init(_ result: ExperimentResult) {
    self.result = result
    figures = result.paperFigures
  }

  /// All forms, by file name.
  package var files: [(name: String, text: String)] { [("table.md", markdown), ("table.csv", csv), ("table.tex", latex)] }

  /// The signs that differ between the forms.
  private struct Signs {
    let lower: String
    let higher: String
    let deviation: String
    let difference: String
    let minus: String
  }

  /// Head and rows.
  private func rows(_ signs: Signs) -> (head: [String], rows: [[String]]) {
    var head = ["variant"] + figures.map { "\($0) (paper)" }
    for metric in result.metrics {
      let unit = metric.unit.isEmpty ? "" : " (\(metric.unit))"
      let direction = metric.better.map { $0 == .lower ? " \(signs.lower)" : " \(signs.higher)" } ?? ""
      head += ["\(metric.name)\(unit)\(direction)", "\(signs.difference) \(metric.name) [95 %]"]
    }
    head.append("seeds")
    let rows = result.variants.map { variant -> [String] in
      let paper = figures.map { name in variant.paper.first { $0.name == name }?.value ?? "" }
      let isBaseline = variant.name == result.baseline
      let numbers = variant.summaries.flatMap { [value($0, signs), isBaseline ? "baseline" : difference($0, signs)] }
      return [variant.label] + paper + numbers + [variant.finished.count == variant.seeds.count ? "\(variant.seeds.count)"
        : "\(variant.finished.count) of \(variant.seeds.count)"]
    }
    return (head, rows)
  }

  private func value(_ summary: ExperimentResult.Summary, _ signs: Signs) -> String {
    guard let mean = summary.mean else { return "" }
    let deviation = summary.deviation.map { " \(signs.deviation) \(TableNumber.text($0, as: mean))" } ?? ""
    return (TableNumber.text(mean) + deviation).replacing("-", with: signs.minus)
  }

  /// `+0.041 [+0.020, +0.063]`.
  private func difference(_ summary: ExperimentResult.Summary, _ signs: Signs) -> String {
    guard let difference = summary.difference else { return "" }
    func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + TableNumber.text(value, as: summary.mean ?? value) }
    let interval = summary.interval.map { " [\(signed($0.low)), \(signed($0.high))]" } ?? ""
    return (signed(difference) + interval).replacing("-", with: signs.minus)
  }

  /// The sentence below a table.
  private var legend: String {
    let training = result.budget.isEmpty ? "" : "\(result.budget.words) a job. Mean and sample deviation over seeds. "
    return training + "Differences to \(result.label(of: result.baseline)) with the 95 % interval of \(ExperimentResult.resamples) paired "
      + "bootstrap choices of the evaluation samples, where these have the metric."
  }

  // MARK: Forms

  package var markdown: String {
    let (head, rows) = rows(Signs(lower: "↓", higher: "↑", deviation: "±", difference: "Δ", minus: "−"))
    func line(_ cells: [String]) -> String { "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n" }
    let rule = "|" + head.indices.map { $0 == 0 ? "---|" : "---:|" }.joined() + "\n"
    let notes = result.notes.map { "- \($0)\n" }.joined()
    return "# \(result.question.isEmpty ? result.name : result.question)\n\n" + line(head) + rule + rows.map(line).joined()
      + "\n\(legend)\n" + (notes.isEmpty ? "" : "\n\(notes)") + "\n    \(result.command)\n"
  }

  /// Full numbers, a row for each variant.
  package var csv: String {
    var head = ["variant", "label", "seeds_finished", "seeds_planned"] + figures.map { "paper.\($0)" }
    for metric in result.metrics { head += ["mean", "deviation", "difference", "low", "high"].map { "\(metric.name).\($0)" } }
    let rows = result.variants.map { variant -> [String] in
      let paper = figures.map { name in variant.paper.first { $0.name == name }?.value ?? "" }
      let numbers = variant.summaries.flatMap { summary -> [String] in
        let (low, high) = (summary.interval?.low, summary.interval?.high)
        return [summary.mean, summary.deviation, summary.difference, low, high].map { $0.map { "\($0)" } ?? "" }
      }
      return [variant.name, variant.label, "\(variant.finished.count)", "\(variant.seeds.count)"] + paper + numbers
    }
    return ([head] + rows).map { $0.map(\.quotedCSV).joined(separator: ",") + "\n" }.joined()
  }

  /// A `tabular` that needs no package.
  package var latex: String {
    let signs = Signs(lower: "$\\downarrow$", higher: "$\\uparrow$", deviation: "$\\pm$", difference: "$\\Delta$", minus: "$-$")
    let (head, rows) = rows(signs)
    func line(_ cells: [String]) -> String { cells.map(Self.escaped).joined(separator: " & ") + " \\\\\n" }
    let notes = ([legend] + result.notes + [result.command]).map { "% \($0)\n" }.joined()
    return "\\begin{tabular}{l\(String(repeating: "r", count: head.count - 1))}\n\\hline\n" + line(head) + "\\hline\n"
      + rows.map(line).joined() + "\\hline\n\\end{tabular}\n" + notes
  }

  /// Text for LaTeX; what stands between dollars is left as it is.
  private static func escaped(_ text: String) -> String {
    text.split(separator: "$", omittingEmptySubsequences: false).enumerated().map { index, part -> String in
      guard index % 2 == 0 else { return "$\(part)$" }
      return part.reduce(into: "") { result, character in
        switch character {
        case "%", "&", "#", "_", "{", "}": result += "\\\(character)"
        case "\\": result += "\\textbackslash{}"
        case "~": result += "\\textasciitilde{}"
        case "^": result += "\\textasciicircum{}"
        default: result.append(character)
        }
      }
    }.joined()
  }
}
