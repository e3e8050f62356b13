extension StringProtocol {
  /// Text from a file or a folder as it may stand in one line of a terminal or a log.
  ///
  /// Line ends, control characters (among them the escape sequences that colour, move or overwrite), marks that turn the direction of
  /// writing, and other invisible characters are written as escapes such as `\n` and `\u{1B}`. Of a long text the beginning and the end
  /// stay, with the number of bytes left out between them.
  /// - Parameter limit: bytes in UTF-8 that may stay, before escapes.
  package func printable(limit: Int = 1000) -> String {
    let isPlain = utf8.count <= limit && utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    return isPlain ? String(self) : shortened(to: limit).escaped
  }

  /// The text if it is short enough, else its beginning and its end.
  private func shortened(to limit: Int) -> String {
    let count = utf8.count
    guard count > limit else { return String(self) }
    let scalars = unicodeScalars
    func prefix(_ budget: Int, _ scalars: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
      var rest = budget
      return Array(scalars.prefix { scalar in
        rest -= UTF8.width(scalar)
        return rest >= 0
      })
    }
    let head = prefix(limit * 3 / 4, scalars)
    let tail = prefix(limit - limit * 3 / 4, scalars.reversed()).reversed()
    let kept = head.reduce(0) { $0 + UTF8.width($1) } + tail.reduce(0) { $0 + UTF8.width($1) }
    var result = String.UnicodeScalarView(head)
    result.append(contentsOf: " ... (\(count - kept) bytes left out) ... ".unicodeScalars)
    result.append(contentsOf: tail)
    return String(result)
  }

  private var escaped: String {
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      case "\r": result.append(contentsOf: "\\r".unicodeScalars)
      case "\t": result.append(contentsOf: "\\t".unicodeScalars)
      case _ where scalar.isInvisible:
        result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}

extension Unicode.Scalar {
  /// Whether a terminal would obey this character, or show nothing for it.
  fileprivate var isInvisible: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
    default: false
    }
  }
}

/// Several texts in one line, the first few by name: `a, b, c, ... (12 in all)`.
package func someOf(_ texts: [String], atMost limit: Int = 5) -> String {
  let shown = texts.prefix(limit).map { $0.printable(limit: 200) }.joined(separator: ", ")
  return texts.count > limit ? "\(shown), ... (\(texts.count) in all)" : shown
}
