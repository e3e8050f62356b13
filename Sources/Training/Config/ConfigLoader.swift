import Base
import Foundation

/// One value laid over the config files from the command line.
public struct ConfigOverride: Sendable, Equatable {
  /// The dotted key, such as `optimizer.weight_decay`; a number names the element of a list.
  public let key: String
  /// The value as YAML: `0.1`, `[0.9, 0.99]`, `"text"`.
  public let value: String
  /// The option as the user wrote it, for messages.
  public let option: String

  /// An option with a meaning of its own, such as `--steps 100` for `plan.steps`.
  public init(key: String, value: String, option: String) {
    (self.key, self.value, self.option) = (key, value, option)
  }

  /// An option whose value is a text, whatever it looks like.
  public init(key: String, text: String, option: String) { self.init(key: key, value: text.quotedYAML, option: option) }

  /// The argument of `--set`: `key=value`.
  /// - Throws: `Failure(.usage)` if there is no key or no `=`.
  public init(setting text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let key = parts[0].trimmingCharacters(in: .whitespaces)
    guard parts.count == 2, !key.isEmpty, key.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }) else {
      throw Failure(.usage, at: "--set \(text)", "expected key=value, such as optimizer.weight_decay=0.1")
    }
    self.init(key: key, value: parts[1], option: "--set \(text)")
  }
}

/// A config read in full: the value, and the text that gives it again.
public struct LoadedConfig<Config: Codable & Sendable>: Sendable {
  public let value: Config
  let tree: ConfigNode

  /// Every key with its value, as YAML; loaded again on its own it gives the same config, bit for bit.
  public let resolvedYAML: String

  /// `resolvedYAML` with a comment behind each value that says where it comes from.
  public var annotatedYAML: String { ConfigEmitter.yaml(of: resolved, origins: tree) }

  /// The origin of every leaf, by dotted key, in the order of declaration.
  public var origins: [(key: String, origin: ConfigOrigin)] { ConfigEmitter.leaves(of: resolved, origins: tree) }

  let resolved: ConfigNode
  /// The stages that the config names, in order.
  private let staged: [StagedValue]

  struct StagedValue: Sendable {
    let name: String
    let steps: Int
    let epochs: Int
    let value: Config
  }

  init(value: Config, tree: ConfigNode) throws {
    self.value = value
    self.tree = tree
    staged = []
    resolved = try ConfigEncoding.node(of: value, omittingUnused: true)
    resolvedYAML = ConfigEmitter.yaml(of: resolved, origins: nil)
  }

  init(value: Config, stages: [Config], _ split: StagedTree) throws {
    self.value = value
    tree = split.origins
    staged = zip(split.stages, stages).map { StagedValue(name: $0.name, steps: $0.steps, epochs: $0.epochs, value: $1) }
    resolved = split.joined(try ConfigEncoding.node(of: value, omittingUnused: true),
                            try stages.map { try ConfigEncoding.node(of: $0, omittingUnused: true) })
    resolvedYAML = ConfigEmitter.yaml(of: resolved, origins: nil)
  }
}

extension LoadedConfig where Config: TaskConfig {
  /// The parts of the run, each with a config of its own; one without a name if the config has no stages.
  public var stages: [Stage<Config>] {
    guard !staged.isEmpty else { return [Stage(of: value)] }
    return staged.enumerated().map { index, stage in
      Stage(name: stage.name, index: index, steps: stage.steps, epochs: stage.epochs, section: "stages.\(index).", config: stage.value)
    }
  }
}

/// Lays YAML files and command-line options over the defaults of a config struct.
///
/// ```swift
/// let config = try ConfigLoader(defaults: ClassifierConfig()).load(file: "configs/classifier/small.yaml", overrides: [])
/// ```
/// Keys are the property names in snake_case. A file may name one parent with `base: other.yaml` (relative to itself; the
/// parent names none). Maps merge; lists and single values are replaced whole. Every error is found in one pass.
public struct ConfigLoader<Config: Codable & Sendable>: Sendable {
  private let defaults: Config

  public init(defaults: Config) { self.defaults = defaults }

  /// - Throws: `Failure(.usage)` listing every problem with its place, `.missingInput` if a file is not there.
  public func load(file path: String, overrides: [ConfigOverride] = []) throws -> LoadedConfig<Config> {
    var old: [String] = []
    let tree = try ConfigLayers.tree(at: path) { modernized($0, &old) }
    return try load(tree, overrides, &old)
  }

  /// The same for a text; `name` stands for the path in messages and as the place of a relative `base`.
  public func load(yaml text: String, named name: String, overrides: [ConfigOverride] = []) throws -> LoadedConfig<Config> {
    var old: [String] = []
    let tree = try ConfigLayers.resolvingBase(of: ConfigFile.tree(of: text, named: name), path: name) { modernized($0, &old) }
    return try load(tree, overrides, &old)
  }

  private var renamed: RenamedKeys { RenamedKeys((Config.self as? any TaskConfig.Type)?.renamedKeys ?? [:]) }

  /// A layer under the names of today; `old` gets a line for each key of an older config.
  private func modernized(_ layer: ConfigNode, _ old: inout [String]) -> ConfigNode {
    var lines: [String] = []
    let layer = renamed.modernized(layer) { key, origin, name in lines.append("\(origin): '\(key)' is now '\(name)'") }
    old += lines
    return layer
  }

  /// - Parameter old: what files say under names of older configs; told once, with that of options.
  private func load(_ file: ConfigNode, _ given: [ConfigOverride], _ old: inout [String]) throws -> LoadedConfig<Config> {
    let overrides = given.map(renamed.modernized)
    old += zip(given, overrides).filter { $0.key != $1.key }.map { "\($0.option): '\($0.key)' is now '\($1.key)'" }
    if !old.isEmpty { Warning.emit("keys of older configs are taken under their names of today: \(old.joined(separator: "; "))") }
    let standard = try ConfigEncoding.node(of: defaults)
    let layered = ConfigLayers.applying(overrides, to: standard.overlaid(by: file))
    guard let kind = Config.self as? any TaskConfig.Type else {
      let (value, problems) = ConfigDecoding.decode(Config.self, from: layered.tree, defaults: standard)
      guard let value, layered.problems.isEmpty else { throw Failure.config(layered.problems + problems) }
      return try LoadedConfig(value: value, tree: layered.tree)
    }
    let decoding = ConfigDecoding(defaults: standard, renamed: kind.renamedKeys)
    let split = StagedTree(layered.tree, standard: standard, fixed: kind.fixedSections, decoding)
    let value = try? decoding.value(Config.self, from: split.base, at: [])
    let stages = split.stages.enumerated().compactMap { index, stage in
      try? decoding.value(Config.self, from: stage.tree, at: ["stages", String(index)])
    }
    guard let value, stages.count == split.stages.count, decoding.problems.isEmpty, layered.problems.isEmpty else {
      throw Failure.config(layered.problems + decoding.problems)
    }
    return try LoadedConfig(value: value, stages: stages, split)
  }
}

/// The layers above the defaults: a file's parent, the file, the options.
public enum ConfigLayers {
  /// One top-level name of a config file (or of its parent, or of an override), read before the rest can be understood: it
  /// says which task the file is for.
  /// - Parameter formerly: the key's name in older configs, which counts too.
  /// - Throws: `Failure(.usage)` if the key is missing or its value is not one of the choice's names.
  public static func choice<Choice: ConfigChoice>(
    _ key: String, formerly: String? = nil, of type: Choice.Type, in path: String, overrides: [ConfigOverride] = []
  ) throws -> Choice {
    let own = overrides.filter { $0.key == key || $0.key == formerly }
    let (tree, _) = applying(own, to: try tree(at: path))
    let names = Choice.allCases.map(\.configName).joined(separator: ", ")
    guard let node = tree[key] ?? formerly.flatMap({ tree[$0] }) else {
      throw Failure(.usage, at: path, "missing key '\(key)'", remedy: "write '\(key): NAME' with one of \(names)")
    }
    let (choice, problems) = ConfigDecoding.decode(Choice.self, from: node)
    guard let choice else {
      let messages = problems.map { PlacedProblem(origin: $0.origin, message: $0.message.replacing("''", with: "'\(key)'")) }
      throw Failure.config(messages)
    }
    return choice
  }

  /// - Parameter edit: changes each layer before it is laid over another.
  static func tree(at path: String, edit: (ConfigNode) -> ConfigNode = { $0 }) throws -> ConfigNode {
    try resolvingBase(of: ConfigFile.tree(at: path), path: path, edit: edit)
  }

  /// The tree over its parent, with the key `base` taken out.
  static func resolvingBase(of tree: ConfigNode, path: String, edit: (ConfigNode) -> ConfigNode = { $0 }) throws -> ConfigNode {
    guard let entry = tree.entries?.first(where: { $0.key == "base" }) else { return edit(tree) }
    guard case .scalar(let relative, _) = entry.value.content, !entry.value.isNull, !relative.isEmpty else {
      throw Failure(.usage, at: entry.value.origin.description, "'base': expected the path of a config, found \(entry.value.found)")
    }
    let folder = Path.folder(path)
    let joined = folder.isEmpty ? relative : Path.join(folder, relative)
    let parentPath = relative.hasPrefix("/") ? relative : Path.normalized(joined)
    let parent: ConfigNode
    do {
      parent = try ConfigFile.tree(at: parentPath)
    } catch let failure as Failure where failure.kind == .missingInput {
      let found = failure.problem == "there is no such file" ? "there is no file \(parentPath)" : "\(parentPath): \(failure.problem)"
      throw Failure(.missingInput, at: entry.value.origin.description, "'base': \(found)")
    }
    if let second = parent.entries?.first(where: { $0.key == "base" }) {
      throw Failure(.usage, at: second.keyOrigin.description, "a config named as 'base' has a base itself; only one level is allowed",
                    remedy: "\(path) names it")
    }
    return edit(parent).overlaid(by: edit(tree.removing("base")))
  }

  static func applying(_ overrides: [ConfigOverride], to tree: ConfigNode) -> (tree: ConfigNode, problems: [PlacedProblem]) {
    var result = tree
    var problems: [PlacedProblem] = []
    for override in overrides {
      let origin = ConfigOrigin.commandLine(override.option)
      do {
        let value = try ConfigFile.value(of: override.value, origin: origin)
        result = result.setting(override.key.split(separator: ".").map(String.init)[...], to: value)
      } catch {
        problems.append(PlacedProblem(origin: origin, message: (error as? Failure)?.problem ?? "\(error)"))
      }
    }
    return (result, problems)
  }
}

extension ConfigNode {
  fileprivate func removing(_ key: String) -> ConfigNode {
    ConfigNode(content: .mapping((entries ?? []).filter { $0.key != key }), origin: origin)
  }
}
