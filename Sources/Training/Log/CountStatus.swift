import Foundation

/// The progress of a command that works through a known number of items: count, bar and remaining time.
package struct CountStatus: Sendable {
  /// The activity, such as "predicting".
  private let title: String
  /// The first count and its time. Speed is measured from there: items found done at the start (files of an earlier run) took no time.
  private var first: (time: Double, count: Int)?

  package init(_ title: String) { self.title = title }

  /// Notes the first count; later ones change nothing.
  package mutating func begin(_ done: Int, at time: Double) { first = first ?? (time, done) }

  /// `predicting 3/40 ━━━───────── 7% eta 0:01:12` in at most `width` columns; the time as soon as it can be told.
  /// - Parameter time: seconds of a steady clock.
  package mutating func line(_ done: Int, of total: Int, time: Double, width: Int, colour: Bool, symbols: BarSymbols) -> String {
    let first = first ?? (time, done)
    self.first = first
    let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
    let head = "\(title) \(done)/\(total)"
    var tail = " \(Int(share * 100))%"
    if done > first.count {
      tail += " eta \(StatusText.duration((time - first.time) / Double(done - first.count) * Double(max(0, total - done))))"
    }
    let length = min(30, width - head.count - 1 - tail.count)
    guard length >= 8 else { return String((head + tail).prefix(max(0, width))) }
    return "\(head) \(symbols.bar(share: share, length: length, colour: colour))\(tail)"
  }
}
