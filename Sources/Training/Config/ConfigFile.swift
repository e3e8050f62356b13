import Base
import Yams

/// Reads YAML text into a tree that knows where each part stands.
package enum ConfigFile {
  /// Bytes of a config, at most: a thousand times the largest that is shipped.
  static let largestSize = 4 << 20

  /// The tree of one file, without its `base`.
  /// - Throws: `Failure(.missingInput)` if the file is not there, `.usage` with the place for bytes that are not UTF-8, broken YAML and
  ///   duplicate keys, and for a file of more than `largestSize` bytes.
  static func tree(at path: String) throws -> ConfigNode {
    try tree(of: File.text(at: path, limit: largestSize, kind: .usage), named: path)
  }

  /// The tree of YAML text; an empty text is an empty map.
  package static func tree(of text: String, named name: String) throws -> ConfigNode {
    let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    let node = try composed(text) { line, column in .file(path: name, line: line, column: column) }
    return node ?? ConfigNode(content: .mapping([]), origin: .file(path: name, line: 1, column: 1))
  }

  /// The tree of a YAML value on the command line, such as `[0.9, 0.99]`; nothing is the empty text.
  static func value(of text: String, origin: ConfigOrigin) throws -> ConfigNode {
    try composed(text) { _, _ in origin } ?? ConfigNode(content: .scalar("", plain: false), origin: origin)
  }

  private static func composed(_ text: String, place: @escaping (Int, Int) -> ConfigOrigin) throws -> ConfigNode? {
    do {
      guard let root = try Yams.compose(yaml: text) else { return nil }
      var conversion = NodeConversion(place: place)
      return try conversion.convert(root, within: place(1, 1), depth: 0)
    } catch let error as YamlError {
      let (line, column, message) = describe(error, in: text)
      throw Failure(.usage, at: place(line, column).description, message)
    }
  }

  private static func describe(_ error: YamlError, in text: String) -> (line: Int, column: Int, message: String) {
    switch error {
    case .composer(_, let problem, let mark, _) where problem.contains("another document"):
      return (mark.line, mark.column, "a second document begins here ('---'); a config is one document")
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
         .composer(let context, let problem, let mark, _):
      let reason = context.map { " (\($0.text.trimmingSpaces))" } ?? ""
      return (mark.line, mark.column, "this is not valid YAML: \(problem)\(reason)")
    case .duplicatedKeysInMapping(let keys, let context):
      let repeated = secondPlace(of: keys.first ?? "", after: context.mark, in: text)
      return (repeated.line, repeated.column,
              "duplicate key '\(keys.joined(separator: "', '"))', first seen in line \(context.mark.line)")
    case .reader(let problem, let offset, _, _):
      let before = text.utf8.prefix(offset ?? 0)
      let line = 1 + before.count { $0 == 0x0A }
      return (line, 1 + before.reversed().prefix { $0 != 0x0A }.count, "this is not valid YAML: \(problem)")
    default:
      return (1, 1, "this is not valid YAML: \(error)")
    }
  }

  /// The place at which a duplicate key stands for the second time, if it starts a line of its own; else its first place.
  private static func secondPlace(of key: String, after mark: Mark, in text: String) -> (line: Int, column: Int) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for index in lines.indices.dropFirst(mark.line) {
      let indent = lines[index].prefix { $0 == " " }.count
      if indent == mark.column - 1, lines[index].dropFirst(indent).hasPrefix(key + ":") { return (index + 1, mark.column) }
    }
    return (mark.line, mark.column)
  }
}

/// Turns Yams' nodes into ours, with limits: a few aliases of aliases can name billions of nodes.
private struct NodeConversion {
  let place: (Int, Int) -> ConfigOrigin
  private var count = 0
  private static let mostNodes = 100_000
  private static let mostLevels = 50

  init(place: @escaping (Int, Int) -> ConfigOrigin) { self.place = place }

  mutating func convert(_ node: Node, within parent: ConfigOrigin, depth: Int) throws -> ConfigNode {
    let origin = node.mark.map { place($0.line, $0.column) } ?? parent
    count += 1
    guard count <= NodeConversion.mostNodes, depth <= NodeConversion.mostLevels else {
      throw Failure(.usage, at: origin.description, "the config is too large: more than \(NodeConversion.mostNodes) values "
                    + "(aliases included) or \(NodeConversion.mostLevels) levels")
    }
    switch node {
    case .scalar(let scalar):
      return ConfigNode(content: .scalar(scalar.string, plain: scalar.style == .plain || scalar.style == .any), origin: origin)
    case .sequence(let sequence):
      return ConfigNode(content: .sequence(try sequence.map { try convert($0, within: origin, depth: depth + 1) }), origin: origin)
    case .mapping(let mapping):
      var entries: [ConfigNode.Entry] = []
      for (key, value) in mapping {
        let keyOrigin = key.mark.map { place($0.line, $0.column) } ?? origin
        guard case .scalar(let name) = key else { throw Failure(.usage, at: keyOrigin.description, "a key must be a plain name") }
        if name.string == "<<", name.style == .plain {
          throw Failure(.usage, at: keyOrigin.description, "merging maps with '<<' is not supported",
                        remedy: "Write the keys out, or put what is shared into a file of its own: base: FILE")
        }
        let value = try convert(value, within: keyOrigin, depth: depth + 1)
        entries.append(ConfigNode.Entry(key: name.string, keyOrigin: keyOrigin, value: value))
      }
      return ConfigNode(content: .mapping(entries), origin: origin)
    case .alias:
      throw Failure(.usage, at: origin.description, "this alias has no anchor")
    }
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " || $0 == "\n" }.reversed().drop { $0 == " " || $0 == "\n" }.reversed())
  }
}
