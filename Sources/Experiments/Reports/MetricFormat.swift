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

  /// With the true sign of subtraction, and without one before zero.
  private static func minus(_ text: String) -> String {
    guard text.hasPrefix("-") else { return text }
    let digits = text.dropFirst()
    return (digits.contains { ("1"..."9").contains($0) } ? "−" : "") + digits
  }
}

extension MetricKind {
  /// The name with an arrow to the better side, as tables have it.
  var heading: String {
    switch better {
    case .lower: "\(name) ↓"
    case .higher: "\(name) ↑"
    case nil: name
    }
  }
}

extension String {
  /// As a part of a file name: letters, digits, points and hyphens.
  var fileNamePart: String { String(map { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) ? $0 : "_" }) }
}
