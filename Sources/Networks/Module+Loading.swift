import Base
import Tensors
import WeightFiles

/// The arrays of a file that do not fit a network, and those that it lacks.
public struct IncompatibleKeys: Sendable, Equatable {
  /// Names that the network has and the file lacks.
  public let missing: [String]
  /// Names that the file has and the network lacks.
  public let unexpected: [String]
  /// "name is [shape], expected [shape]".
  public let shapeMismatch: [String]
  /// "name and name": of one array of the network, with different values.
  public let conflicting: [String]

  public var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && !isIrreconcilable }
  /// Whether even a load that is not strict must fail.
  var isIrreconcilable: Bool { !shapeMismatch.isEmpty || !conflicting.isEmpty }

  /// One line for each kind: how many, and the first five names.
  public var lines: [String] {
    let kinds = [
      ("missing", missing), ("unexpected", unexpected), ("of another shape", shapeMismatch),
      ("with two names but different values", conflicting),
    ]
    return kinds.filter { !$1.isEmpty }.map { kind, names in "\(names.count) \(kind): \(IncompatibleKeys.shortened(names))" }
  }

  /// The first five names, and how many follow.
  public static func shortened(_ names: [String]) -> String {
    names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ... (\(names.count - 5) more)" : "")
  }

  /// What the file's names have in front of the network's, such as `model.`; nil if taking it away would not make most of them fit.
  public var foreignPrefix: String? {
    guard let first = unexpected.first else { return nil }
    let wanted = Set(missing)
    let components = first.split(separator: ".", omittingEmptySubsequences: false)
    let prefixes = components.indices.dropFirst().map { components[..<$0].joined(separator: ".") + "." }
    return prefixes.first { prefix in
      let fitting = unexpected.count { $0.hasPrefix(prefix) && wanted.contains(String($0.dropFirst(prefix.count))) }
      return 2 * fitting > unexpected.count
    }
  }

  /// The error of a strict load.
  public func failure(_ model: String, at place: String) -> Failure {
    Failure(.badData, at: place, "the arrays do not fit \(model):", items: lines.map { "  \($0)" },
            remedy: foreignPrefix.map { "The names begin with '\($0)': take it away with --prefix \($0)" }
              ?? "Check that the weights belong to this model and variant.")
  }
}

extension StateDictionary {
  /// The current values of a module.
  public init(of module: some Module) {
    let walk = ModuleWalk(module)
    let aliases = Dictionary(walk.aliases.map { ($0.alias, $0.name) }) { $1 }
    self.init(walk.leaves.map { $0.leaf.entry(named: $0.name) }, aliases: aliases, names: walk.names)
  }
}

extension Module {
  /// The current values in official names and shapes.
  public func stateDictionary() -> StateDictionary { StateDictionary(of: self) }

  /// The result of `load`.
  public typealias LoadReport = (loaded: Int, missing: [String], unexpected: [String])

  /// Takes over the values of `state`, all or, if anything does not fit, none.
  /// - Parameters:
  ///   - strict: require a value for every name, and no others. Otherwise names are matched as far as possible, at least one.
  ///   - place: the file, for errors.
  /// - Throws: `.badData` naming every missing, unexpected and mis-shaped array.
  @discardableResult
  public func load(_ state: StateDictionary, strict: Bool = true, from place: String = "") throws -> LoadReport {
    let (found, incompatibleKeys, isEmpty) = matched(with: state)
    guard !incompatibleKeys.isIrreconcilable, !found.isEmpty || isEmpty, !strict || incompatibleKeys.isEmpty else {
      throw incompatibleKeys.failure("\(Self.self)", at: place)
    }
    for (leaf, entry) in found { leaf.load(entry) }
    return (found.count, incompatibleKeys.missing, incompatibleKeys.unexpected)
  }

  /// Takes over the chosen arrays of `state`, all or, if anything does not fit, none.
  ///
  /// Not strict: arrays that the file lacks or has in another shape keep their values; at least one must fit.
  /// - Parameter isChosen: whether an array of the network with this name shall be taken.
  /// - Returns: the names of the arrays that were taken, further names of shared ones included.
  func load(
    _ state: StateDictionary, chosenBy isChosen: (String) -> Bool, strict: Bool, from origin: String
  ) throws -> (taken: Set<String>, incompatibleKeys: IncompatibleKeys) {
    let (found, incompatibleKeys, _) = matched(with: state, isChosen)
    guard !found.isEmpty, incompatibleKeys.conflicting.isEmpty, !strict || incompatibleKeys.isEmpty else {
      throw incompatibleKeys.failure("\(Self.self)", at: origin)
    }
    for (leaf, entry) in found { leaf.load(entry) }
    let loaded = Set(found.map { $0.0.identity })
    let walk = ModuleWalk(self)
    let names = walk.leaves.filter { loaded.contains($0.leaf.identity) }.map(\.name)
    return (Set(names + walk.aliases.filter { names.contains($0.name) }.map(\.alias)), incompatibleKeys)
  }

  /// The reasons why `state` cannot be loaded; empty if it can.
  public func incompatibleKeys(of state: StateDictionary) -> IncompatibleKeys { matched(with: state).incompatibleKeys }

  private func matched(
    with state: StateDictionary, _ isChosen: (String) -> Bool = { _ in true }
  ) -> (found: [(ModuleLeaf, Safetensors.Entry)], incompatibleKeys: IncompatibleKeys, isEmpty: Bool) {
    let walk = ModuleWalk(self)
    let aliases = Dictionary(grouping: walk.aliases, by: \.name).mapValues { $0.map(\.alias) }
    let known = Set(walk.leaves.map(\.name)).union(walk.aliases.map(\.alias))
    var missing: [String] = []
    var shapeMismatch: [String] = []
    var conflicting: [String] = []
    var found: [(ModuleLeaf, Safetensors.Entry)] = []
    for (name, leaf) in walk.leaves where isChosen(name) {
      let copies = ([name] + (aliases[name] ?? [])).compactMap { state[$0] }
      guard let entry = copies.first else {
        missing.append(name)
        continue
      }
      if let other = copies.first(where: { !$0.isIdentical(to: entry) }) { conflicting.append("\(entry.name) and \(other.name)") }
      if entry.shape != leaf.officialShape {
        shapeMismatch.append("\(name) is \(entry.shape), expected \(leaf.officialShape)")
      } else {
        found.append((leaf, entry))
      }
    }
    let unexpected = (state.entries.map(\.name) + state.aliases.keys.sorted()).filter { !known.contains($0) }
    let incompatibleKeys = IncompatibleKeys(
      missing: missing, unexpected: unexpected, shapeMismatch: shapeMismatch, conflicting: conflicting)
    return (found, incompatibleKeys, walk.leaves.isEmpty)
  }
}
