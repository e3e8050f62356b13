import Base
import Foundation

/// The form in which progress is shown.
public enum ProgressMode: String, ConfigChoice {
  /// A bar on a terminal, plain lines elsewhere.
  case auto
  /// One line that is drawn again and again.
  case bar
  /// One line for each log interval.
  case plain
  /// Warnings only.
  case none
}

/// The terminal, or the file that stands in for it: progress, notes and warnings, all on the standard error.
public final class Console {
  /// The abilities of a terminal and the way to write to it; tests replace it.
  public struct Terminal {
    /// Whether it is a terminal on which lines can be redrawn in place (not with `TERM=dumb`).
    public var isTerminal: Bool
    /// Whether colours are wanted: not with `NO_COLOR`.
    public var hasColour: Bool
    /// Whether the locale is UTF-8.
    public var isUnicode: Bool
    /// The width in columns; asked before each drawing, since windows change.
    public var width: () -> Int
    public var write: (String) -> Void

    public init(isTerminal: Bool, hasColour: Bool, isUnicode: Bool, width: @escaping () -> Int, write: @escaping (String) -> Void) {
      (self.isTerminal, self.hasColour, self.isUnicode, self.width, self.write) = (isTerminal, hasColour, isUnicode, width, write)
    }

    /// The standard error of this process.
    public static var standardError: Terminal {
      let variables = ProcessInfo.processInfo.environment
      let locale = [variables["LC_ALL"], variables["LC_CTYPE"], variables["LANG"]].compactMap { $0 }.first { !$0.isEmpty } ?? ""
      return Terminal(
        isTerminal: isatty(STDERR_FILENO) == 1 && variables["TERM"] != "dumb", hasColour: (variables["NO_COLOR"] ?? "").isEmpty,
        isUnicode: locale.uppercased().contains("UTF"), width: { columns() },
        write: { text in
          // A terminal that is gone must not end the training.
          try? Array(text.utf8).withUnsafeBytes { try File.writeAll($0, to: STDERR_FILENO, path: "stderr") }
        })
    }

    private static func columns() -> Int {
      var size = winsize()
      let known = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
      return known ? Int(size.ws_col) : 80
    }
  }

  private enum Style { case bar, plain, none }

  private let style: Style
  private let terminal: Terminal
  private let time: TimeSource
  private var logFile: AppendOnlyFile?
  private var line = ProgressLine()

  public init(_ mode: ProgressMode = .auto, terminal: Terminal = .standardError, time: TimeSource = .system) {
    (self.terminal, self.time) = (terminal, time)
    style = switch mode {
    case .auto: terminal.isTerminal ? .bar : .plain
    case .bar: terminal.isTerminal ? .bar : .plain  // escape sequences are of no use in a file
    case .plain: .plain
    case .none: .none
    }
  }

  /// Also writes every note, warning and plain progress line to `train.log` from now on.
  package func record(to path: String) throws { logFile = try AppendOnlyFile(appendingTo: path) }

  /// A line that stays.
  public func note(_ text: String) {
    record(text)
    if style != .none { lasting(text) }
  }

  /// A line that stays, shown in every mode.
  public func warning(_ text: String) {
    let text = text.printable()
    record("warning: \(text)")
    lasting(terminal.isTerminal && terminal.hasColour ? "\u{1B}[33mwarning:\u{1B}[0m \(text)" : "warning: \(text)")
  }

  /// Draws the bar, at most ten times a second; `isLogStep`: this step also gets a plain line.
  package func show(_ status: TrainingStatus, isLogStep: Bool) {
    if isLogStep { record(status.line) }
    switch style {
    case .none: break
    case .plain: if isLogStep { terminal.write(status.line + "\n") }
    case .bar:
      guard line.isDue(at: time.steady(), isLast: status.step == status.steps) else { return }
      line.draw({ status.bar(width: $0, colour: terminal.hasColour, symbols: terminal.isUnicode ? .unicode : .ascii) }, on: terminal)
    }
  }

  /// Shows how far something long came: in place of the bar, at most ten times a second, or in a plain line now and then.
  package func show(_ count: inout CountStatus, _ done: Int, of total: Int) {
    let now = time.steady()
    if let line = count.plainLine(done, of: total, time: now) {
      record(line)
      if style == .plain { terminal.write(line + "\n") }
    }
    guard style == .bar, line.isDue(at: now, isLast: false) else { return }
    var status = count
    line.draw({ width in
      status.line(done, of: total, time: now, width: width, colour: terminal.hasColour, symbols: terminal.isUnicode ? .unicode : .ascii)
    }, on: terminal)
  }

  /// Says what takes long just now, in place of the bar.
  package func activity(_ text: String) {
    guard style == .bar else { return }
    line.draw({ String(text.prefix($0)) }, on: terminal)
  }

  /// Ends the line of the bar, so that what follows begins on a new one.
  public func finish() { line.finish(on: terminal) }

  private func lasting(_ text: String) {
    line.clear(on: terminal)
    terminal.write(text + "\n")
  }

  private func record(_ text: String) {
    try? logFile?.append(line: "\(TimeSource.stamp(time.wall())) \(text)")  // the metric logs tell about a full disk
  }
}
