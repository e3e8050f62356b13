import Tensors
import WeightFiles

/// The leaves of a module's tree.
enum ModuleLeaf {
  case parameter(Parameter), buffer(Buffer), counter(Counter)

  init?(_ value: Any) {
    switch value {
    case let parameter as Parameter: self = .parameter(parameter)
    case let buffer as Buffer: self = .buffer(buffer)
    case let counter as Counter: self = .counter(counter)
    default: return nil
    }
  }

  var identity: ObjectIdentifier {
    switch self {
    case .parameter(let parameter): ObjectIdentifier(parameter)
    case .buffer(let buffer): ObjectIdentifier(buffer)
    case .counter(let counter): ObjectIdentifier(counter)
    }
  }
}

// MARK: - Values

extension ModuleLeaf {
  /// The current plain value; nil for counters.
  var value: Tensor? {
    switch self {
    case .parameter(let parameter): parameter.value.detached()
    case .buffer(let buffer): buffer.value
    case .counter: nil
    }
  }

  var layout: WeightLayout {
    switch self {
    case .parameter(let parameter): parameter.layout
    case .buffer(let buffer): buffer.layout
    case .counter: .plain
    }
  }

  func assign(_ value: Tensor?) {
    guard let value else { return }
    switch self {
    case .parameter(let parameter): parameter.value = value
    case .buffer(let buffer): buffer.value = value
    case .counter: break
    }
  }
}

// MARK: - Official files

extension ModuleLeaf {
  func entry(named name: String) -> Safetensors.Entry {
    switch self {
    case .parameter(let parameter): .init(name, parameter.layout.official(parameter.value))
    case .buffer(let buffer): .init(name, buffer.layout.official(buffer.value))
    case .counter(let counter): .init(name, integers: [Int64(counter.value)], shape: [])
    }
  }

  var officialShape: [Int] {
    switch self {
    case .parameter(let parameter): parameter.layout.officialShape(parameter.shape)
    case .buffer(let buffer): buffer.layout.officialShape(buffer.value.shape)
    case .counter: []
    }
  }

  /// Takes over an array of the right shape, in this leaf's own precision. Integers serve as real numbers and the other way round.
  func load(_ entry: Safetensors.Entry) {
    let tensor = entry.tensor ?? Tensor((entry.integers ?? []).map(Double.init), shape: entry.shape, precision: .float64)
    switch self {
    case .parameter(let parameter): parameter.value = parameter.layout.native(tensor).converted(to: parameter.precision)
    case .buffer(let buffer): buffer.value = buffer.layout.native(tensor).converted(to: buffer.value.precision)
    case .counter(let counter): counter.value = entry.integers.map { Int($0[0]) } ?? Int(exactly: tensor.item.rounded()) ?? 0
    }
  }
}
