import Base
import Tensors
import WeightFiles

/// A part of a run that a checkpoint holds: the weights of a network, an optimiser, a moving average.
public protocol Savable {
  /// Everything that the next step needs of this part: named arrays and short texts.
  func saved() -> Safetensors

  /// Continues from a saved state, bit for bit.
  /// - Parameter origin: the file, for errors.
  /// - Throws: `.badData` if the state belongs to something else; nothing is changed then.
  func restore(_ state: Safetensors, from origin: String) throws

  /// The name of an array that holds a NaN or an infinity, if one does.
  var nonFiniteName: String? { get }
}

extension Savable {
  public var nonFiniteName: String? { nil }
}

/// The weights of a network as a part of a checkpoint, in official names and shapes.
public struct Weights: Savable {
  public let module: any Module

  public init(of module: any Module) { self.module = module }

  public func saved() -> Safetensors { module.stateDictionary().safetensors() }

  public func restore(_ state: Safetensors, from origin: String) throws { try module.load(StateDictionary(state), from: origin) }

  public var nonFiniteName: String? { module.parameters().first { !$0.parameter.value.isFinite }?.name }
}
