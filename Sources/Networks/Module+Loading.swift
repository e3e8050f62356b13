import Base
import Tensors
import WeightFiles

/// The arrays of a file that do not fit a network, and those that it lacks.
public struct Misfits: Sendable, Equatable {
  /// Names that the network has and the file lacks, and the other way round.
  public let missing, unexpected: [String]
  /// "name is [shape], expected [shape]".
  public let misshapen: [String]
  /// "name and name": of one array of the network, with different values.
  public let contradicting: [String]

  public var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && !isIrreconcilable }
  /// Whether even a load that is not strict must fail.
  var isIrreconcilable: Bool { !misshapen.isEmpty || !contradicting.isEmpty }

  /// One line for each kind: how many, and the first five names.
  public var lines: [String] {
    [("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen), ("with two names but different values", contradicting)]
      .filter { !$1.isEmpty }
      .map { kind, names in "\(names.count) \(kind): \(Misfits.shortened(names))" }
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
    let (found, misfits, isEmpty) = matched(with: state)
    guard !misfits.isIrreconcilable, !found.isEmpty || isEmpty, !strict || misfits.isEmpty else {
      throw misfits.failure("\(Self.self)", at: place)
    }
    for (leaf, entry) in found { leaf.load(entry) }
    return (found.count, misfits.missing, misfits.unexpected)
  }

  /// Takes over the chosen arrays of `state`, all or, if anything does not fit, none.
  ///
  /// Not strict: arrays that the file lacks or has in another shape keep their values; at least one must fit.
  /// - Parameter isChosen: whether an array of the network with this name shall be taken.
  /// - Returns: the names of the arrays that were taken, further names of shared ones included.
  func load(
    _ state: StateDictionary, chosenBy isChosen: (String) -> Bool, strict: Bool, from origin: String
  ) throws -> (taken: Set<String>, misfits: Misfits) {
    let (found, misfits, _) = matched(with: state, isChosen)
    guard !found.isEmpty, misfits.contradicting.isEmpty, !strict || misfits.isEmpty else {
      throw misfits.failure("\(Self.self)", at: origin)
    }
    for (leaf, entry) in found { leaf.load(entry) }
    let loaded = Set(found.map { $0.0.identity })
    let walk = ModuleWalk(self)
    let names = walk.leaves.filter { loaded.contains($0.leaf.identity) }.map(\.name)
    return (Set(names + walk.aliases.filter { names.contains($0.name) }.map(\.alias)), misfits)
  }

  /// The reasons why `state` cannot be loaded; empty if it can.
  public func misfits(of state: StateDictionary) -> Misfits { matched(with: state).misfits }

  private func matched(
    with state: StateDictionary, _ isChosen: (String) -> Bool = { _ in true }
  ) -> (found: [(ModuleLeaf, Safetensors.Entry)], misfits: Misfits, isEmpty: Bool) {
    let walk = ModuleWalk(self)
    let aliases = Dictionary(grouping: walk.aliases, by: \.name).mapValues { $0.map(\.alias) }
    let known = Set(walk.leaves.map(\.name)).union(walk.aliases.map(\.alias))
    var missing: [String] = [], misshapen: [String] = [], contradicting: [String] = [], found: [(ModuleLeaf, Safetensors.Entry)] = []
    for (name, leaf) in walk.leaves where isChosen(name) {
      let copies = ([name] + (aliases[name] ?? [])).compactMap { state[$0] }
      guard let entry = copies.first else {
        missing.append(name)
        continue
      }
      if let other = copies.first(where: { !$0.isIdentical(to: entry) }) { contradicting.append("\(entry.name) and \(other.name)") }
      if entry.shape != leaf.officialShape {
        misshapen.append("\(name) is \(entry.shape), expected \(leaf.officialShape)")
      } else {
        found.append((leaf, entry))
      }
    }
    let unexpected = (state.entries.map(\.name) + state.aliases.keys.sorted()).filter { !known.contains($0) }
    let misfits = Misfits(missing: missing, unexpected: unexpected, misshapen: misshapen, contradicting: contradicting)
    return (found, misfits, walk.leaves.isEmpty)
  }
}
