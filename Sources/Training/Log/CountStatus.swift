import Foundation

/// The progress of a command that works through a known number of items: count, bar and remaining time.
package struct CountStatus: Sendable {
  /// The activity, such as "predicting".
  private let title: String
  /// The first count and its time. Speed is measured from there: items found done at the start (files of an earlier run) took no time.
  private var first: (time: Double, count: Int)?
  /// When the last plain line was due, and the count then.
  private var lastLine: (time: Double, count: Int)?

  package init(_ title: String) { self.title = title }

  /// Notes the first count; later ones change nothing.
  package mutating func begin(_ done: Int, at time: Double) { first = first ?? (time, done) }

  /// `predicting 12/40 30% eta 0:00:56` for a file or a pipe, now and then: at least ten seconds after the last one or the beginning, when
  /// a tenth more is done or a minute went by. Nil if no line is due; there is none at the end, where the result follows.
  /// - Parameter time: seconds of a steady clock.
  package mutating func plainLine(_ done: Int, of total: Int, time: Double) -> String? {
    begin(done, at: time)
    let last = lastLine ?? (time, done)
    lastLine = last
    let waited = time - last.time
    guard done < total, waited >= 10, waited >= 60 || 10 * (done - last.count) >= total else { return nil }
    lastLine = (time, done)
    return "\(title) \(done)/\(total)\(tail(done, of: total, time: time))"
  }

  /// ` 7% eta 0:01:12`, the time as soon as it can be told.
  private func tail(_ done: Int, of total: Int, time: Double) -> String {
    let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
    guard let first, done > first.count else { return " \(Int(share * 100))%" }
    let left = (time - first.time) / Double(done - first.count) * Double(max(0, total - done))
    return " \(Int(share * 100))% eta \(StatusText.duration(left))"
  }

  /// `predicting 3/40 ━━━───────── 7% eta 0:01:12` in at most `width` columns; the time as soon as it can be told.
  /// - Parameter time: seconds of a steady clock.
  package mutating func line(_ done: Int, of total: Int, time: Double, width: Int, colour: Bool, symbols: BarSymbols) -> String {
    begin(done, at: time)
    let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
    let head = "\(title) \(done)/\(total)"
    let tail = tail(done, of: total, time: time)
    let length = min(30, width - head.count - 1 - tail.count)
    guard length >= 8 else { return String((head + tail).prefix(max(0, width))) }
    return "\(head) \(symbols.bar(share: share, length: length, colour: colour))\(tail)"
  }
}
