import Base

/// Every value of a config with its origin, whichever task it is for.
public struct ResolvedConfig: Sendable {
  /// As a file that gives the same config.
  public let yaml: String
  private let values: ConfigNode
  private let origins: ConfigNode

  init(yaml: String, values: ConfigNode, origins: ConfigNode) { (self.yaml, self.values, self.origins) = (yaml, values, origins) }

  /// The default values.
  public init(defaults: some Codable & Sendable) throws {
    values = try ConfigEncoding.node(of: defaults, omittingUnused: true)
    origins = values
    yaml = ConfigEmitter.yaml(of: values, origins: nil)
  }

  /// The number of single values.
  public var count: Int { ConfigChange.leaves(of: values, key: "").count }

  /// What differs between this config and another: in the other's order, and what it lacks at the end.
  public func differences(to other: ResolvedConfig) -> [ConfigDifference] {
    ConfigChange.between(values, other.values).map { change in
      ConfigDifference(key: change.key, before: value(change.before, of: change.key), after: other.value(change.after, of: change.key))
    }
  }

  private func value(_ text: String?, of key: String) -> ConfigDifference.Value? {
    text.map { text in
      // Quotes only where a reader of YAML needs them.
      let inner = text.hasPrefix("\"") ? String(text.dropFirst().dropLast()) : text
      return .init(text: inner.isSafePlainYAML ? inner : text, origin: origin(of: key))
    }
  }

  /// The origin of a value; a list that was replaced whole has one for all its elements.
  private func origin(of key: String) -> ConfigOrigin {
    let path = key.split(separator: ".").map(String.init)
    return (0...path.count).reversed().lazy.compactMap { origins.node(at: Array(path.prefix($0))) }.first?.origin ?? .standard
  }
}

/// A value that differs between two configs.
public struct ConfigDifference: Sendable, Equatable {
  /// A value as it stands in a file, and where it comes from.
  public struct Value: Sendable, Equatable {
    public let text: String
    public let origin: ConfigOrigin
  }

  /// The dotted key, such as `data.root`; a number names the element of a list.
  public let key: String
  /// Nil where the config has no such key.
  public let before: Value?
  public let after: Value?
}

extension LoadedConfig {
  /// The config without its type.
  public var untyped: ResolvedConfig { ResolvedConfig(yaml: resolvedYAML, values: resolved, origins: tree) }
}
