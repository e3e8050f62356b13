import Foundation

/// A scale with round tick values: linear with steps of 1, 2 or 5 times a power of ten, or logarithmic.
public struct Axis: Sendable {
  public enum Scale: Sendable { case linear, log }

  public let scale: Scale
  /// The values at both ends.
  public let low: Double
  public let high: Double
  public let ticks: [Double]
  /// The text of each tick.
  public let labels: [String]

  /// - Parameters:
  ///   - values: what has to find a place; without any, 0 to 1 (or 0.1 to 1). A logarithmic scale takes the positive ones.
  ///   - count: about so many ticks.
  ///   - isTight: whether the axis ends at the least and largest value instead of at ticks.
  public init(values: [Double], ticks count: Int, scale: Scale = .linear, isTight: Bool = false) {
    // Beyond these limits differences and steps would overflow or vanish.
    let values = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }.map { value in
      abs(value) < 1e-280 ? (scale == .linear ? 0 : 1e-280) : min(max(value, -1e300), 1e300)
    }
    var low = values.min() ?? (scale == .linear ? 0 : 0.1)
    var high = values.max() ?? 1
    if high - low < max(abs(high), abs(low)) * 1e-9 || high == low {
      low -= low == 0 ? 0 : abs(low) / 2
      high += high == 0 ? 1 : abs(high) / 2
    }
    self.scale = scale
    let steps = scale == .linear ? Self.linearTicks(low, high, count) : Self.logTicks(low, high, count)
    self.low = isTight ? low : min(low, steps.first ?? low)
    self.high = isTight ? high : max(high, steps.last ?? high)
    let slack = isTight ? (high - low) * 1e-9 : .infinity
    ticks = steps.filter { $0 >= low - slack && $0 <= high + slack }
    labels = scale == .linear ? Self.linearLabels(ticks) : ticks.map(Self.short)
  }

  /// 0 at the low end, 1 at the high end; not finite where a logarithm does not exist.
  public func share(_ value: Double) -> Double {
    switch scale {
    case .linear: (value - low) / (high - low)
    case .log: value > 0 ? log(value / low) / log(high / low) : .nan
    }
  }

  /// Multiples of 1, 2 or 5 times a power of ten, from the last one below `low` to the first one above `high`.
  private static func linearTicks(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
    let rough = (high - low) / Double(max(1, count))
    let power = pow(10, log10(rough).rounded(.down))
    let step = power * ([1, 2, 5, 10].first { $0 * power >= rough * 0.999 } ?? 10)
    let first = (low / step + 1e-9).rounded(.down)
    let last = (high / step - 1e-9).rounded(.up)
    return (0...Int(last - first)).map { (first + Double($0)) * step }
  }

  /// 1, 2 and 5 times the powers of ten, or these powers alone, or only some of them, whichever comes nearest to `count`.
  private static func logTicks(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
    let first = Int(log10(low).rounded(.down))
    let last = Int(log10(high).rounded(.up))
    let fine = (first...last).flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }
    let inner = fine.filter { $0 > low * 0.999 && $0 < high * 1.001 }
    if inner.count <= count + 2 {
      // One more on each side, so that the axis ends at ticks.
      let start = fine.lastIndex { $0 <= low * 1.001 } ?? 0
      let end = fine.firstIndex { $0 >= high * 0.999 } ?? fine.count - 1
      return Array(fine[start...max(start, end)])
    }
    let stride = max(1, (last - first + count - 1) / max(1, count))
    let powers = Swift.stride(from: first, through: last + stride - 1, by: stride)
    return powers.map { pow(10, Double($0)) }
  }

  /// Texts with as many decimals as the step needs, in thousands or millions where the values are that large.
  private static func linearLabels(_ ticks: [Double]) -> [String] {
    let largest = ticks.map { abs($0) }.max() ?? 0
    guard ticks.count > 1 else { return ticks.map(short) }
    let (unit, suffix) = largest >= 10_000_000 ? (1e6, "M") : largest >= 10_000 ? (1e3, "k") : (1.0, "")
    let step = (ticks[1] - ticks[0]) / unit
    let decimals = max(0, Int(-log10(step * 1.001).rounded(.down)))
    guard decimals <= 6, largest < 1e12 else { return ticks.map { String(format: "%.3g", $0) } }
    return ticks.map { tick in
      // Multiples of a step that should be zero may be off by a rounding error.
      guard abs(tick) > (ticks[1] - ticks[0]) / 1000 else { return "0" }
      return (tick < 0 ? "−" : "") + String(format: "%.\(decimals)f", abs(tick) / unit) + suffix
    }
  }

  private static func short(_ value: Double) -> String {
    let magnitude = abs(value)
    if magnitude >= 1e4 && magnitude < 1e9 {
      return magnitude >= 1e6 ? String(format: "%gM", value / 1e6) : String(format: "%gk", value / 1e3)
    }
    return String(format: "%g", value)
  }
}
