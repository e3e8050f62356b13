import Foundation
import Training

/// The number of decimals that the values of one metric need, the same for all of a table.
struct MetricFormat: Sendable {
  let decimals: Int

  /// Four significant digits of the largest value, and two of the smallest spread that comes with them; of a tiny one only what two more
  /// decimals show.
  init(of values: [Double], spreads: [Double] = []) {
    let largest = values.filter(\.isFinite).map { abs($0) }.max() ?? 0
    let plain = largest > 0 ? min(8, max(0, 3 - Int(log10(largest).rounded(.down)))) : 2
    let smallest = spreads.filter { $0.isFinite && $0 > 0 }.min()
    decimals = smallest.map { min(plain + 2, max(plain, 1 - Int(log10($0).rounded(.down)))) } ?? plain
  }

  func text(_ value: Double) -> String { value.isFinite ? Self.minus(String(format: "%.\(decimals)f", value)) : "not finite" }

  /// With its sign, as a difference.
  func signed(_ value: Double) -> String {
    let text = text(value)
    return value > 0 && text.contains { ("1"..."9").contains($0) } ? "+" + text : text
  }

  func interval(_ low: Double, _ high: Double) -> String { "[\(signed(low)), \(signed(high))]" }

  /// ` ± deviation`; empty without one.
  func spread(of summary: ExperimentResult.Summary) -> String { summary.deviation.map { " ± \(text($0))" } ?? "" }

  /// ` [low, high]` of the difference; empty without one.
  func interval(of summary: ExperimentResult.Summary) -> String { summary.interval.map { " \(interval($0.low, $0.high))" } ?? "" }

  /// With the true sign of subtraction, and without one before zero.
  private static func minus(_ text: String) -> String {
    guard text.hasPrefix("-") else { return text }
    let digits = text.dropFirst()
    return (digits.contains { ("1"..."9").contains($0) } ? "−" : "") + digits
  }
}

/// What all pages have alike.
enum ReportStyle {
  /// The width of charts of which two stand side by side on a wide screen, in pixels.
  static let chartWidth = 560.0

  static func duration(_ minutes: Double) -> String {
    if minutes >= 120 { return String(format: "%.1f h", minutes / 60) }
    return minutes < 1 ? "\(Int((minutes * 60).rounded())) s" : "\(Int(minutes.rounded())) min"
  }
}

extension MetricKind {
  /// The name with an arrow to the better side, as tables have it.
  var heading: String { better.map { "\(name) \($0.arrow)" } ?? name }
}

extension ExperimentResult.Metric {
  /// As that of a `MetricKind`.
  var heading: String { better.map { "\(name) \($0.arrow)" } ?? name }
}

extension MetricKind.Direction {
  fileprivate var arrow: String { self == .higher ? "↑" : "↓" }
  var words: String { self == .higher ? "higher is better" : "lower is better" }
}

extension String {
  /// As a part of a file name: letters, digits, points and hyphens.
  var fileNamePart: String { String(map { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) ? $0 : "_" }) }
}
