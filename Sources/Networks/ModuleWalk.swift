import Base
import Tensors

/// One pass over all stored properties of a module: the only reflection in the framework.
struct ModuleWalk {
  private(set) var leaves: [(name: String, leaf: ModuleLeaf)] = []
  /// Further names of leaves that were already seen, with the first name.
  private(set) var aliases: [(alias: String, name: String)] = []
  /// The names of leaves and aliases, in the order of declaration.
  private(set) var names: [String] = []
  private var firstNames: [ObjectIdentifier: String] = [:]

  init(_ module: some Module) {
    visit(module, [])
    require(Set(leaves.map(\.name)).count == leaves.count,
      "\(type(of: module)): two parameters have one name; check checkpointNames: \(leaves.map(\.name))")
  }

  private mutating func visit(_ value: Any, _ path: [String]) {
    if let leaf = ModuleLeaf(value) { return record(leaf, path.joined(separator: ".")) }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case nil: return  // numbers, strings, closures
    case .optional, .enum: for child in mirror.children { visit(child.value, path) }
    case .collection:
      for (i, child) in mirror.children.enumerated() { visit(child.value, path + [(child.value as? any NamedModule)?.name ?? "\(i)"]) }
    case .struct where value is any Module:
      let names = (value as? any Module).map { type(of: $0).checkpointNames } ?? [:]
      for child in mirror.children {
        let label = child.label ?? ""
        let component = names[label] ?? label.snakeCased
        visit(child.value, component.isEmpty ? path : path + [component])
      }
    default:
      require(!Self.holdsLayers(value), "\(path.joined(separator: ".")): layers inside a \(type(of: value)) are not found by name; "
        + "use a struct that conforms to Module, an array, an optional or an enum")
    }
  }

  private mutating func record(_ leaf: ModuleLeaf, _ name: String) {
    names.append(name)
    if let first = firstNames[leaf.identity] {
      aliases.append((name, first))
    } else {
      firstNames[leaf.identity] = name
      leaves.append((name, leaf))
    }
  }

  /// Looks a few levels deep only, because objects may refer to each other in circles.
  private static func holdsLayers(_ value: Any, levels: Int = 6) -> Bool {
    if value is any Module || ModuleLeaf(value) != nil { return true }
    return levels > 0 && Mirror(reflecting: value).children.contains { holdsLayers($0.value, levels: levels - 1) }
  }
}
