import Base
import Tensors

/// A dictionary with tensors inside a file of PyTorch.
public struct TensorDictionary: Sendable {
  /// Its path: the keys that lead to it, joined by dots; empty for the file's own value.
  public let path: String
  /// The names of its tensors, in the file's order.
  public var names: [String] { views.map(\.name) }
  /// The keys of what is no tensor in it.
  public let others: [String]
  let views: [(name: String, view: TensorView)]
}

extension PyTorchFile {
  /// Lists, dictionaries and objects within each other, and dictionaries with tensors, at most.
  static let deepest = 100
  static let mostDictionaries = 10_000

  /// All dictionaries with tensors, those of optimisers left out; the outermost first.
  /// - Throws: `.badData` if a tensor's description makes no sense, or values are nested too deeply.
  public func dictionaries() throws -> [TensorDictionary] {
    if isSnapshot { return try PickledModules(self).networks() }
    let tensors = PickledTensors(pickle, file: name)
    var found: [TensorDictionary] = []
    var known: [Pickle.Reference: TensorView] = [:]
    // Breadth first, each value once, so that shared and circular values end. The way back gives the path.
    var visited: [(parent: Int, key: String, reference: Pickle.Reference, depth: Int)] = [(-1, "", pickle.root, 0)]
    var seen: Set<Pickle.Reference> = [pickle.root]
    var place = 0
    while place < visited.count {
      let (reference, depth) = (visited[place].reference, visited[place].depth)
      guard depth <= Self.deepest else { throw Failure(.badData, at: name, "the values are nested more than \(Self.deepest) deep") }
      var views: [(name: String, view: TensorView)] = []
      var others: [String] = []
      for child in children(of: reference, tensors) {
        if let view = try known[child.value] ?? tensors.tensor(child.value) {
          known[child.value] = view
          if child.isItem { views.append((child.key, view)) }
        } else {
          if child.isItem { others.append(child.key) }
          if seen.insert(child.value).inserted { visited.append((place, child.key, child.value, depth + 1)) }
        }
      }
      if !views.isEmpty {
        guard found.count < Self.mostDictionaries else {
          throw Failure(.badData, at: name, "more than \(Self.mostDictionaries) dictionaries of tensors")
        }
        let path = path(to: place, in: visited.lazy.map { (parent: $0.parent, key: $0.key) })
        found.append(TensorDictionary(path: path, others: others, views: views))
      }
      place += 1
    }
    return found
  }

  /// The keys on the way to a value, joined by dots.
  private func path(to place: Int, in visited: some RandomAccessCollection<(parent: Int, key: String)>) -> String {
    var keys: [String] = []
    var place = place
    while place > 0 {
      let step = visited[visited.index(visited.startIndex, offsetBy: place)]
      keys.append(String(step.key.prefix(100)))
      place = step.parent
    }
    return String(keys.reversed().joined(separator: ".").prefix(1000))
  }

  /// Something that a value holds: an item of a dictionary, an element of a list, or the attributes of an object.
  private struct Child {
    let key: String
    let value: Pickle.Reference
    var isItem = false
  }

  /// The tensors in a value; none for the state of an optimiser.
  private func children(of reference: Pickle.Reference, _ tensors: PickledTensors) -> [Child] {
    var children = tensors.elements(of: reference).enumerated().map { Child(key: "\($0)", value: $1) }
    if case .object(let object) = pickle[reference], let state = object.state { children.append(Child(key: "__dict__", value: state)) }
    let items = (tensors.items(of: reference) ?? []).map { Child(key: text($0.key), value: $0.value, isItem: true) }
    let isOptimizer = items.contains { $0.key == "param_groups" } && items.contains { $0.key == "state" }
    return isOptimizer ? children : children + items
  }

  private func text(_ key: Pickle.Reference) -> String {
    switch pickle[key] {
    case .text(let text): text
    case .integer(let number): "\(number)"
    default: "?"
    }
  }

  /// The tensors of one dictionary.
  /// - Parameters:
  ///   - key: its path; nil for the file's own value or, if that is no dictionary of tensors alone, the only such dictionary inside; of a
  ///     snapshot `G_ema`, the moving average of the generator, if there is one.
  ///   - warn: told what is left out.
  /// - Throws: `.badData` if there is no such dictionary, or several, or one of its tensors is damaged; `.usage` if the key leads nowhere.
  public func stateDictionary(key: String? = nil, warn: (String) -> Void = { _ in }) throws -> StateDictionary {
    let chosen = try dictionary(key)
    if !chosen.others.isEmpty {
      warn("\(name.printable()): left out, as they are no tensors: \(someOf(chosen.others, atMost: 12))")
    }
    var entries: [Safetensors.Entry] = []
    var aliases: [String: String] = [:]
    var names: [TensorView: String] = [:]
    var seen: Set<String> = []
    var budget = 4 << 20 + 8 * bytes.count
    for (name, view) in chosen.views {
      guard seen.insert(name).inserted else { throw Failure(.badData, at: self.name, "two tensors are named '\(name)'") }
      if let first = names[view], view.count > 0 {  // the same elements of the same storage
        aliases[name] = first
        continue
      }
      names[view] = name
      budget -= view.count * view.type.size
      guard budget >= 0 else {
        throw Failure(.badData, at: self.name, "the tensors repeat their storages so often that they are many times larger than the file; "
          + "'\(name)' of shape \(view.shape) is one of them", remedy: "Save what .expand() made as .clone().")
      }
      entries.append(try entry(name, view))
    }
    return StateDictionary(entries, aliases: aliases)
  }

  private func dictionary(_ key: String?) throws -> TensorDictionary {
    let all = try dictionaries()
    let list = all.prefix(12).map { dictionary in
      "  \(dictionary.path.isEmpty ? "(the whole file)" : dictionary.path): \(dictionary.views.count) tensors"
        + (dictionary.others.isEmpty ? "" : " and other things (\(someOf(dictionary.others, atMost: 3)))")
    } + (all.count > 12 ? ["  ... \(all.count) in all"] : [])
    if let key {
      guard let chosen = all.first(where: { $0.path == key }) else {
        throw Failure(.usage, at: name, "there is no dictionary of tensors under '\(key)'; there are:\(list.isEmpty ? " none" : "")",
                      items: list)
      }
      return chosen
    }
    if isSnapshot, let average = all.first(where: { $0.path == PickledModules.movingAverage }) { return average }
    let pure = all.filter(\.others.isEmpty)
    if let root = pure.first, root.path.isEmpty || pure.count == 1 { return root }
    guard !all.isEmpty else {
      throw Failure(.badData, at: name, "there is no dictionary of tensors in it",
                    remedy: "Save one: torch.save(model.state_dict(), PATH).")
    }
    throw Failure(.badData, at: name, "it is not clear which dictionary of tensors is meant; there are:", items: list,
                  remedy: all.contains { $0.path.hasSuffix("_parameters") }
                    ? "The file holds a whole module, with its code. In PyTorch: torch.save(model.state_dict(), PATH)."
                    : "Choose one with apus convert IN OUT --key PATH.")
  }

  /// Copies a tensor's elements out of its storage.
  private func entry(_ name: String, _ view: TensorView) throws -> Safetensors.Entry {
    let size = view.type.size
    guard view.count > 0 else {
      return Safetensors.Entry(name, type: view.type, shape: view.shape, bytes: UnsafeRawBufferPointer(start: nil, count: 0))
    }
    guard let storage = storages[view.storage] else {
      throw Failure(.badData, at: self.name, "the storage '\(view.storage)' of '\(name)' is not in the file")
    }
    let count = storage.range.count / size
    guard view.storageCount == storage.count ?? count else {
      throw Failure(.badData, at: self.name, "the storage '\(view.storage)' of '\(name)' is said to have \(view.storageCount) elements "
        + "of \(size) bytes, the file holds \(storage.range.count) bytes")
    }
    return bytes.withUnsafeBytes { whole in
      let memory = UnsafeRawBufferPointer(rebasing: whole[storage.range])
      if view.isContiguous {
        let range = view.offset * size..<(view.offset + view.count) * size
        return Safetensors.Entry(name, type: view.type, shape: view.shape, bytes: UnsafeRawBufferPointer(rebasing: memory[range]))
      }
      let gathered = view.gathered(from: memory)
      return gathered.withUnsafeBytes { Safetensors.Entry(name, type: view.type, shape: view.shape, bytes: $0) }
    }
  }
}

extension TensorView {
  /// The elements in row-major order.
  /// - Precondition: the view lies within `memory`, and has elements.
  fileprivate func gathered(from memory: UnsafeRawBufferPointer) -> [UInt8] {
    let size = type.size
    var bytes: [UInt8] = []
    var index = Array(repeating: 0, count: shape.count)
    var place = offset
    bytes.reserveCapacity(count * size)
    while true {
      bytes.append(contentsOf: memory[place * size..<(place + 1) * size])
      var axis = shape.count - 1
      while axis >= 0, index[axis] == shape[axis] - 1 {
        place -= index[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
      guard axis >= 0 else { return bytes }
      index[axis] += 1
      place += strides[axis]
    }
  }
}
