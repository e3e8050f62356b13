import Base

/// Writes a config tree as YAML: two spaces a level, lists of single values on one line.
enum ConfigEmitter {
  /// - Parameter origins: the tree with the origins, to write one behind each value; nil for none.
  static func yaml(of node: ConfigNode, origins: ConfigNode?) -> String {
    let lines = (node.entries ?? []).flatMap { self.lines(of: $0, path: [], origins: origins) }
    let width = min(60, lines.filter { $0.origin != nil }.map(\.text.count).max() ?? 0)
    return lines.map { line in
      guard let origin = line.origin else { return line.text + "\n" }
      return line.text + String(repeating: " ", count: max(0, width - line.text.count)) + "  # \(origin.summary)\n"
    }.joined()
  }

  static func leaves(of node: ConfigNode, origins: ConfigNode) -> [(key: String, origin: ConfigOrigin)] {
    (node.entries ?? []).flatMap { self.lines(of: $0, path: [], origins: origins) }
      .compactMap { line in line.origin.map { (line.path.dotted, $0) } }
  }

  private struct Line {
    var text: String
    let path: [String]
    let origin: ConfigOrigin?
  }

  private static func lines(of entry: ConfigNode.Entry, path: [String], origins: ConfigNode?) -> [Line] {
    let path = path + [entry.key]
    if let value = entry.value.inlineText {
      return [Line(text: "\(entry.key): \(value)", path: path, origin: origins.map { origin(at: path, in: $0) })]
    }
    return [Line(text: "\(entry.key):", path: path, origin: nil)]
      + nested(entry.value, path: path, origins: origins).map { Line(text: "  " + $0.text, path: $0.path, origin: $0.origin) }
  }

  private static func nested(_ node: ConfigNode, path: [String], origins: ConfigNode?) -> [Line] {
    if let entries = node.entries { return entries.flatMap { lines(of: $0, path: path, origins: origins) } }
    return (node.elements ?? []).enumerated().flatMap { index, element -> [Line] in
      let path = path + [String(index)]
      if let value = element.inlineText {
        return [Line(text: "- \(value)", path: path, origin: origins.map { origin(at: path, in: $0) })]
      }
      return nested(element, path: path, origins: origins).enumerated().map { row, line in
        Line(text: (row == 0 ? "- " : "  ") + line.text, path: line.path, origin: line.origin)
      }
    }
  }

  /// The origin of a leaf; a list on one line shows the last of its elements' that differs from its own.
  private static func origin(at path: [String], in tree: ConfigNode) -> ConfigOrigin {
    guard let node = tree.node(at: path) else { return .standard }
    let fromOption = node.elements?.last { if case .commandLine = $0.origin { true } else { false } }
    return fromOption?.origin ?? node.origin
  }
}

extension ConfigNode {
  /// The node on one line, if it is a single value, empty, or a list without maps.
  fileprivate var inlineText: String? {
    switch content {
    case .scalar(let text, plain: true): return text
    case .scalar(let text, plain: false): return text.isSafePlainYAML ? text : text.quotedYAML
    case .mapping(let entries): return entries.isEmpty ? "{}" : nil
    case .sequence(let elements):
      let texts = elements.compactMap { $0.entries == nil ? $0.inlineText : nil }
      return texts.count == elements.count ? "[" + texts.joined(separator: ", ") + "]" : nil
    }
  }
}

extension String {
  /// Whether every YAML reader takes this for text without quotes.
  var isSafePlainYAML: Bool {
    guard let first = utf8.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "_") || Character(Unicode.Scalar(first)).isLetter,
          utf8.allSatisfy({ $0 < 128 && (Character(Unicode.Scalar($0)).isLetter || Character(Unicode.Scalar($0)).isNumber
                                         || "_./-".utf8.contains($0)) }) else { return false }
    return !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(lowercased())
  }

  var quotedYAML: String {
    var result = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{A0}", "\u{200B}"..."\u{200F}", "\u{2028}"..."\u{202E}", "\u{2060}"..."\u{206F}", "\u{FEFF}":
        result += "\\u" + scalar.value.padded(to: 4, radix: 16).uppercased()
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
