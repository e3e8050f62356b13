import Foundation

/// The status line of a run in progress.
package struct TrainingStatus: Sendable {
  var step: Int
  var steps: Int
  var learningRate: Double
  /// Loss and other numbers of the recipe, in its order.
  var metrics: Metrics
  /// Smoothed seconds for a step, and the part of them spent waiting for data.
  var time: Double
  var dataTime: Double
  var samplesPerSecond: Double

  package init(step: Int, steps: Int, learningRate: Double, metrics: Metrics, time: Double, dataTime: Double, samplesPerSecond: Double) {
    (self.step, self.steps, self.learningRate, self.metrics) = (step, steps, learningRate, metrics)
    (self.time, self.dataTime, self.samplesPerSecond) = (time, dataTime, samplesPerSecond)
  }

  /// Seconds until the last step, at the present pace.
  var eta: Double { Double(steps - step) * time }

  /// The line of a log interval, as the OpenMMLab tools print it.
  package var line: String {
    var text = "Iter(train) [\(step)/\(steps)] lr: \(StatusText.rate(learningRate)) eta: \(StatusText.duration(eta))"
    text += " time: \(StatusText.seconds(time)) data_time: \(StatusText.seconds(dataTime))"
    for metric in metrics { text += " \(metric.name): \(StatusText.number(metric.value))" }
    return text
  }

  /// One line of at most `width` columns: counts, bar and pace always; numbers from the left as far as they fit.
  package func bar(width: Int, colour: Bool, symbols: BarSymbols) -> String {
    let head = "train \(step)/\(steps) "
    let share = steps > 0 ? min(1, Double(step) / Double(steps)) : 1
    var tail = " \(Int(share * 100))% eta \(StatusText.duration(eta))"
    let parts = metrics.map { "\($0.name) \(StatusText.number($0.value))" }
      + ["lr \(StatusText.rate(learningRate))", "\(StatusText.short(samplesPerSecond)) samples/s"]
    let shortestBar = 8
    let longestBar = 30
    for part in parts where head.count + shortestBar + tail.count + 1 + part.count <= width { tail += " \(part)" }
    let length = min(longestBar, width - head.count - tail.count)
    guard length >= shortestBar else { return String((head + tail.dropFirst()).prefix(max(0, width))) }
    return head + symbols.bar(share: share, length: length, colour: colour) + tail
  }
}

/// The characters of a progress bar.
package struct BarSymbols: Sendable {
  let done: String
  let left: String

  package static let unicode = BarSymbols(done: "━", left: "─")
  package static let ascii = BarSymbols(done: "#", left: "-")

  /// `length` symbols, of which `share` (0...1) are done.
  func bar(share: Double, length: Int, colour: Bool) -> String {
    let filled = Int(share * Double(length))
    let done = String(repeating: done, count: filled)
    let left = String(repeating: left, count: length - filled)
    return colour ? "\u{1B}[32m\(done)\u{1B}[0m\u{1B}[2m\(left)\u{1B}[0m" : done + left
  }
}

/// Numbers as the console shows them; the logs hold them in full.
package enum StatusText {
  static func rate(_ value: Double) -> String { String(format: "%.1e", value) }
  static func seconds(_ value: Double) -> String { String(format: value < 0.1 ? "%.4f" : "%.2f", value) }
  static func short(_ value: Double) -> String { String(format: value < 10 ? "%.2f" : "%.1f", value) }

  static func number(_ value: Double) -> String {
    let size = abs(value)
    return value.isFinite ? String(format: size == 0 || (size >= 1e-3 && size < 1e5) ? "%.4f" : "%.3e", value) : "\(value)"
  }

  /// `5:12:00`, or `2 days, 5:12:00`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e10 else { return "?" }
    let total = Int(seconds.rounded())
    let days = total / 86_400
    let clock = String(format: "%d:%02d:%02d", total / 3600 % 24, total / 60 % 60, total % 60)
    return days == 0 ? clock : "\(days) day\(days == 1 ? "" : "s"), \(clock)"
  }
}

/// A mean that forgets: each new value counts `1 / window`, and the first ones more, so that it is unbiased from the start.
struct SmoothedMean: Sendable {
  private let keep: Double
  private var sum = 0.0
  private var weight = 0.0

  init(window: Double) { keep = 1 - 1 / window }

  mutating func add(_ value: Double) {
    sum = keep * sum + (1 - keep) * value
    weight = keep * weight + (1 - keep)
  }

  var value: Double { weight > 0 ? sum / weight : 0 }
}
