import Base
import Tensors

/// A tensor as a pickle describes it: a view of a storage.
struct TensorView: Hashable {
  let storage: String
  let type: ElementType
  /// Elements that the storage is said to have.
  let storageCount: Int
  /// Elements before the first.
  let offset: Int
  let shape: [Int]
  /// Elements from one to the next, for each axis.
  let strides: [Int]

  /// The number of elements. It was counted without overflow when the view was read.
  var count: Int { shape.reduce(1, *) }

  /// Whether the elements lie one after the other in row-major order.
  var isContiguous: Bool {
    var expected = 1
    for (length, stride) in zip(shape, strides).reversed() where length != 1 {
      if stride != expected { return false }
      expected *= length
    }
    return true
  }
}

/// Finds the tensors of a pickle by the shape of the calls that would make them.
struct PickledTensors {
  private let pickle: Pickle
  private let file: String
  private let embedded: [Pickle.Reference: EmbeddedStorage]

  /// - Parameter embedded: the storages that stand inside the pickle, by the calls that would load them.
  init(_ pickle: Pickle, file: String, embedded: [Pickle.Reference: EmbeddedStorage] = [:]) {
    self.pickle = pickle
    self.file = file
    self.embedded = embedded
  }

  private func failure(_ problem: String) -> Failure { Failure(.badData, at: file, problem) }

  /// `module.name` of the function or class that an object would be made by; nil for other values.
  func maker(of reference: Pickle.Reference) -> String? {
    guard case .object(let object) = pickle[reference], case .global(let module, let name) = pickle[object.callable] else { return nil }
    return "\(module).\(name)"
  }

  /// The tensor that a value stands for; nil if it is something else.
  /// - Throws: `.badData` if it is a tensor whose description makes no sense.
  func tensor(_ reference: Pickle.Reference) throws -> TensorView? {
    var reference = reference
    for _ in 0..<4 {  // a parameter around a subclass around a tensor
      guard let maker = maker(of: reference), case .object(let object) = pickle[reference],
            case .tuple(let arguments) = pickle[object.arguments] else { return nil }
      switch maker {
      case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor": return try view(arguments)
      case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
        guard let data = arguments.first else { throw failure("a parameter has no data") }
        reference = data
      default: return nil
      }
    }
    throw failure("a parameter is nested in parameters")
  }

  private func view(_ arguments: [Pickle.Reference]) throws -> TensorView {
    guard arguments.count >= 4, let storage = try storage(of: arguments[0]), case .integer(let offset) = pickle[arguments[1]] else {
      throw failure("a tensor is described by other things than storage, offset, size and stride")
    }
    guard let shape = integers(arguments[2]), let strides = integers(arguments[3]), shape.count == strides.count, shape.count <= 16 else {
      throw failure("a tensor's size and stride are no two tuples of equally many whole numbers, at most 16")
    }
    func view() -> String { "a tensor of shape \(shape), strides \(strides) and offset \(offset)" }
    guard offset >= 0, (shape + strides).allSatisfy({ $0 >= 0 }) else { throw failure("\(view()) has negative numbers") }
    var count = 1
    var last = offset
    var isSound = true
    func checked(_ result: (partialValue: Int, overflow: Bool)) -> Int {
      isSound = isSound && !result.overflow
      return result.partialValue
    }
    for length in shape where length != 0 { count = checked(count.multipliedReportingOverflow(by: length)) }
    count = checked(count.multipliedReportingOverflow(by: 8))  // the bytes can be counted, too
    if !shape.contains(0) {
      for (length, stride) in zip(shape, strides) {
        last = checked(last.addingReportingOverflow(checked((length - 1).multipliedReportingOverflow(by: stride))))
      }
      guard isSound, last < storage.count else { throw failure("\(view()) reaches beyond its storage of \(storage.count) elements") }
    }
    guard isSound, offset <= storage.count else { throw failure("\(view()) does not lie in its storage of \(storage.count) elements") }
    return TensorView(storage: storage.key, type: storage.type, storageCount: storage.count, offset: offset, shape: shape, strides: strides)
  }

  private func storage(of reference: Pickle.Reference) throws -> (key: String, type: ElementType, count: Int)? {
    if case .persistent(let identity) = pickle[reference] { return try storage(identity) }
    return embedded[reference].map { ($0.key, $0.type, $0.count) }
  }

  /// The storage that a pickle with nothing but one is about; nil if it is about something else.
  func onlyStorage() throws -> (key: String, type: ElementType, count: Int)? { try storage(of: pickle.root) }

  /// `('storage', torch.FloatStorage, key, location, elements)`, with a sixth element in the older form.
  private func storage(_ identity: Pickle.Reference) throws -> (key: String, type: ElementType, count: Int) {
    guard case .tuple(let parts) = pickle[identity], (5...6).contains(parts.count), case .text("storage") = pickle[parts[0]],
          case .global(let module, let name) = pickle[parts[1]], case .text(let key) = pickle[parts[2]],
          case .integer(let count) = pickle[parts[4]], count >= 0 else {
      throw failure("a storage is identified by other things than its type, key, location and number of elements")
    }
    guard module == "torch", let type = ElementType(torchStorage: name) else {
      let known = ElementType.allCases.map { "torch.\($0.torchStorage)" }.joined(separator: ", ")
      throw failure("a storage is of the type \(module).\(name); known: \(known)")
    }
    if parts.count == 6 {
      guard case .none = pickle[parts[5]] else {
        throw failure("the storage '\(key)' is a part of another one, as PyTorch wrote them before 0.4")
      }
    }
    return (key, type, count)
  }

  /// A tuple (or `torch.Size`) of whole numbers.
  private func integers(_ reference: Pickle.Reference) -> [Int]? {
    var reference = reference
    if maker(of: reference) == "torch.Size", case .object(let object) = pickle[reference],
       case .tuple(let parts) = pickle[object.arguments], parts.count == 1 { reference = parts[0] }
    guard case .tuple(let parts) = pickle[reference] else { return nil }
    var numbers: [Int] = []
    for part in parts {
      guard case .integer(let number) = pickle[part] else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  /// Keys and values of a dictionary, or of an object that stands for one; nil for other values.
  func items(of reference: Pickle.Reference) -> [(key: Pickle.Reference, value: Pickle.Reference)]? {
    if let items = pickle.items[reference] { return stride(from: 0, to: items.count, by: 2).map { (items[$0], items[$0 + 1]) } }
    if case .dictionary = pickle[reference] { return [] }
    // As Python 2 wrote it: OrderedDict([[key, value], ...]).
    guard maker(of: reference) == "collections.OrderedDict", case .object(let object) = pickle[reference],
          case .tuple(let arguments) = pickle[object.arguments], arguments.count == 1 else { return nil }
    return elements(of: arguments[0]).compactMap { pair in
      let parts = elements(of: pair)
      return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
  }

  /// The elements of a tuple, list or object that stands for one.
  func elements(of reference: Pickle.Reference) -> [Pickle.Reference] {
    if case .tuple(let elements) = pickle[reference] { elements } else { pickle.elements[reference] ?? [] }
  }

  /// The bytes of one element of every storage that the pickle names.
  func elementSizes() throws -> [String: Int] {
    var sizes: [String: Int] = [:]
    for node in pickle.nodes {
      guard case .persistent(let identity) = node else { continue }
      let storage = try storage(identity)
      guard sizes.updateValue(storage.type.size, forKey: storage.key) ?? storage.type.size == storage.type.size else {
        throw failure("the storage '\(storage.key)' is used with elements of different sizes")
      }
    }
    return sizes
  }
}

extension ElementType {
  /// PyTorch's class for memory of this type.
  var torchStorage: String {
    switch self {
    case .bool: "BoolStorage"
    case .uint8: "ByteStorage"
    case .int8: "CharStorage"
    case .int16: "ShortStorage"
    case .int32: "IntStorage"
    case .int64: "LongStorage"
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    case .float32: "FloatStorage"
    case .float64: "DoubleStorage"
    }
  }

  init?(torchStorage name: String) {
    guard let type = ElementType.allCases.first(where: { $0.torchStorage == name }) else { return nil }
    self = type
  }
}
