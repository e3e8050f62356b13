/// A config struct whose defaults depend on what is written in it, such as the name of a preset.
///
/// ```swift
/// static func defaults(for section: ConfigSection) -> Augmentation { Augmentation(section.text("preset").flatMap(Preset.named) ?? .chairs) }
/// ```
/// What a file or an option writes stays in force; all other keys take the values of `defaults(for:)`.
public protocol ConfigPreset: Codable, Sendable {
  /// The values of the keys that nobody wrote. A name in `section` may be wrong: then it is reported later.
  static func defaults(for section: ConfigSection) -> Self
}

/// A section of a config before it is decoded.
public struct ConfigSection {
  let node: ConfigNode

  /// The text of a single value, be it written or a default; nil if there is none.
  public func text(_ key: String) -> String? {
    if case .scalar(let text, _) = node[key]?.content { text } else { nil }
  }

  /// Whether a file or an option sets this key.
  public func isWritten(_ key: String) -> Bool { node[key]?.written != nil }
}

extension ConfigPreset {
  /// The section with the defaults that fit it.
  static func rebased(_ section: ConfigNode) throws -> ConfigNode {
    guard section.entries != nil else { return section }
    let standard = try ConfigEncoding.node(of: defaults(for: ConfigSection(node: section)))
    return section.written.map(standard.overlaid) ?? standard
  }
}

extension ConfigNode {
  /// What of this tree stands in a file or an option; nil if nothing does.
  var written: ConfigNode? {
    if let entries {
      let kept = entries.compactMap { entry in entry.value.written.map { Entry(key: entry.key, keyOrigin: entry.keyOrigin, value: $0) } }
      return kept.isEmpty && origin == .standard ? nil : ConfigNode(content: .mapping(kept), origin: origin)
    }
    let isWritten = origin != .standard || (elements ?? []).contains { $0.written != nil }
    return isWritten ? self : nil
  }
}
