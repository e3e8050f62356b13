/// A line of a terminal that is drawn again and again in place, at most ten times a second.
struct ProgressLine: Sendable {
  private(set) var isShown = false
  private var lastDrawing = -Double.infinity

  private static let clearing = "\r\u{1B}[K"

  /// True if it is time to draw again; the interval then starts anew.
  /// - Parameter now: seconds of a steady clock.
  mutating func isDue(at now: Double, isLast: Bool) -> Bool {
    guard now - lastDrawing >= 0.1 || isLast else { return false }
    lastDrawing = now
    return true
  }

  /// Shows `text`, cut off so that one column stays free: a full line would wrap.
  mutating func draw(_ text: (_ width: Int) -> String, on terminal: Console.Terminal) {
    terminal.write(Self.clearing + text(max(0, terminal.width() - 1)))
    isShown = true
  }

  /// Takes the line away, so that another text can stand in its place; the next drawing is due at once.
  mutating func clear(on terminal: Console.Terminal) {
    if isShown { terminal.write(Self.clearing) }
    isShown = false
    lastDrawing = -.infinity
  }

  /// Ends the line, so that what follows begins on a new one.
  mutating func finish(on terminal: Console.Terminal) {
    if isShown { terminal.write("\n") }
    isShown = false
  }
}
