import Base

/// A part of a file in the vocabulary of configs that is kept as it is written: what may stand in it is known only to whoever reads it.
package struct ConfigTree: Codable, Sendable {
  package let node: ConfigNode

  /// An empty map.
  package init() { node = ConfigNode(content: .mapping([]), origin: .standard) }

  package init(_ node: ConfigNode) { self.node = node }

  package init(from decoder: any Decoder) throws { unsupported() }

  package func encode(to encoder: any Encoder) throws { unsupported() }
}

extension ConfigFile {
  /// Reads a file that is no config of a task but speaks the same language: snake_case keys, defaults of a struct, places in messages.
  /// - Returns: the value, nil if it cannot be decoded at all; the tree with the places; and what is wrong.
  /// - Throws: as `tree(at:)`.
  package static func decode<T: Codable>(
    over defaults: T, at path: String
  ) throws -> (value: T?, tree: ConfigNode, problems: [PlacedProblem]) {
    let standard = try ConfigEncoding.node(of: defaults)
    let tree = standard.overlaid(by: try tree(at: path))
    let decoding = ConfigDecoding(defaults: standard)
    let value = try? decoding.value(T.self, from: tree, at: [])
    return (value, tree, decoding.problems)
  }
}

extension ConfigNode {
  /// The values of this tree as options that lay it over a config, each with the place where it is written. Lists are replaced whole; an
  /// empty map changes nothing.
  /// - Parameter key: the dotted key of this tree.
  package func overrides(below key: String = "") -> [ConfigOverride] {
    guard let entries else {
      return isNull && key.isEmpty ? [] : [ConfigOverride(key: key, value: onOneLine, option: origin.description)]
    }
    return entries.flatMap { $0.value.overrides(below: key.isEmpty ? $0.key : "\(key).\($0.key)") }
  }

  /// The node as YAML on one line, fit to stand within lists.
  package var onOneLine: String {
    switch content {
    case .scalar(let text, plain: true):
      if isNull { return "null" }
      return text.utf8.contains { ",[]{}#:".utf8.contains($0) } ? text.quotedYAML : text
    case .scalar(let text, plain: false): return text.quotedYAML
    case .sequence(let elements): return "[" + elements.map(\.onOneLine).joined(separator: ", ") + "]"
    case .mapping(let entries): return "{" + entries.map { "\($0.key): \($0.value.onOneLine)" }.joined(separator: ", ") + "}"
    }
  }

  /// Every text and number of this tree with its dotted key; numbers name the elements of lists.
  package func texts(below key: String = "") -> [(key: String, text: String)] {
    let prefix = key.isEmpty ? "" : key + "."
    switch content {
    case .scalar(let text, _): return [(key, text)]
    case .sequence(let elements): return elements.enumerated().flatMap { $1.texts(below: "\(prefix)\($0)") }
    case .mapping(let entries): return entries.flatMap { $0.value.texts(below: prefix + $0.key) }
    }
  }

  /// The section in which a dotted key of a config stands, be it in a stage or not: `data` of `stages.1.data.root`.
  package static func section(of key: String) -> String? { key.split(separator: ".").map(String.init).withoutStage.first }

  /// The texts of all keys `weights` of a resolved config that are not empty: the networks that it takes as they are.
  package func weightTexts() -> [(key: String, text: String)] {
    texts().filter { key, text in !text.isEmpty && key.split(separator: ".").last == "weights" }
  }

  /// The texts of a resolved config's sections of data, `data` and `validation`, those of its stages included: names of files and folders,
  /// among others. None of them is empty.
  package func dataTexts() -> [(key: String, text: String)] {
    texts().filter { key, text in
      let section = Self.section(of: key)
      return !text.isEmpty && (section == "data" || section == "validation")
    }
  }
}
