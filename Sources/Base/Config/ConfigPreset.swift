/// A config struct whose defaults depend on what is written in it, such as the name of a preset.
///
/// ```swift
/// static func defaults(for section: ConfigSection) -> Augmentation {
///   Augmentation(section.text("preset").flatMap(Preset.named) ?? .chairs)
/// }
/// ```
/// Keys that a file or an option writes keep their values; all others take those of `defaults(for:)`.
public protocol ConfigPreset: Codable, Sendable {
  /// The values of the keys that nobody wrote. A name in `section` may be wrong: then it is reported later.
  static func defaults(for section: ConfigSection) -> Self
}

/// A section of a config before it is decoded: the texts of its keys.
public struct ConfigSection: Sendable {
  private let texts: [String: String]
  private let written: Set<String>

  /// - Parameters:
  ///   - texts: the single values of the section, be they written or defaults.
  ///   - written: the keys that a file or an option sets.
  package init(texts: [String: String], written: Set<String>) {
    self.texts = texts
    self.written = written
  }

  /// The text of a single value, be it written or a default; nil if there is none.
  public func text(_ key: String) -> String? { texts[key] }

  /// Whether a file or an option sets this key.
  public func isWritten(_ key: String) -> Bool { written.contains(key) }
}
