import Base

/// A config with a list `stages`, taken apart: the config without it, and one whole config for each stage.
///
/// ```yaml
/// loss: {gamma: 0.8}
/// train: {batch_size: 6}
/// stages:
/// - {name: things, steps: 100000}
/// - {name: sintel, epochs: 20, loss: {gamma: 0.85}}   # the batch size is 6 here too
/// ```
/// What a stage does not write is as in the section of the config, whether written or a default; only `initialize` is not handed down to
/// later stages. `plan.steps`, if nobody wrote it, is the sum of the stages' steps.
struct StagedTree {
  /// One stage: its own keys, and the config as it is for this stage.
  struct Stage {
    let name: String
    let steps: Int
    let epochs: Int
    let tree: ConfigNode
    /// The entries `name`, `steps` and `epochs` as they are written.
    let own: [ConfigNode.Entry]
  }

  /// Keys of a stage that are not sections.
  static let ownKeys = ["name", "steps", "epochs"]

  /// The config without its stages.
  private(set) var base: ConfigNode
  private(set) var stages: [Stage] = []
  private let standard: ConfigNode
  private let fixed: Set<String>

  /// - Parameters:
  ///   - standard: the defaults of the config.
  ///   - fixed: sections that a stage may not change.
  ///   - decoding: takes note of what is wrong.
  init(_ tree: ConfigNode, standard: ConfigNode, fixed: Set<String>, _ decoding: ConfigDecoding) {
    self.standard = standard
    self.fixed = fixed.union(["plan"])
    base = ConfigNode(content: .mapping((tree.entries ?? []).filter { $0.key != "stages" }), origin: tree.origin)
    guard let list = tree["stages"], !list.isNull else { return }
    guard let elements = list.elements else {
      decoding.note("'stages': expected a list, found \(list.found)", at: list, ["stages"])
      return
    }
    for (index, element) in elements.enumerated() {
      if let stage = read(element, index, decoding) { stages.append(stage) }
    }
    takeTotal(of: elements.count, decoding)
  }

  private mutating func takeTotal(of count: Int, _ decoding: ConfigDecoding) {
    guard count > 0, stages.count == count, let steps = base.node(at: ["plan", "steps"]) else { return }
    if let epochs = base.node(at: ["plan", "epochs"]), case .scalar(let text, let plain) = epochs.content,
       Int(configText: text, plain: plain) != 0 {
      decoding.note("'plan.epochs': the stages have lengths of their own; leave it out", at: epochs, ["plan", "epochs"])
    }
    let isKnown = stages.allSatisfy { $0.epochs == 0 }
    let total = isKnown ? stages.reduce(0) { $0 + $1.steps } : Plan.mostSteps
    if steps.origin == .standard {
      base = base.setting(["plan", "steps"], to: ConfigNode(content: .scalar(String(max(total, 1)), plain: true), origin: .standard))
    } else if isKnown, case .scalar(let text, let plain) = steps.content, let planned = Int(configText: text, plain: plain),
              planned > total {
      decoding.note("'plan.steps' is \(planned); allowed: at most \(total), the steps of all stages", at: steps, ["plan", "steps"])
    }
  }

  private func read(_ element: ConfigNode, _ index: Int, _ decoding: ConfigDecoding) -> Stage? {
    let path = ["stages", String(index)]
    let known = ((standard.entries ?? []).map(\.key).filter { !fixed.contains($0) } + StagedTree.ownKeys).sorted()
    guard let entries = element.entries else {
      let keys = known.joined(separator: ", ")
      decoding.note("'\(path.dotted)': expected a map with the keys \(keys), found \(element.found)", at: element, path)
      return nil
    }
    for entry in entries where !known.contains(entry.key) {
      if fixed.contains(entry.key) {
        decoding.note("'\((path + [entry.key]).dotted)': a stage cannot change this section", origin: entry.keyOrigin, path + [entry.key])
      } else {
        decoding.noteUnknown(entry, at: path, known: known)
      }
    }
    let sections = entries.filter { known.contains($0.key) && !StagedTree.ownKeys.contains($0.key) }
    return stage(index, element, sections, decoding)
  }

  private func stage(_ index: Int, _ element: ConfigNode, _ sections: [ConfigNode.Entry], _ decoding: ConfigDecoding) -> Stage? {
    let path = ["stages", String(index)]
    let most = Plan.mostSteps
    func own<T: Decodable>(_ key: String, _ type: T.Type) -> T? {
      element[key].flatMap { try? decoding.value(T.self, from: $0, at: path + [key]) }
    }
    func judge(_ isFine: Bool, _ key: String, _ value: some Any, _ allowed: String) {
      if !isFine { decoding.note("'\((path + [key]).dotted)' is \(value); allowed: \(allowed)", at: element[key] ?? element, path + [key]) }
    }
    let name = own("name", String.self) ?? ""
    let epochs = own("epochs", Int.self) ?? 0
    let steps = own("steps", Int.self) ?? 0
    judge(!name.isEmpty, "name", "''", "a name")
    judge(!stages.contains { $0.name == name && !name.isEmpty }, "name", name, "a name that no stage before has")
    judge((0...1_000_000).contains(epochs), "epochs", epochs, "1 to 1000000")
    if epochs == 0 { judge((1...most).contains(steps), "steps", steps, "1 to \(most), or epochs instead") }
    judge(epochs == 0 || element["steps"] == nil, "steps", steps, "not to be set with epochs")
    guard (0...most).contains(steps), (0...1_000_000).contains(epochs) else { return nil }

    var tree = base
    if index > 0, let fresh = standard["initialize"] { tree = tree.replacing("initialize", by: fresh) }
    tree = tree.overlaid(by: ConfigNode(content: .mapping(sections), origin: element.origin))
    for (key, value) in [("steps", max(steps, 1)), ("epochs", epochs)] {
      let origin = element[key]?.origin ?? .standard
      tree = tree.setting(["plan", key], to: ConfigNode(content: .scalar(String(value), plain: true), origin: origin))
    }
    let written = (element.entries ?? []).filter { StagedTree.ownKeys.contains($0.key) }
    return Stage(name: name, steps: epochs > 0 ? 0 : steps, epochs: epochs, tree: tree, own: written)
  }

  // MARK: The resolved config

  /// A resolved config with its stages, each with every section that it may change.
  /// - Parameters:
  ///   - config: without stages.
  ///   - configs: of the stages.
  func joined(_ config: ConfigNode, _ configs: [ConfigNode]) -> ConfigNode {
    let elements = zip(stages, configs).map { stage, config in
      let isInEpochs = stage.epochs > 0
      let length = ConfigNode(content: .scalar(String(isInEpochs ? stage.epochs : stage.steps), plain: true), origin: .standard)
      let own = [ConfigNode.Entry(key: "name", keyOrigin: .standard, value: stage.name.configNode),
                 ConfigNode.Entry(key: isInEpochs ? "epochs" : "steps", keyOrigin: .standard, value: length)]
      return ConfigNode(content: .mapping(own + (config.entries ?? []).filter { !fixed.contains($0.key) }), origin: .standard)
    }
    return config.appending("stages", ConfigNode(content: .sequence(elements), origin: .standard))
  }

  /// The tree that tells where the values of the joined config come from.
  var origins: ConfigNode {
    let elements = stages.map { stage in
      ConfigNode(content: .mapping(stage.own + (stage.tree.entries ?? [])), origin: stage.tree.origin)
    }
    return base.appending("stages", ConfigNode(content: .sequence(elements), origin: .standard))
  }
}

extension ConfigNode {
  fileprivate func replacing(_ key: String, by value: ConfigNode) -> ConfigNode {
    guard var entries, let index = entries.firstIndex(where: { $0.key == key }) else { return self }
    entries[index].value = value
    return ConfigNode(content: .mapping(entries), origin: origin)
  }

  fileprivate func appending(_ key: String, _ value: ConfigNode) -> ConfigNode {
    ConfigNode(content: .mapping((entries ?? []) + [Entry(key: key, keyOrigin: .standard, value: value)]), origin: origin)
  }
}

extension [String] {
  /// The path without the stage it lies in: `stages.2.loss.gamma` → `loss.gamma`.
  var withoutStage: ArraySlice<String> { first == "stages" && count > 2 && Int(self[1]) != nil ? dropFirst(2) : self[...] }
}
