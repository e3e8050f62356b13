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

  private init(_ entries: [Safetensors.Entry], aliases: [String: String], names: [String]) {
    self.entries = entries
    self.aliases = aliases
    self.names = names
    places = Dictionary(entries.enumerated().map { ($1.name, $0) }) { first, _ in
      stop("StateDictionary: two entries are named '\(entries[first].name)'")
    }
  }

  /// The current values of a module.
  public init(of module: some Module) {
    let walk = ModuleWalk(module)
    self.init(walk.leaves.map { $0.leaf.entry(named: $0.name) }, aliases: Dictionary(walk.aliases.map { ($0.alias, $0.name) }) { $1 },
              names: walk.names)
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
  /// - Throws: `.badData` if two arrays would have one name.
  public func renamed(_ table: [(prefix: String, replacement: String)]) throws -> StateDictionary {
    func renamed(_ name: String) -> String {
      guard let rule = table.first(where: { name.hasPrefix($0.prefix) }) else { return name }
      return rule.replacement + name.dropFirst(rule.prefix.count)
    }
    let renamedEntries = entries.map { $0.renamed(renamed($0.name)) }
    var seen: Set<String> = []
    if let double = renamedEntries.first(where: { !seen.insert($0.name).inserted }) {
      throw Failure(.badData, at: double.name, "two arrays have this name after renaming \(table.map { "\($0.prefix)* to \($0.replacement)*" })")
    }
    return StateDictionary(
      renamedEntries, aliases: Dictionary(aliases.map { (renamed($0.key), renamed($0.value)) }) { $1 }, names: names.map(renamed))
  }

  /// The file's contents, aliases noted in the metadata.
  public func safetensors(metadata: [String: String] = [:]) -> Safetensors {
    Safetensors(entries, metadata: metadata.merging(aliases) { note, _ in note })
  }
}

extension Module {
  /// The current values in official names and shapes.
  public func stateDictionary() -> StateDictionary { StateDictionary(of: self) }

  /// What `load` did.
  public typealias LoadReport = (loaded: Int, missing: [String], unexpected: [String])

  /// Takes over the values of `state`, all or, if anything does not fit, none.
  /// - Parameters:
  ///   - strict: require a value for every name, and no others. Otherwise names are matched as far as possible, at least one.
  ///   - place: the file, for errors.
  /// - Throws: `.badData` naming every missing, unexpected and mis-shaped array.
  @discardableResult
  public func load(_ state: StateDictionary, strict: Bool = true, from place: String = "") throws -> LoadReport {
    let walk = ModuleWalk(self)
    let aliases = Dictionary(grouping: walk.aliases, by: \.name).mapValues { $0.map(\.alias) }
    let known = Set(walk.leaves.map(\.name)).union(walk.aliases.map(\.alias))
    var missing: [String] = [], misshapen: [String] = [], contradicting: [String] = [], found: [(ModuleLeaf, Safetensors.Entry)] = []
    for (name, leaf) in walk.leaves {
      let copies = ([name] + (aliases[name] ?? [])).compactMap { state[$0] }
      guard let entry = copies.first else {
        missing.append(name)
        continue
      }
      if let other = copies.first(where: { !$0.hasSameElements(as: entry) }) { contradicting.append("\(entry.name) and \(other.name)") }
      if entry.shape != leaf.officialShape {
        misshapen.append("\(name) is \(entry.shape), expected \(leaf.officialShape)")
      } else {
        found.append((leaf, entry))
      }
    }
    let unexpected = state.entries.map(\.name).filter { !known.contains($0) }
    guard misshapen.isEmpty, contradicting.isEmpty, !found.isEmpty || walk.leaves.isEmpty, !strict || missing.isEmpty && unexpected.isEmpty else {
      throw Self.misfit(missing, unexpected, misshapen, contradicting, place)
    }
    for (leaf, entry) in found { leaf.load(entry) }
    return (found.count, missing, unexpected)
  }

  private static func misfit(
    _ missing: [String], _ unexpected: [String], _ misshapen: [String], _ contradicting: [String], _ place: String
  ) -> Failure {
    let parts = [("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen),
                 ("with two names but different values", contradicting)].filter { !$1.isEmpty }
      .map { kind, names in "\n  \(names.count) \(kind): \(names.joined(separator: ", "))" }
    return Failure(.badData, at: place, "the arrays do not fit \(Self.self):" + parts.joined(),
      remedy: unexpected.contains { $0.hasPrefix("module.") }
        ? "The names begin with 'module.', as PyTorch's data-parallel wrapper writes them: take the prefix away."
        : "Check that the weights belong to this model and variant.")
  }
}

extension Safetensors.Entry {
  /// Equal shapes and bits.
  fileprivate func hasSameElements(as other: Safetensors.Entry) -> Bool {
    if let a = tensor, let b = other.tensor { return a.isIdentical(to: b) }
    return shape == other.shape && integers != nil && integers == other.integers
  }
}
