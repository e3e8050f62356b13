import Base

/// A problem with its place, ready to be shown.
package struct PlacedProblem: Sendable {
  let origin: ConfigOrigin
  let message: String

  package init(origin: ConfigOrigin, message: String) { (self.origin, self.message) = (origin, message) }

  package var description: String { "\(origin): \(message)" }
}

extension Failure {
  /// All problems of a config in one failure, in reading order.
  package static func config(_ problems: [PlacedProblem]) -> Failure {
    let lines = problems.enumerated().sorted { ($0.element.origin.order, $0.offset) < ($1.element.origin.order, $1.offset) }
    guard lines.count > 1 else {
      return Failure(.usage, at: problems.first?.origin.description ?? "", problems.first?.message ?? "")
    }
    return Failure(.usage, at: "", "", items: lines.map(\.element.description), remedy: "\(lines.count) problems")
  }
}

extension ConfigOrigin {
  /// Files first, from top to bottom, then the command line.
  fileprivate var order: ConfigOrder {
    switch self {
    case .standard: ConfigOrder(path: "", line: 0, column: 0)
    case .file(let path, let line, let column): ConfigOrder(path: path, line: line, column: column)
    case .commandLine: ConfigOrder(path: "\u{10FFFF}", line: 0, column: 0)
    }
  }
}

private struct ConfigOrder: Comparable {
  let path: String
  let line: Int
  let column: Int

  static func < (a: ConfigOrder, b: ConfigOrder) -> Bool { (a.path, a.line, a.column) < (b.path, b.line, b.column) }
}
