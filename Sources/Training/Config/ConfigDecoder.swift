import Base

/// Decodes a tree into a config struct and finds *every* problem on the way: after one it goes on with a stand-in value.
///
/// The decoder learns the known keys and the expected types from what the synthesised `init(from:)` asks for, so they need not
/// be written down anywhere else.
final class ConfigDecoding {
  private(set) var problems: [PlacedProblem] = []
  /// The dotted paths of values that could not be read.
  private var failed: Set<String> = []
  private let defaults: ConfigNode?
  /// What was reported where; a section that several stages share is reported once.
  private var reported: Set<Report> = []

  private struct Report: Hashable {
    let origin: ConfigOrigin
    let path: ArraySlice<String>
  }

  private init(defaults: ConfigNode?) { self.defaults = defaults }

  /// Thrown after a problem was noted that leaves no stand-in value.
  struct Stopped: Error {}

  /// Decodes `node`, or notes at least one problem.
  /// - Parameter defaults: gives the stand-ins, so that the other values of a struct can still be judged together.
  static func decode<T: Decodable>(_ type: T.Type, from node: ConfigNode,
                                   defaults: ConfigNode? = nil) -> (value: T?, problems: [PlacedProblem]) {
    let decoding = ConfigDecoding(defaults: defaults)
    let value = try? decoding.value(type, from: node, at: [])
    return (decoding.problems.isEmpty ? value : nil, decoding.problems)
  }

  /// - Parameter node: `nil` if there is none for a reason that is already reported.
  func value<T: Decodable>(_ type: T.Type, from node: ConfigNode?, at path: [String]) throws -> T {
    if let scalar = type as? any ConfigScalar.Type, let value = self.scalar(scalar, from: node, at: path) as? T { return value }
    if let choice = type as? any ConfigChoice.Type, let value = self.choice(choice, from: node, at: path) as? T { return value }
    var node = node
    if let preset = type as? any ConfigPreset.Type, let section = node { node = try preset.rebased(section) }
    let decoder = ConfigNodeDecoder(decoding: self, node: node, path: path)
    let value: T
    do {
      value = try T(from: decoder)
    } catch is Stopped {
      throw Stopped()
    } catch {
      note("'\(path.dotted)': cannot read \(node?.found ?? "nothing") as \(T.self)", at: node, path)
      throw Stopped()
    }
    decoder.checkKeys()
    if let node, node.entries != nil { validate(value, from: node, at: path) }
    return value
  }

  /// Notes that the value at `path` cannot be used.
  func note(_ message: String, at node: ConfigNode?, _ path: [String]) {
    failed.insert(path.dotted)
    if let node { note(message, origin: node.origin, path) }
  }

  func note(_ message: String, origin: ConfigOrigin, _ path: [String]) {
    let isNew = reported.insert(Report(origin: origin, path: path.withoutStage)).inserted
    if isNew || path.withoutStage.count == path.count { problems.append(PlacedProblem(origin: origin, message: message)) }
  }

  private func scalar<S: ConfigScalar>(_ type: S.Type, from node: ConfigNode?, at path: [String]) -> S {
    guard let node else { return standIn(at: path) ?? S.placeholder }
    if case .scalar(let text, let plain) = node.content, let value = S(configText: text, plain: plain) { return value }
    var message = "'\(path.dotted)': expected \(S.expectation), found \(node.found)"
    if S.self == String.self, case .scalar(let text, plain: true) = node.content, !node.isNull { message += "; write '\(text)' in quotes" }
    note(message, at: node, path)
    return standIn(at: path) ?? S.placeholder
  }

  private func choice<C: ConfigChoice>(_ type: C.Type, from node: ConfigNode?, at path: [String]) -> C? {
    guard let node else { return C.allCases.first }
    let names = C.allCases.map(\.configName)
    var suggestion = ""
    if case .scalar(let text, _) = node.content {
      if let value = C.named(text) { return value }
      suggestion = text.nearest(among: names).map { ". Did you mean '\($0)'?" } ?? ""
    }
    note("'\(path.dotted)': expected one of \(names.joined(separator: ", ")), found \(node.found)\(suggestion)", at: node, path)
    return C.allCases.first
  }

  private func standIn<S: ConfigScalar>(at path: [String]) -> S? {
    guard case .scalar(let text, let plain) = defaults?.node(at: path)?.content else { return nil }
    return S(configText: text, plain: plain)
  }

  private func validate<T>(_ value: T, from node: ConfigNode, at path: [String]) {
    guard let validated = value as? any ValidatedConfig else { return }
    for problem in validated.problems() {
      let key = problem.key.split(separator: ".").map { String($0).snakeCased }
      let isStandIn = (path.count + 1..<path.count + 1 + key.count).contains { failed.contains((path + key).prefix($0).joined(separator: ".")) }
      if isStandIn { continue }
      // A default that does not go with what the file says: the nearest place that the user wrote.
      let origins = (0...key.count).reversed().compactMap { node.node(at: Array(key.prefix($0)))?.origin }
      let origin = origins.first { $0 != .standard } ?? node.origin
      let value = problem.value.isEmpty ? "empty" : problem.value
      note("'\((path + key).dotted)' is \(value); allowed: \(problem.allowed)", origin: origin, path + key)
      failed.insert((path + key).dotted)  // one message for a value: what lies around it says no more of it
    }
  }
}

extension [String] {
  var dotted: String { joined(separator: ".") }
}

/// The decoder handed to one `init(from:)`; remembers which keys it asked for.
final class ConfigNodeDecoder: Decoder, SingleValueDecodingContainer {
  let decoding: ConfigDecoding
  let node: ConfigNode?
  let path: [String]
  private var keys: [String]?
  private var isList = false
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(decoding: ConfigDecoding, node: ConfigNode?, path: [String]) {
    (self.decoding, self.node, self.path) = (decoding, node, path)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
    keys = keys ?? []
    return KeyedDecodingContainer(Keyed(decoder: self))
  }

  func unkeyedContainer() -> any UnkeyedDecodingContainer {
    if let node, node.elements == nil { decoding.note("'\(path.dotted)': expected a list, found \(node.found)", at: node, path) }
    return Unkeyed(decoder: self, elements: node?.elements ?? [])
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }
  func decodeNil() -> Bool { node?.isNull ?? false }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoding.value(type, from: node, at: path) }

  /// Reports keys that nobody asked for, once it is known which ones were.
  func checkKeys() {
    guard let node, let keys else { return }
    guard let entries = node.entries else {
      let place = path.isEmpty ? "the config" : "'\(path.dotted)'"
      return decoding.note("\(place): expected a map with the keys \(keys.sorted().joined(separator: ", ")), found \(node.found)", at: node, path)
    }
    for entry in entries where !keys.contains(entry.key) {
      let suggestion = entry.key.nearest(among: keys).map { " Did you mean '\($0)'?" } ?? ""
      let known = "Known here: \(keys.sorted().joined(separator: ", "))."
      decoding.note("unknown key '\((path + [entry.key]).dotted)'. \(known)\(suggestion)", origin: entry.keyOrigin, path + [entry.key])
    }
  }

  private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: ConfigNodeDecoder
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { unsupported() }

    private func child(_ key: Key) -> (node: ConfigNode?, name: String) {
      let name = key.stringValue.snakeCased
      if decoder.keys?.contains(name) == false { decoder.keys?.append(name) }
      return (decoder.node?[name], name)
    }

    func contains(_ key: Key) -> Bool { child(key).node != nil }
    func decodeNil(forKey key: Key) throws -> Bool { child(key).node?.isNull ?? true }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
      let (node, name) = child(key)
      if node == nil, let parent = decoder.node, parent.entries != nil {
        decoder.decoding.note("missing key '\((decoder.path + [name]).dotted)'", at: parent, decoder.path + [name])
      }
      return try decoder.decoding.value(type, from: node, at: decoder.path + [name])
    }

    func nestedContainer<K: CodingKey>(keyedBy: K.Type, forKey key: Key) throws -> KeyedDecodingContainer<K> { unsupported() }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { unsupported() }
    func superDecoder() throws -> any Decoder { unsupported() }
    func superDecoder(forKey key: Key) throws -> any Decoder { unsupported() }
  }

  private struct Unkeyed: UnkeyedDecodingContainer {
    let decoder: ConfigNodeDecoder
    let elements: [ConfigNode]
    var currentIndex = 0
    var codingPath: [any CodingKey] { [] }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    mutating func decodeNil() throws -> Bool { false }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
      let index = currentIndex
      currentIndex += 1
      var node = elements[index]
      if let element = type as? any ConfigElement.Type { node = try ConfigEncoding.node(of: element.init()).overlaid(by: node) }
      return try decoder.decoding.value(type, from: node, at: decoder.path + [String(index)])
    }

    mutating func nestedContainer<K: CodingKey>(keyedBy: K.Type) throws -> KeyedDecodingContainer<K> { unsupported() }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { unsupported() }
    mutating func superDecoder() throws -> any Decoder { unsupported() }
  }
}
