import Foundation

/// "evaluating 3/40" on the standard error, drawn in place; silent where nobody watches.
struct CountLine: Sendable {
  private let title: String
  private let isShown = isatty(STDERR_FILENO) == 1

  init(_ title: String) { self.title = title }

  func show(_ done: Int, of total: Int) {
    if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K\(title) \(done)/\(total)".utf8)) }
  }

  func finish() {
    if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}
