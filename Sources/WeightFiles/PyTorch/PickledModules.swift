import Base
import Tensors

/// A storage inside a pickle: the bytes of a whole file of torch.save's older form, which `torch.storage._load_from_bytes` would load.
struct EmbeddedStorage {
  /// Its key in the outer file.
  let key: String
  let type: ElementType
  let count: Int
}

/// Finds the networks of a snapshot that Python's own pickler wrote, as StyleGAN2-ADA, CoModGAN and MAT publish them: a dictionary
/// `{G, D, G_ema, …}` of whole modules.
///
/// Modules are stored through a hook, `torch_utils.persistence._reconstruct_persistent_obj(meta)`, whose `meta` holds the source of the
/// defining file, to be executed, and the attributes of the module. Of these, the tensors of `_parameters`, `_buffers` and `_modules` are
/// taken; the source is never looked at. A pickle that names anything but what such snapshots need is refused.
struct PickledModules {
  /// The key of the network that counts.
  static let movingAverage = "G_ema"
  private static let hook = "torch_utils.persistence._reconstruct_persistent_obj"
  static let loader = "torch.storage._load_from_bytes"

  private let pickle: Pickle
  private let file: String
  private let tensors: PickledTensors

  init(_ file: PyTorchFile) {
    pickle = file.pickle
    self.file = file.name
    tensors = PickledTensors(file.pickle, file: file.name, embedded: file.embedded)
  }

  private func failure(_ problem: String) -> Failure { Failure(.badData, at: file, problem) }

  /// The networks under their keys, or the only one under the empty path.
  /// - Throws: `.badData` if a module or a tensor makes no sense.
  func networks() throws -> [TensorDictionary] {
    if let attributes = attributes(of: pickle.root) { return [TensorDictionary(path: "", others: [], views: try views(attributes))] }
    return try (tensors.items(of: pickle.root) ?? []).compactMap { item in
      guard case .text(let key) = pickle[item.key], let attributes = attributes(of: item.value) else { return nil }
      return TensorDictionary(path: key, others: [], views: try views(attributes))
    }
  }

  /// The attributes of a module; nil for other values.
  private func attributes(of reference: Pickle.Reference) -> Pickle.Reference? {
    guard case .object(let object) = pickle[reference] else { return nil }
    var state = object.state
    if tensors.maker(of: reference) == Self.hook {
      guard case .tuple(let arguments) = pickle[object.arguments], arguments.count == 1,
            let kind = value("type", of: arguments[0]), case .text("class") = pickle[kind] else { return nil }
      state = value("state", of: arguments[0])
    }
    guard let state, value("_modules", of: state) != nil, value("_parameters", of: state) != nil else { return nil }
    return state
  }

  private func value(_ key: String, of reference: Pickle.Reference) -> Pickle.Reference? {
    (tensors.items(of: reference) ?? []).last { if case .text(key) = pickle[$0.key] { true } else { false } }?.value
  }

  /// The tensors of a module and of those inside it, by their names in its state dictionary and in that order.
  private func views(_ attributes: Pickle.Reference) throws -> [(name: String, view: TensorView)] {
    var views: [(name: String, view: TensorView)] = []
    var modules = 0
    func visit(_ attributes: Pickle.Reference, _ prefix: String, depth: Int) throws {
      modules += 1
      guard depth <= PyTorchFile.deepest else { throw failure("the modules are nested more than \(PyTorchFile.deepest) deep") }
      guard modules <= PyTorchFile.mostDictionaries else { throw failure("more than \(PyTorchFile.mostDictionaries) modules in a network") }
      let temporary = temporaryBuffers(attributes)
      for group in ["_parameters", "_buffers"] {
        for (key, reference) in try children(group, of: attributes) where !(group == "_buffers" && temporary.contains(key)) {
          if case .none = pickle[reference] { continue }
          guard let view = try tensors.tensor(reference) else { throw failure("'\(prefix)\(key)' in \(group) is no tensor") }
          views.append((prefix + key, view))
        }
      }
      for (key, reference) in try children("_modules", of: attributes) {
        if case .none = pickle[reference] { continue }
        guard let inner = self.attributes(of: reference) else { throw failure("'\(prefix)\(key)' in _modules is no module") }
        try visit(inner, "\(prefix)\(key).", depth: depth + 1)
      }
    }
    try visit(attributes, "", depth: 0)
    return views
  }

  private func children(_ group: String, of attributes: Pickle.Reference) throws -> [(key: String, reference: Pickle.Reference)] {
    guard let reference = value(group, of: attributes) else { return [] }
    guard let items = tensors.items(of: reference) else { throw failure("\(group) of a module is no dictionary") }
    return try items.map { item in
      guard case .text(let key) = pickle[item.key] else { throw failure("a key in \(group) of a module is no text") }
      return (key, item.value)
    }
  }

  /// The buffers that PyTorch leaves out of a state dictionary.
  private func temporaryBuffers(_ attributes: Pickle.Reference) -> Set<String> {
    guard let set = value("_non_persistent_buffers_set", of: attributes) else { return [] }
    var references = tensors.elements(of: set)
    if case .object(let object) = pickle[set], case .tuple(let arguments) = pickle[object.arguments] {  // set([...]), before protocol 4
      references += arguments.flatMap { tensors.elements(of: $0) }
    }
    return Set(references.compactMap { if case .text(let name) = pickle[$0] { name } else { nil } })
  }
}

// MARK: - What a snapshot may name

extension PickledModules {
  private static let known: [String: Set<String>] = [
    "torch_utils.persistence": ["_reconstruct_persistent_obj"],
    "dnnlib.util": ["EasyDict"], "dnnlib": ["EasyDict"],
    "collections": ["OrderedDict"],
    "torch._utils": ["_rebuild_parameter", "_rebuild_parameter_with_state", "_rebuild_tensor", "_rebuild_tensor_v2"],
    "torch.storage": ["_load_from_bytes"],
    "torch": Set(["Size", "device"] + ElementType.allCases.flatMap { [$0.torchStorage, $0.torchName] }),
    "builtins": ["set", "frozenset", "slice", "complex", "range"], "__builtin__": ["set", "frozenset", "slice", "complex", "xrange"],
    "numpy.core.multiarray": ["scalar", "_reconstruct"], "numpy._core.multiarray": ["scalar", "_reconstruct"],
    "numpy": ["dtype", "ndarray", "float16", "float32", "float64", "int32", "int64", "bool_"],
  ]

  /// Refuses a pickle that names other classes or functions than those of networks and their settings.
  static func requireKnownNames(_ pickle: Pickle, file: String) throws {
    var unknown: [String] = []
    for case .global(let module, let name) in pickle.nodes where known[module]?.contains(name) != true {
      let isLayer = module.hasPrefix("torch.nn.") && module.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._".contains($0)) }
      let text = "\(module).\(name)"
      if !isLayer, !unknown.contains(text), unknown.count <= 5 { unknown.append(text) }
    }
    guard !unknown.isEmpty else { return }
    let names = someOf(unknown, atMost: 5)
    throw Failure(.badData, at: file, "the pickle names what a snapshot of networks does not need: \(names); nothing was run",
                  remedy: "If you trust the file, load it in Python and save the tensors: torch.save(G_ema.state_dict(), PATH).")
  }
}

extension ElementType {
  /// PyTorch's name of the type, as in `torch.float32`.
  var torchName: String {
    switch self {
    case .bool: "bool"
    case .uint8: "uint8"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .float32: "float32"
    case .float64: "float64"
    }
  }
}

extension PyTorchFile {
  /// A pickle with its storages inside.
  static func readSnapshot(_ bytes: [UInt8], _ name: String) throws -> (Pickle, [String: Storage], [Pickle.Reference: EmbeddedStorage]) {
    let pickle = try PickleReader.read(bytes, bytes.indices, file: name)
    guard pickle.end == bytes.count else {
      throw Failure(.badData, at: name, "\(bytes.count - pickle.end) bytes follow the end of the pickle")
    }
    try PickledModules.requireKnownNames(pickle, file: name)
    let tensors = PickledTensors(pickle, file: name)
    var storages: [String: Storage] = [:]
    var embedded: [Pickle.Reference: EmbeddedStorage] = [:]
    var loaded: [String: EmbeddedStorage] = [:]
    for reference in pickle.nodes.indices where tensors.maker(of: reference) == PickledModules.loader {
      guard case .object(let object) = pickle[reference], case .tuple(let arguments) = pickle[object.arguments], arguments.count == 1,
            case .bytes(let range) = pickle[arguments[0]] else {
        throw Failure(.badData, at: name, "an embedded storage is loaded from something else than bytes")
      }
      let key = "byte \(range.lowerBound)"
      if let known = loaded[key] {
        embedded[reference] = known
        continue
      }
      let (inner, parts) = try readLegacy(bytes, range, name)
      guard let storage = try PickledTensors(inner, file: name).onlyStorage(), let part = parts[storage.key] else {
        throw Failure(.badData, at: name, "an embedded file of torch.save holds something else than one storage")
      }
      storages[key] = part
      loaded[key] = EmbeddedStorage(key: key, type: storage.type, count: storage.count)
      embedded[reference] = loaded[key]
    }
    guard !embedded.isEmpty else {
      throw Failure(.badData, at: name, "this is a pickle without networks in it: torch.save did not write it",
                    remedy: "Save the tensors with torch.save(model.state_dict(), PATH).")
    }
    return (pickle, storages, embedded)
  }
}
