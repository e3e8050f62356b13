import Base

/// The keys of older configs with their names of today: `learning.clip_norm` → `optimizer.clip_norm`; `*.visible_only` stands for a key in
/// any section. Old keys stay valid, and whoever uses them is told the new ones.
struct RenamedKeys {
  private let table: [(old: [String], new: [String])]
  private let anywhere: [String: String]

  init(_ names: [String: String]) {
    anywhere = Dictionary(uniqueKeysWithValues: names.filter { $0.key.hasPrefix("*.") }.map { (String($0.key.dropFirst(2)), $0.value) })
    // Sections before what lies in them, so that a list that moved finds its own keys under the new name.
    table = names.filter { !$0.key.hasPrefix("*.") }.map { ($0.key.components, $0.value.components) }
      .sorted { ($0.old.count, $0.old.joined(separator: ".")) < ($1.old.count, $1.old.joined(separator: ".")) }
  }

  /// One layer of a config under the names of today. Where both names are written the old one stays, and is reported when decoded.
  /// - Parameter found: told each old key, its place and its new name.
  func modernized(_ layer: ConfigNode, found: (_ old: String, _ origin: ConfigOrigin, _ new: String) -> Void) -> ConfigNode {
    var layer = renamedAnywhere(layer, found)
    for (old, new) in table { layer = moved(old, new, in: layer, found) }
    guard let stages = layer["stages"]?.elements else { return layer }
    let own = stages.map { stage in table.reduce(stage) { moved($1.old, $1.new, in: $0, found) } }
    return layer.replacing("stages", with: .sequence(own))
  }

  /// The key of an option such as `--set learning.clip_norm=1`, under its name of today.
  func modernized(_ override: ConfigOverride) -> ConfigOverride {
    let path = override.key.components
    let own = path.withoutStage
    let stage = path.prefix(path.count - own.count)
    if let (_, new) = table.first(where: { $0.old[...] == own }) { return override.renamed((stage + new).joined(separator: ".")) }
    guard let last = path.last, let new = anywhere[last] else { return override }
    return override.renamed((path.dropLast() + [new]).joined(separator: "."))
  }

  private func moved(_ old: [String], _ new: [String], in tree: ConfigNode, _ found: (String, ConfigOrigin, String) -> Void) -> ConfigNode {
    // A key of the elements of a list, which stays where it is.
    if let parent = tree.node(at: old.dropLast()), let elements = parent.elements, old.dropLast() == new.dropLast(),
       let last = old.last, let name = new.last {
      let renamed = elements.map { element in
        element.renaming([last: name]) { found(old.joined(separator: "."), $0, new.joined(separator: ".")) }
      }
      return tree.setting(old.dropLast()[...], toContent: .sequence(renamed))
    }
    guard let (rest, entry) = tree.taking(old[...]), tree.node(at: new) == nil else { return tree }
    found(old.joined(separator: "."), entry.keyOrigin, new.joined(separator: "."))
    return rest.setting(new[...], to: entry.value)
  }

  private func renamedAnywhere(_ tree: ConfigNode, _ found: (String, ConfigOrigin, String) -> Void) -> ConfigNode {
    guard !anywhere.isEmpty else { return tree }
    var tree = tree
    switch tree.content {
    case .scalar: return tree
    case .sequence(let elements): tree.content = .sequence(elements.map { renamedAnywhere($0, found) })
    case .mapping(let entries):
      tree.content = .mapping(entries.map { entry in
        var entry = entry
        entry.value = renamedAnywhere(entry.value, found)
        return entry
      })
      for (old, new) in anywhere { tree = tree.renaming([old: new]) { found(old, $0, new) } }
    }
    return tree
  }
}

extension String {
  fileprivate var components: [String] { split(separator: ".").map(String.init) }
}

extension ConfigOverride {
  fileprivate func renamed(_ key: String) -> ConfigOverride { ConfigOverride(key: key, value: value, option: option) }
}

extension ConfigNode {
  /// This map with other names for some keys; a key whose new name is there already stays.
  fileprivate func renaming(_ names: [String: String], found: (ConfigOrigin) -> Void) -> ConfigNode {
    guard var entries else { return self }
    for index in entries.indices {
      guard let name = names[entries[index].key], self[name] == nil else { continue }
      found(entries[index].keyOrigin)
      entries[index].key = name
    }
    return ConfigNode(content: .mapping(entries), origin: origin)
  }

  /// The entry at a path, and this tree without it and without the maps that are empty then; nil if there is none.
  fileprivate func taking(_ path: ArraySlice<String>) -> (rest: ConfigNode, entry: Entry)? {
    guard let key = path.first, var entries, let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
    if path.count == 1 {
      let entry = entries.remove(at: index)
      return (ConfigNode(content: .mapping(entries), origin: origin), entry)
    }
    guard let (rest, entry) = entries[index].value.taking(path.dropFirst()) else { return nil }
    if rest.entries?.isEmpty == true { entries.remove(at: index) } else { entries[index].value = rest }
    return (ConfigNode(content: .mapping(entries), origin: origin), entry)
  }

  fileprivate func replacing(_ key: String, with content: Content) -> ConfigNode {
    setting([key], toContent: content)
  }

  /// This tree with other content at a path that exists.
  fileprivate func setting(_ path: ArraySlice<String>, toContent content: Content) -> ConfigNode {
    guard let key = path.first else { return ConfigNode(content: content, origin: origin) }
    guard var entries, let index = entries.firstIndex(where: { $0.key == key }) else { return self }
    entries[index].value = entries[index].value.setting(path.dropFirst(), toContent: content)
    return ConfigNode(content: .mapping(entries), origin: origin)
  }
}
