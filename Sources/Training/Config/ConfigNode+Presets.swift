import Base

extension ConfigPreset {
  /// The section with the defaults that fit it.
  static func rebased(_ section: ConfigNode) throws -> ConfigNode {
    guard section.entries != nil else { return section }
    let standard = try ConfigEncoding.node(of: defaults(for: section.section))
    return section.written.map(standard.overlaid) ?? standard
  }
}

extension ConfigNode {
  /// The part of this tree that a file or an option wrote; nil if nobody wrote any of it.
  var written: ConfigNode? {
    if let entries {
      let kept = entries.compactMap { entry in entry.value.written.map { Entry(key: entry.key, keyOrigin: entry.keyOrigin, value: $0) } }
      return kept.isEmpty && origin == .standard ? nil : ConfigNode(content: .mapping(kept), origin: origin)
    }
    let isWritten = origin != .standard || (elements ?? []).contains { $0.written != nil }
    return isWritten ? self : nil
  }
}

extension ConfigNode {
  /// The view of this section that a preset chooses by: its texts, and the keys that were written.
  fileprivate var section: ConfigSection {
    var texts: [String: String] = [:]
    var keys: Set<String> = []
    for entry in entries ?? [] {
      if case .scalar(let text, _) = entry.value.content { texts[entry.key] = text }
      if entry.value.written != nil { keys.insert(entry.key) }
    }
    return ConfigSection(texts: texts, written: keys)
  }
}
