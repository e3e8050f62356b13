import Base
import Tensors
import WeightFiles

/// Changes parameters along their gradients.
///
/// ```swift
/// let optimizer = try AdamW(network.parameters())
/// let gradients = loss.gradients()
/// let clip = try clip(gradients, of: optimizer.parameters, to: 1)
/// optimizer.step(gradients, learningRate: 1e-3, scale: clip.scale)
/// ```
public protocol Optimizer: AnyObject, Savable {
  /// The trained parameters, without frozen ones.
  var parameters: [TrainedParameter] { get }
  /// Updates made so far.
  var stepCount: Int { get }

  /// One update of all parameters that have a gradient; the others stay as they are.
  /// - Parameters:
  ///   - learningRate: each parameter's `lrMult` multiplies it.
  ///   - scale: multiplies all gradients first (gradient clipping).
  func step(_ gradients: Gradients, learningRate: Double, scale: Double)
}

extension Optimizer {
  public func step(_ gradients: Gradients, learningRate: Double) { step(gradients, learningRate: learningRate, scale: 1) }
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
  public let lrMult: Double
  /// Multiplies the weight decay.
  public let decayMult: Double
}

extension TrainedParameter {
  /// Gives every parameter the settings of the first group that fits its name, or 1 and 1. Frozen parameters are left out.
  /// - Throws: `.usage` if a group's pattern fits no parameter.
  public static func select(
    _ parameters: [(name: String, parameter: Parameter)], _ groups: [ParameterGroup] = []
  ) throws -> [TrainedParameter] {
    for group in groups { _ = try NamePattern(group.match).select(parameters) }
    return parameters.filter { !$0.parameter.isFrozen }.map { name, parameter in
      let group = groups.first { NamePattern($0.match).matches(name) } ?? ParameterGroup()
      return TrainedParameter(name: name, parameter: parameter, lrMult: group.lrMult, decayMult: group.decayMult)
    }
  }
}
