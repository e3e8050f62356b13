/// The origin of a config key's value.
public enum ConfigOrigin: Sendable, Hashable, CustomStringConvertible {
  /// The default value in the source code.
  case standard
  /// A place in a YAML file; line and column count from 1.
  case file(path: String, line: Int, column: Int)
  /// The command line: the option as the user wrote it, such as `--set plan.steps=10`.
  case commandLine(String)

  /// The origin in front of an error message: `default`, `configs/a.yaml:3:7` or the option.
  public var description: String {
    switch self {
    case .standard: "default"
    case .file(let path, let line, let column): "\(path):\(line):\(column)"
    case .commandLine(let option): option
    }
  }

  /// The origin behind a value in `apus config show`: without the column.
  public var summary: String {
    if case .file(let path, let line, _) = self { "\(path):\(line)" } else { description }
  }
}

/// A config as a tree of text, each node with its origin. Defaults, files and options become such trees, are overlaid, and then decoded.
package struct ConfigNode: Sendable {
  package enum Content: Sendable {
    /// `plain`: written without quotes, so that it may stand for a number, a truth value or nothing.
    case scalar(String, plain: Bool)
    case sequence([ConfigNode])
    case mapping([Entry])
  }

  package struct Entry: Sendable {
    package var key: String
    package var keyOrigin: ConfigOrigin
    package var value: ConfigNode
  }

  package var content: Content
  package var origin: ConfigOrigin

  /// An empty or `null` scalar, as in `key:` with nothing behind.
  package var isNull: Bool {
    if case .scalar(let text, plain: true) = content { ConfigNode.nullWords.contains(text) } else { false }
  }

  static let nullWords: Set<String> = ["", "~", "null", "Null", "NULL"]

  package var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }
  package var elements: [ConfigNode]? { if case .sequence(let elements) = content { elements } else { nil } }

  subscript(key: String) -> ConfigNode? {
    if let entries { return entries.first { $0.key == key }?.value }
    if let elements, let index = Int(key), elements.indices.contains(index) { return elements[index] }
    return nil
  }

  /// The node at a dotted path; list elements are named by their index.
  package func node(at path: [String]) -> ConfigNode? { path.reduce(self as ConfigNode?) { $0?[$1] } }

  /// This tree with `upper` laid over it: maps merge, everything else is replaced whole. A section left empty changes nothing.
  func overlaid(by upper: ConfigNode) -> ConfigNode {
    guard case .mapping(var merged) = content else { return upper }
    if upper.isNull { return self }
    guard let additions = upper.entries else { return upper }
    for addition in additions {
      if let index = merged.firstIndex(where: { $0.key == addition.key }) {
        merged[index].value = merged[index].value.overlaid(by: addition.value)
        merged[index].keyOrigin = addition.keyOrigin
      } else {
        merged.append(addition)
      }
    }
    return ConfigNode(content: .mapping(merged), origin: upper.origin)
  }

  /// This tree with `value` at `path`; maps on the way that are missing are made, and reported as unknown when decoded.
  func setting(_ path: ArraySlice<String>, to value: ConfigNode) -> ConfigNode {
    guard let key = path.first else { return overlaid(by: value) }
    var copy = self
    if var elements, let index = Int(key), elements.indices.contains(index) {
      elements[index] = elements[index].setting(path.dropFirst(), to: value)
      copy.content = .sequence(elements)
      return copy
    }
    var entries = self.entries ?? []
    if self.entries == nil { copy.origin = value.origin }
    if let index = entries.firstIndex(where: { $0.key == key }) {
      entries[index].value = entries[index].value.setting(path.dropFirst(), to: value)
      entries[index].keyOrigin = value.origin
    } else {
      let empty = ConfigNode(content: .mapping([]), origin: value.origin)
      entries.append(Entry(key: key, keyOrigin: value.origin, value: empty.setting(path.dropFirst(), to: value)))
    }
    copy.content = .mapping(entries)
    return copy
  }

  /// The kind of this value in error messages: `text 'abc'`, `the number 3`, `a list`.
  package var found: String {
    switch content {
    case .mapping: "a map"
    case .sequence: "a list"
    case .scalar(let text, plain: false): "text '\(text)'"
    case .scalar(let text, plain: true):
      if isNull { "nothing" } else if Bool(configText: text, plain: true) != nil { text }
      else if Double(configText: text, plain: true) != nil { "the number \(text)" } else { "text '\(text)'" }
    }
  }
}
