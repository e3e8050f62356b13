import Base
import Tensors
import WeightFiles

/// Changes parameters along their gradients.
///
/// ```swift
/// let optimizer = try AdamW(network.parameters())
/// let gradients = loss.gradients()
/// let clip = try clip(gradients, of: optimizer.parameters, to: 1)
/// optimizer.step(gradients, rate: 1e-3, scale: clip.scale)
/// ```
public protocol Optimizer: AnyObject {
  /// What is trained; frozen parameters are not among it.
  var parameters: [TrainedParameter] { get }
  /// Updates made so far.
  var stepCount: Int { get }

  /// One update of all parameters that have a gradient; the others stay as they are.
  /// - Parameters:
  ///   - rate: the learning rate; each parameter's `rateFactor` multiplies it.
  ///   - scale: multiplies all gradients first (gradient clipping).
  func step(_ gradients: Gradients, rate: Double, scale: Double)

  /// Everything that the next update depends on, besides the parameters: named arrays, in the layout of this framework, and the number
  /// of updates in the metadata.
  var state: Safetensors { get }

  /// Continues from a saved state, bit for bit.
  /// - Parameter place: the file, for errors.
  /// - Throws: `.badData` if the state belongs to another optimiser or network.
  func restore(_ state: Safetensors, from place: String) throws
}

extension Optimizer {
  public func step(_ gradients: Gradients, rate: Double) { step(gradients, rate: rate, scale: 1) }
}

extension Gradients {
  /// A step without any gradient would silently train nothing.
  func requireAny(of parameters: [TrainedParameter], _ optimizer: String) {
    require(parameters.isEmpty || parameters.contains { self[$0.parameter] != nil },
      "\(optimizer): none of the parameters has a gradient; were they replaced after the forward pass?")
  }
}

/// One parameter with its own settings.
public struct TrainedParameter {
  public let name: String
  public let parameter: Parameter
  /// Multiplies the learning rate.
  public let rateFactor: Double
  /// Multiplies the weight decay.
  public let decayFactor: Double
}

/// Settings for all parameters whose names fit a pattern.
public struct ParameterRule: Codable, Sendable, Equatable {
  /// For instance `backbone.*` or `*.bias`; `*` stands for any text.
  public var pattern = "*"
  /// Multiplies the learning rate.
  public var rateFactor = 1.0
  /// Multiplies the weight decay; 0 for none.
  public var decayFactor = 1.0

  public init(_ pattern: String = "*", rateFactor: Double = 1, decayFactor: Double = 1) {
    self.pattern = pattern
    self.rateFactor = rateFactor
    self.decayFactor = decayFactor
  }
}

extension TrainedParameter {
  /// Gives every parameter the settings of the first rule that fits its name, or 1 and 1. Frozen parameters are left out.
  /// - Throws: `.usage` if a rule's pattern fits no parameter.
  public static func select(
    _ parameters: [(name: String, parameter: Parameter)], _ rules: [ParameterRule] = []
  ) throws -> [TrainedParameter] {
    for rule in rules { _ = try NamePattern(rule.pattern).select(parameters) }
    return parameters.filter { !$0.parameter.isFrozen }.map { name, parameter in
      let rule = rules.first { NamePattern($0.pattern).matches(name) } ?? ParameterRule()
      return TrainedParameter(name: name, parameter: parameter, rateFactor: rule.rateFactor, decayFactor: rule.decayFactor)
    }
  }
}
