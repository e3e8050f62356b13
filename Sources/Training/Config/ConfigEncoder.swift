import Base

/// Turns a config struct into a tree: keys in snake_case, in the order of declaration, `nil` left out.
enum ConfigEncoding {
  /// - Parameter omittingUnused: leave out keys that have no effect with the choices made.
  static func node<T: Encodable>(of value: T, omittingUnused: Bool = false) throws -> ConfigNode {
    if let tree = value as? ConfigTree { return tree.node }
    if let choice = value as? any ConfigChoice { return choice.configName.configNode }
    if let scalar = value as? any ConfigScalar { return scalar.configNode }
    let encoder = ConfigNodeEncoder(omittingUnused: omittingUnused)
    try value.encode(to: encoder)
    guard omittingUnused, let unused = (value as? any SelectiveConfig)?.unusedKeys, let entries = encoder.node.entries else {
      return encoder.node
    }
    return ConfigNode(content: .mapping(entries.filter { !unused.contains($0.key) }), origin: .standard)
  }
}

/// One value being encoded; a class, because containers outlive the calls that make them.
private final class ConfigNodeEncoder: Encoder, SingleValueEncodingContainer {
  var node = ConfigNode(content: .mapping([]), origin: .standard)
  let omittingUnused: Bool
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(omittingUnused: Bool) { self.omittingUnused = omittingUnused }

  func append(_ value: ConfigNode, key: String) {
    let entry = ConfigNode.Entry(key: key, keyOrigin: .standard, value: value)
    node.content = .mapping((node.entries ?? []) + [entry])
  }

  func append(_ value: ConfigNode) { node.content = .sequence((node.elements ?? []) + [value]) }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(Keyed(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.content = .sequence(node.elements ?? [])
    return Unkeyed(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }
  func encodeNil() throws { node.content = .scalar("null", plain: true) }
  func encode<T: Encodable>(_ value: T) throws { node = try ConfigEncoding.node(of: value, omittingUnused: omittingUnused) }

  private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: ConfigNodeEncoder
    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil(forKey key: Key) throws {}
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
      encoder.append(try ConfigEncoding.node(of: value, omittingUnused: encoder.omittingUnused), key: key.stringValue.snakeCased)
    }
    mutating func nestedContainer<K: CodingKey>(keyedBy: K.Type, forKey key: Key) -> KeyedEncodingContainer<K> { unsupported() }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { unsupported() }
    mutating func superEncoder() -> any Encoder { unsupported() }
    mutating func superEncoder(forKey key: Key) -> any Encoder { unsupported() }
  }

  private struct Unkeyed: UnkeyedEncodingContainer {
    let encoder: ConfigNodeEncoder
    var codingPath: [any CodingKey] { [] }
    var count: Int { encoder.node.elements?.count ?? 0 }

    mutating func encodeNil() throws { encoder.append(ConfigNode(content: .scalar("null", plain: true), origin: .standard)) }
    mutating func encode<T: Encodable>(_ value: T) throws {
      encoder.append(try ConfigEncoding.node(of: value, omittingUnused: encoder.omittingUnused))
    }
    mutating func nestedContainer<K: CodingKey>(keyedBy: K.Type) -> KeyedEncodingContainer<K> { unsupported() }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { unsupported() }
    mutating func superEncoder() -> any Encoder { unsupported() }
  }
}

/// Hand-written `Codable` code is what would ask for nested containers; a config relies on the synthesised one.
func unsupported() -> Never {
  stop("config: only synthesised Codable conformances of structs are supported; use nested structs, lists and ConfigChoice enums")
}
