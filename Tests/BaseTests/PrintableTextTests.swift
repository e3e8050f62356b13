import Base
import Testing
import TestSupport

/// Texts of files never steer the terminal: what is not a visible character is escaped where a message is made.
@Suite struct PrintableTextTests {
  @Test func plainTextStaysAsItIs() {
    for text in ["", "a.png: 3 of 5", "Übung 1 – 测试 #50% 'ä' 🙂"] { #expect(text.printable() == text) }
  }

  @Test(arguments: [
    ("a\nb\r\tc", "a\\nb\\r\\tc"), ("\u{1B}[31mred\u{1B}[0m", "\\u{1B}[31mred\\u{1B}[0m"), ("\u{9B}2J", "\\u{9B}2J"), ("\u{7F}\u{0}", "\\u{7F}\\u{0}"),
    ("gpj.\u{202E}exe", "gpj.\\u{202E}exe"), ("a\u{2028}b\u{2029}c", "a\\u{2028}b\\u{2029}c"), ("\u{FEFF}x\u{200B}", "\\u{FEFF}x\\u{200B}"),
  ])
  func whatATerminalObeysIsEscaped(text: String, shown: String) { #expect(text.printable() == shown) }

  @Test func longTextsKeepTheirEnds() {
    let long = "begin" + String(repeating: "ä", count: 100_000) + "end"
    let shown = long.printable(limit: 100)
    #expect(shown.utf8.count < 160 && shown.hasPrefix("beginä") && shown.hasSuffix("äend"), "\(shown)")
    #expect(shown.contains("bytes left out"))
    let zalgo = "a" + String(repeating: "\u{301}", count: 100_000)  // one character
    #expect(zalgo.printable(limit: 100).utf8.count < 200)
    #expect(String(repeating: "\u{1B}", count: 50_000).printable(limit: 100).utf8.count < 1000)
  }

  @Test func failuresAreOneLineAnItem() {
    let hostile = "x\n\u{1B}]0;title\u{7}" + String(repeating: "y", count: 30_000)
    let failure = Failure(.badData, at: "a\u{1B}[2Kb.png", "the name '\(hostile)' is wrong", items: ["  \(hostile)", "  b"], remedy: "Do this\nand that.")
    let lines = failure.description.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 5, "\(failure)")  // problem, two items, two lines of the remedy
    #expect(failure.description.utf8.count < 3000)
    #expect(failure.description.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x7F })
    #expect(lines[0].hasPrefix("a\\u{1B}[2Kb.png: the name 'x\\n\\u{1B}]0;title\\u{7}y") && lines[2] == "  b")
    let many = Failure(.usage, at: "", "", items: (0..<5000).map { "item \($0) " + String(repeating: "z", count: 50) })
    #expect(many.description.utf8.count < 10_000 && many.description.hasSuffix(" more"), "\(many.description.suffix(60))")
  }
}
