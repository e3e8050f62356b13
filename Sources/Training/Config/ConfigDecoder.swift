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
  /// Keys of older configs with their names of today.
  private let renamed: [String: String]
  /// The problems reported so far, by place and key: a section that several stages share is reported once.
  private var reported: Set<Report> = []

  private struct Report: Hashable {
    let origin: ConfigOrigin
    let path: ArraySlice<String>
  }

  /// - Parameters:
  ///   - defaults: gives the stand-ins, so that the other values of a struct can still be judged together.
  ///   - renamed: keys of older configs with their names of today.
  init(defaults: ConfigNode?, renamed: [String: String] = [:]) {
    self.defaults = defaults
    self.renamed = renamed
  }

  /// Thrown after a problem was noted that leaves no stand-in value.
  struct Stopped: Error {}

  /// Decodes `node`, or notes at least one problem.
  static func decode<T: Decodable>(_ type: T.Type, from node: ConfigNode,
                                   defaults: ConfigNode? = nil) -> (value: T?, problems: [PlacedProblem]) {
    let decoding = ConfigDecoding(defaults: defaults)
    let value = try? decoding.value(type, from: node, at: [])
    return (decoding.problems.isEmpty ? value : nil, decoding.problems)
  }

  /// - Parameter node: `nil` if there is none for a reason that is already reported.
  func value<T: Decodable>(_ type: T.Type, from node: ConfigNode?, at path: [String]) throws -> T {
    if type == ConfigTree.self, let tree = ConfigTree(node ?? ConfigTree().node) as? T { return tree }
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
    guard case .scalar(let text, let plain) = defaults?.node(at: Array(path.withoutStage))?.content else { return nil }
    return S(configText: text, plain: plain)
  }

  private func validate<T>(_ value: T, from node: ConfigNode, at path: [String]) {
    if let selective = value as? any SelectiveConfig { noteUnused(selective, from: node, at: path) }
    guard let validated = value as? any ValidatedConfig else { return }
    for problem in validated.problems() {
      let key = problem.key.split(separator: ".").map { String($0).snakeCased }
      let isStandIn = (path.count + 1..<path.count + 1 + key.count).contains { length in
        failed.contains((path + key).prefix(length).joined(separator: "."))
      }
      if isStandIn { continue }
      // A default that does not go with what the file says: the nearest place that the user wrote.
      let origins = (0...key.count).reversed().compactMap { node.node(at: Array(key.prefix($0)))?.origin }
      let origin = origins.first { $0 != .standard } ?? node.origin
      let value = problem.value.isEmpty ? "empty" : problem.value
      note("'\((path + key).dotted)' is \(value); allowed: \(problem.allowed)", origin: origin, path + key)
      failed.insert((path + key).dotted)  // one message for a value: what lies around it says no more of it
    }
  }

  /// Notes keys that were written beside a choice with which they do not count. Keys below the choice's own layer (a base file, the section
  /// that a stage overlays) were right there, and are passed over.
  private func noteUnused(_ value: any SelectiveConfig, from node: ConfigNode, at path: [String]) {
    let selector = type(of: value).selector
    guard let choice = node[selector] else { return }
    for key in value.unusedKeys {
      guard let entry = node.entries?.first(where: { $0.key == key }), entry.value.origin.isWritten(in: node.origin, with: choice.origin),
            !failed.contains((path + [selector]).dotted) else { continue }
      note("'\((path + [key]).dotted)' has no effect with \(selector): \(choice.text); leave it out", origin: entry.keyOrigin, path + [key])
    }
  }

  /// Notes a key that nobody asked for, with the name of today if it is one of older configs.
  func noteUnknown(_ entry: ConfigNode.Entry, at path: [String], known keys: [String]) {
    let path = path + [entry.key]
    if let name = currentName(of: path) {
      return note("unknown key '\(path.dotted)'. It is now '\(name)'.", origin: entry.keyOrigin, path)
    }
    let children = entry.value.entries ?? []
    let old = renamed.keys.filter { $0.hasPrefix(path.withoutStage.joined(separator: ".") + ".") }
    guard !children.isEmpty, !old.isEmpty else {
      let suggestion = entry.key.nearest(among: keys).map { " Did you mean '\($0)'?" } ?? ""
      let known = keys.sorted().joined(separator: ", ")
      return note("unknown key '\(path.dotted)'. Known here: \(known).\(suggestion)", origin: entry.keyOrigin, path)
    }
    for child in children {
      let path = path + [child.key]
      let near = child.key.nearest(among: old.map { String($0.split(separator: ".").last ?? "") })
      let name = currentName(of: path) ?? near.flatMap { currentName(of: path.dropLast() + [$0]) }
      let sections = keys.sorted().joined(separator: ", ")
      let hint = name.map { " It is now '\($0)'." } ?? " Its section was split; the sections of today: \(sections)."
      note("unknown key '\(path.dotted)'.\(hint)", origin: child.keyOrigin, path)
    }
  }

  /// The name of today for a key of older configs; in a stage, the key in the stage.
  private func currentName(of path: [String]) -> String? {
    let own = path.withoutStage
    let stage = path.prefix(path.count - own.count)
    let plain = own.filter { Int($0) == nil }.joined(separator: ".")
    if let name = renamed[plain] { return (stage + [name]).joined(separator: ".") }
    return path.last.flatMap { renamed["*.\($0)"] }.map { (path.dropLast() + [$0]).joined(separator: ".") }
  }
}

extension ConfigOrigin {
  /// Whether a key with this origin was written in the section that begins at `section`, in the layer of `choice` or above it.
  fileprivate func isWritten(in section: ConfigOrigin, with choice: ConfigOrigin) -> Bool {
    switch (self, section) {
    case (.standard, _): return false
    case (.commandLine, _): return true
    case (.file(let path, let line, let column), .file(let home, let firstLine, let firstColumn)):
      if case .commandLine = choice { return false }
      return path == home && (line, column) >= (firstLine, firstColumn)
    case (.file, _): return false
    }
  }
}

extension ConfigNode {
  fileprivate var text: String { if case .scalar(let text, _) = content { text } else { found } }
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
      let expected = "a map with the keys \(keys.sorted().joined(separator: ", "))"
      return decoding.note("\(place): expected \(expected), found \(node.found)", at: node, path)
    }
    for entry in entries where !keys.contains(entry.key) { decoding.noteUnknown(entry, at: path, known: keys) }
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
