import Base
import Training

/// A spec file as it is written: `Experiments/<question>/spec.yaml`.
///
/// ```yaml
/// question: How many updates does an estimate need?
/// base: ../../configs/example.yaml        # relative to the spec
/// baseline: twelve
/// seeds: 3                                # 1, 2 and 3; or a list
/// budget: {steps: 300}                    # or minutes
/// metrics: [error]                        # left out: those of the task that have a direction
/// set: {train: {batch_size: 4}}           # laid over the base for all variants
/// variants:
/// - {name: twelve, label: 12 updates, paper: {error: 1.94}, set: {train: {iterations: 12}}}
/// grid:                                   # every combination is one more variant
///   model.levels: [1, 2, 4]
/// ```
struct ExperimentSpec: Codable, Sendable {
  var question = ""
  /// The config that all variants are laid over.
  var base = ""
  /// The variant that the others are compared with; left out: the first.
  var baseline = ""
  /// A count, or a list of seeds.
  var seeds = ConfigTree()
  /// Left out for a task that is not trained.
  var budget = Budget()
  /// Names; left out: those of the task that have a direction.
  var metrics: [String] = []
  /// What is laid over the base config for all variants.
  var set = ConfigTree()
  var variants: [Variant] = []
  /// Dotted keys with the values of each.
  var grid = ConfigTree()

  struct Budget: Codable, Sendable, ValidatedConfig {
    /// Updates of each job; 0: minutes count.
    var steps = 0
    /// Minutes of training of each job, instead of steps.
    var minutes = 0.0

    func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require((0...1_000_000_000).contains(steps), "steps", steps, "1 or more")
      problems.require(minutes >= 0 && minutes <= 1e6, "minutes", minutes, "above 0, at most 1e6")
      if steps > 0, minutes > 0 { problems.append(ConfigProblem("minutes", minutes, allowed: "not to be set with steps")) }
      return problems
    }
  }

  struct Variant: ConfigElement {
    var name = ""
    /// The words of the table's row; left out: the name.
    var label = ""
    /// The paper's figures by their name.
    var paper = ConfigTree()
    /// What is laid over the base config.
    var set = ConfigTree()
  }
}

/// The checks of a spec that need nothing but itself. Problems are gathered; the values stand in for what cannot be used.
struct SpecReading {
  let path: String
  private(set) var spec = ExperimentSpec()
  let tree: ConfigNode
  private(set) var problems: [PlacedProblem]
  private(set) var seeds: [Int] = [1]
  private(set) var variants: [SpecVariant] = []
  /// What all variants lay over the base config, each with its place in the spec as its option.
  private(set) var common: [ConfigOverride] = []

  /// Keys that a variant cannot set, because the experiment does.
  private static let ownKeys = ["plan.steps": "budget", "plan.epochs": "budget", "plan.max_hours": "budget", "plan.seed": "seeds"]
  private static let mostVariants = 1000
  private static let mostSeeds = 1000

  /// - Throws: `.missingInput` if there is no such file, `.usage` if it is no YAML.
  init(_ path: String) throws {
    self.path = path
    let (value, tree, problems) = try ConfigFile.decode(over: ExperimentSpec(), at: path)
    self.tree = tree
    self.problems = problems
    guard let value else { return }
    spec = value
    if spec.base.isEmpty { note(["base"], "missing key 'base': the config that the variants are laid over") }
    readSeeds()
    common = overrides(in: spec.set, named: "set")
    checkOwners(of: common)
    for (index, variant) in spec.variants.enumerated() { read(variant, at: ["variants", "\(index)"]) }
    readGrid()
    if variants.isEmpty { note(["variants"], "there are no variants: write a list 'variants', or a 'grid'") }
    if !spec.baseline.isEmpty, !variants.contains(where: { $0.name == spec.baseline }) {
      let near = spec.baseline.nearest(among: variants.map(\.name)).map { " Did you mean '\($0)'?" } ?? ""
      note(["baseline"], "there is no variant '\(spec.baseline)'. Known: \(someOf(variants.map(\.name), atMost: 12)).\(near)")
    }
  }

  mutating func note(_ path: [String], _ message: String) {
    // The nearest place that the user wrote.
    let origins = (0...path.count).reversed().compactMap { tree.node(at: Array(path.prefix($0)))?.origin }
    let origin = origins.first { $0 != .standard } ?? .file(path: self.path, line: 1, column: 1)
    problems.append(PlacedProblem(origin: origin, message: message))
  }

  private mutating func note(at node: ConfigNode, _ message: String) {
    problems.append(PlacedProblem(origin: node.origin, message: message))
  }

  // MARK: Seeds

  private mutating func readSeeds() {
    let node = spec.seeds.node
    guard node.entries?.isEmpty != true else { return }
    guard let elements = node.elements else {
      guard let count = Self.integer(node), (1...Self.mostSeeds).contains(count) else {
        return note(at: node, "'seeds': expected a count of 1 to \(Self.mostSeeds), or a list of seeds, found \(node.found)")
      }
      seeds = Array(1...count)
      return
    }
    var found: [Int] = []
    for element in elements {
      guard let seed = Self.integer(element), seed >= 0 else {
        note(at: element, "'seeds': expected a whole number, 0 or more, found \(element.found)")
        continue
      }
      if found.contains(seed) { note(at: element, "'seeds': the seed \(seed) stands there twice") } else { found.append(seed) }
    }
    if elements.isEmpty { note(at: node, "'seeds': the list is empty") }
    if !found.isEmpty { seeds = found }
  }

  private static func integer(_ node: ConfigNode) -> Int? {
    if case .scalar(let text, plain: true) = node.content { Int(text) } else { nil }
  }

  // MARK: Variants

  /// The values of a `set`; none if it is no map.
  private mutating func overrides(in set: ConfigTree, named key: String) -> [ConfigOverride] {
    guard set.node.entries != nil || set.node.isNull else {
      note(at: set.node, "'\(key)': expected a map of config keys, found \(set.node.found)")
      return []
    }
    return set.node.overrides()
  }

  private mutating func checkOwners(of overrides: [ConfigOverride]) {
    for override in overrides {
      guard let owner = Self.ownKeys[override.key] else { continue }
      let message = "'\(override.key)' is set by '\(owner)' of the experiment"
      problems.append(PlacedProblem(origin: .commandLine(override.option), message: message))
    }
  }

  private mutating func read(_ variant: ExperimentSpec.Variant, at path: [String]) {
    let overrides = overrides(in: variant.set, named: (path + ["set"]).joined(separator: "."))
    var figures: [ExperimentResult.Figure] = []
    for entry in variant.paper.node.entries ?? [] {
      if case .scalar(let text, _) = entry.value.content {
        figures.append(.init(name: entry.key, value: text))
      } else {
        note(at: entry.value, "'paper.\(entry.key)': expected a figure, found \(entry.value.found)")
      }
    }
    if variant.paper.node.entries == nil {
      note(at: variant.paper.node, "'paper': expected a map of figures, found \(variant.paper.node.found)")
    }
    let origin = (tree.node(at: path + ["name"]) ?? tree.node(at: path))?.origin ?? .standard
    let label = variant.label.isEmpty ? variant.name : variant.label
    add(SpecVariant(name: variant.name, label: label, figures: figures, overrides: overrides, origin: origin))
  }

  private mutating func add(_ variant: SpecVariant) {
    func problem(_ message: String) { problems.append(PlacedProblem(origin: variant.origin, message: message)) }
    if !variant.name.isFolderName {
      problem("the variant's name '\(variant.name)' is to be a folder: letters, digits, '.', '_' and '-', not first of all '.' or '-'")
    }
    if ["json", "md", "csv", "tex", "html", "png", "svg", "lock", "sbatch"].contains(Path.fileExtension(variant.name)) {
      problem("the variant's name '\(variant.name)' looks like a file of the experiment")
    }
    if let other = variants.first(where: { $0.name.lowercased() == variant.name.lowercased() }) {
      problem("the variant '\(variant.name)' stands there twice; first at \(other.origin)")
      return
    }
    checkOwners(of: variant.overrides)
    variants.append(variant)
  }

  // MARK: Grid

  private struct Axis {
    let key: String
    let values: [ConfigNode]
  }

  private mutating func readGrid() {
    let node = spec.grid.node
    guard let entries = node.entries else {
      return note(at: node, "'grid': expected a map of config keys, each with a list, found \(node.found)")
    }
    var axes: [Axis] = []
    for entry in entries {
      guard let elements = entry.value.elements, !elements.isEmpty else {
        let found = entry.value.elements == nil ? entry.value.found : "an empty one"
        note(at: entry.value, "'grid.\(entry.key)': expected a list of values, found \(found)")
        continue
      }
      var values: [ConfigNode] = []
      for element in elements {
        if values.contains(where: { $0.onOneLine == element.onOneLine }) {
          note(at: element, "'grid.\(entry.key)': the value \(element.onOneLine) stands there twice")
        } else {
          values.append(element)
        }
      }
      axes.append(Axis(key: entry.key, values: values))
    }
    let count = axes.reduce(1) { $0.multipliedReportingOverflow(by: $1.values.count).partialValue }
    guard !axes.isEmpty else { return }
    guard count <= Self.mostVariants else {
      return note(at: node, "'grid' has \(count) combinations, at most \(Self.mostVariants) are allowed")
    }
    for choice in Self.product(axes) { add(variant(of: choice, node.origin)) }
  }

  /// All combinations; the last axis changes first.
  private static func product(_ axes: [Axis]) -> [[(axis: Axis, value: ConfigNode)]] {
    axes.reduce([[]]) { combinations, axis in combinations.flatMap { head in axis.values.map { head + [(axis, $0)] } } }
  }

  private func variant(of choice: [(axis: Axis, value: ConfigNode)], _ origin: ConfigOrigin) -> SpecVariant {
    let lasts = choice.map { $0.axis.key.split(separator: ".").last.map(String.init) ?? $0.axis.key }
    let words = zip(choice, lasts).map { entry, last in lasts.count { $0 == last } > 1 ? entry.axis.key : last }
    let pairs = zip(words, choice).map { (word: $0, value: $1.value.onOneLine) }
    let name = pairs.map { "\($0.word)-\($0.value)" }.joined(separator: "_").fileNamePart
    return SpecVariant(
      name: name, label: pairs.map { "\($0.word) \($0.value)" }.joined(separator: ", "), figures: [],
      overrides: choice.flatMap { $0.value.overrides(below: $0.axis.key) }, origin: choice.first?.value.origin ?? origin)
  }
}

/// A variant of a spec, not yet held against its config.
struct SpecVariant: Sendable {
  let name: String
  let label: String
  let figures: [ExperimentResult.Figure]
  /// Each with its place in the spec as its option.
  let overrides: [ConfigOverride]
  let origin: ConfigOrigin
}

extension String {
  /// Whether the text is safe as the name of a folder on every system.
  fileprivate var isFolderName: Bool {
    guard let first = unicodeScalars.first, first != ".", first != "-", utf8.count <= 120 else { return false }
    return unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0)) }
  }
}
