import Base

/// One value that differs between two configs.
package struct ConfigChange: Equatable, CustomStringConvertible {
  /// The dotted key, such as `data.root`; a number names the element of a list.
  package let key: String
  /// The value as text; nil where the key is missing.
  package let before: String?
  package let after: String?

  /// `plan.steps: 10 -> 20`
  package var description: String { "\(key): \(before ?? "(none)") -> \(after ?? "(none)")" }

  /// The differences of two configs by dotted key, in the order of the new one; keys that are gone come last.
  package static func between(_ before: ConfigNode, _ after: ConfigNode) -> [ConfigChange] {
    let old = leaves(of: before, key: "")
    let new = leaves(of: after, key: "")
    let oldValues = Dictionary(old.map { ($0.key, $0.value) }) { first, _ in first }
    let newValues = Dictionary(new.map { ($0.key, $0.value) }) { first, _ in first }
    return new.filter { oldValues[$0.key] != $0.value }.map { ConfigChange(key: $0.key, before: oldValues[$0.key], after: $0.value) }
      + old.filter { newValues[$0.key] == nil }.map { ConfigChange(key: $0.key, before: $0.value, after: nil) }
  }

  /// Single values and empty lists and maps, by dotted key.
  static func leaves(of node: ConfigNode, key: String) -> [(key: String, value: String)] {
    let prefix = key.isEmpty ? "" : key + "."
    switch node.content {
    case .scalar(let text, let plain): return [(key, plain && !text.isEmpty ? text : text.quotedJSON)]
    case .sequence(let elements):
      guard !elements.isEmpty else { return [(key, "[]")] }
      return elements.enumerated().flatMap { leaves(of: $1, key: "\(prefix)\($0)") }
    case .mapping(let entries):
      guard !entries.isEmpty else { return [(key, "{}")] }
      return entries.flatMap { leaves(of: $0.value, key: prefix + $0.key) }
    }
  }
}
