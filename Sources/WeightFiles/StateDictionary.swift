import Base
import Tensors

/// A network's parameters and buffers as official files hold them: their names, channels first.
public struct StateDictionary: Sendable {
  /// In the order of the network's declaration, or of the file.
  public let entries: [Safetensors.Entry]
  /// Further names of shared arrays, with the name that stands in `entries`.
  public let aliases: [String: String]
  /// All names, those of `aliases` included, in the order of the network's declaration, or of the file.
  public let names: [String]
  private let places: [String: Int]

  /// - Precondition: no two entries have one name.
  public init(_ entries: [Safetensors.Entry], aliases: [String: String] = [:]) {
    self.init(entries, aliases: aliases, names: entries.map(\.name) + aliases.keys.sorted())
  }

  /// - Parameter names: those of the entries and of the aliases, in their order.
  package init(_ entries: [Safetensors.Entry], aliases: [String: String], names: [String]) {
    self.entries = entries
    self.aliases = aliases
    self.names = names
    places = Dictionary(entries.enumerated().map { ($1.name, $0) }) { first, _ in
      stop("StateDictionary: two entries are named '\(entries[first].name)'")
    }
  }

  /// The contents of a file; aliases are notes `{other name: stored name}` in its metadata, as the reference writer leaves them.
  public init(_ file: Safetensors) {
    self.init(file.entries, aliases: file.metadata.filter { file[$0.key] == nil && file[$0.value] != nil })
  }

  /// The array of that name, or that it is an alias for.
  public subscript(name: String) -> Safetensors.Entry? {
    (places[name] ?? aliases[name].flatMap { places[$0] }).map { entries[$0] }
  }

  /// The same without aliases: every name has an array of its own, as in PyTorch's files.
  public var unshared: StateDictionary { StateDictionary(names.compactMap { name in self[name]?.renamed(name) }) }

  /// Names that begin with one of the prefixes get its replacement instead; the first prefix that fits counts.
  ///
  /// `renamed([("module.", "")])` takes away what PyTorch's data-parallel wrapper adds.
  /// - Parameter place: the file, for errors.
  /// - Throws: `.badData` if two arrays would have one name.
  public func renamed(_ table: [(prefix: String, replacement: String)], from place: String = "") throws -> StateDictionary {
    try renamed(from: place) { name in
      guard let rule = table.first(where: { name.hasPrefix($0.prefix) }) else { return name }
      return rule.replacement + name.dropFirst(rule.prefix.count)
    }
  }

  /// The same arrays under other names.
  /// - Parameter place: the file, for errors.
  /// - Throws: `.badData` if two arrays would have one name.
  public func renamed(from place: String = "", _ name: (String) -> String) throws -> StateDictionary {
    let entries = entries.map { $0.renamed(name($0.name)) }
    let aliases = aliases.map { (alias: name($0.key), name: name($0.value)) }.sorted { $0.alias < $1.alias }
    var seen: Set<String> = []
    if let double = (entries.map(\.name) + aliases.map(\.alias)).first(where: { !seen.insert($0).inserted }) {
      throw Failure(.badData, at: place, "two arrays are named '\(double)' after renaming")
    }
    return StateDictionary(entries, aliases: Dictionary(uniqueKeysWithValues: aliases), names: names.map(name))
  }

  /// The arrays but those whose names, or the names that they are aliases for, are to be left out.
  public func without(_ isLeftOut: (String) -> Bool) -> StateDictionary {
    let kept = entries.filter { !isLeftOut($0.name) }
    let aliases = aliases.filter { !isLeftOut($0.key) && !isLeftOut($0.value) }
    let left = Set(kept.map(\.name)).union(aliases.keys)
    return StateDictionary(kept, aliases: aliases, names: names.filter(left.contains))
  }

  /// The file's contents, aliases noted in the metadata.
  public func safetensors(metadata: [String: String] = [:]) -> Safetensors {
    Safetensors(entries, metadata: metadata.merging(aliases) { note, _ in note })
  }
}
