import Foundation

/// Remarks that end nothing, from rooms that know no console.
package enum Warning {
  /// Writes one line `warning: ...` to the standard error, over a progress bar that may stand there.
  package static func emit(_ text: String) {
    let line = (isatty(STDERR_FILENO) == 1 ? "\r\u{1B}[K" : "") + "warning: \(text.printable())\n"
    // A terminal that is gone ends nothing either.
    try? Array(line.utf8).withUnsafeBytes { try File.writeAll($0, to: STDERR_FILENO, path: "stderr") }
  }
}
