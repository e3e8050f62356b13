import Foundation
import Tensors

/// Adam with decoupled weight decay.
///
/// `θ ← θ (1 - λ·rate)`, `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `θ ← θ - rate · m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β₁ᵗ)` and
/// `v̂ = v / (1 - β₂ᵗ)`.
/// - Source: Loshchilov, Hutter 2019, algorithm 2 (decay multiplied by the rate, as in PyTorch).
public final class AdamW: Optimizer {
  public struct Config: Codable, Sendable, Equatable {
    /// Decay rates of the running means of the gradient and of its square, in 0..<1.
    public var beta1 = 0.9, beta2 = 0.999
    /// Added to the root of the mean square.
    public var epsilon = 1e-8
    /// λ: the share of each parameter that is taken away per step, in units of the learning rate.
    public var weightDecay = 0.01

    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01) {
      (self.beta1, self.beta2, self.epsilon, self.weightDecay) = (beta1, beta2, epsilon, weightDecay)
    }
  }

  public var parameters: [TrainedParameter] { core.parameters }
  public var stepCount: Int { core.stepCount }
  public let config: Config
  private var core: AdamCore

  /// - Parameter rules: settings by name; the first rule that fits counts.
  /// - Throws: `.usage` if a rule's pattern fits no parameter.
  public init(_ parameters: [(name: String, parameter: Parameter)], _ config: Config = Config(), rules: [ParameterRule] = []) throws {
    self.config = config
    core = AdamCore("adamw", try TrainedParameter.select(parameters, rules))
  }

  public func step(_ gradients: Gradients, rate: Double, scale: Double) {
    core.step(gradients, beta1: config.beta1, beta2: config.beta2, epsilon: config.epsilon, scale: scale) { item in
      let rate = rate * item.rateFactor
      return (rate, 1 - rate * config.weightDecay * item.decayFactor, 0)
    }
  }

  public var state: Safetensors { core.state }
  public func restore(_ state: Safetensors, from place: String) throws { try core.restore(state, place) }
}

/// Adam; weight decay, if any, is added to the gradient: `g ← g + λ θ`, then as `AdamW` without decay.
/// - Source: Kingma, Ba 2015, algorithm 1.
public final class Adam: Optimizer {
  public struct Config: Codable, Sendable, Equatable {
    /// Decay rates of the running means of the gradient and of its square, in 0..<1.
    public var beta1 = 0.9, beta2 = 0.999
    /// Added to the root of the mean square.
    public var epsilon = 1e-8
    /// λ: the share of each parameter that is added to its gradient.
    public var weightDecay = 0.0

    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0) {
      (self.beta1, self.beta2, self.epsilon, self.weightDecay) = (beta1, beta2, epsilon, weightDecay)
    }
  }

  public var parameters: [TrainedParameter] { core.parameters }
  public var stepCount: Int { core.stepCount }
  public let config: Config
  private var core: AdamCore

  /// - Parameter rules: settings by name; the first rule that fits counts.
  /// - Throws: `.usage` if a rule's pattern fits no parameter.
  public init(_ parameters: [(name: String, parameter: Parameter)], _ config: Config = Config(), rules: [ParameterRule] = []) throws {
    self.config = config
    core = AdamCore("adam", try TrainedParameter.select(parameters, rules))
  }

  public func step(_ gradients: Gradients, rate: Double, scale: Double) {
    core.step(gradients, beta1: config.beta1, beta2: config.beta2, epsilon: config.epsilon, scale: scale) { item in
      (rate * item.rateFactor, 1, config.weightDecay * item.decayFactor)
    }
  }

  public var state: Safetensors { core.state }
  public func restore(_ state: Safetensors, from place: String) throws { try core.restore(state, place) }
}

/// What Adam and AdamW share: the running moments and the sweep over all parameters.
private struct AdamCore {
  let parameters: [TrainedParameter]
  private(set) var stepCount = 0
  private var m, v: [Tensor]
  private let file: OptimizerState

  init(_ name: String, _ parameters: [TrainedParameter]) {
    self.parameters = parameters
    m = OptimizerState.zeros(parameters)
    v = OptimizerState.zeros(parameters)
    file = OptimizerState(optimizer: name, slots: ["exp_avg", "exp_avg_sq"], parameters: parameters)
  }

  mutating func step(
    _ gradients: Gradients, beta1: Double, beta2: Double, epsilon: Double, scale: Double,
    _ settings: (TrainedParameter) -> (rate: Double, decay: Double, l2: Double)
  ) {
    gradients.requireAny(of: parameters, "Adam")
    stepCount += 1
    let corrections = (1 - pow(beta1, Double(stepCount)), 1 - pow(beta2, Double(stepCount)))
    for (i, item) in parameters.enumerated() {
      guard let gradient = gradients[item.parameter] else { continue }
      let (rate, decay, l2) = settings(item)
      let step = AdamStep(
        rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, correction1: corrections.0, correction2: corrections.1, decay: decay,
        l2: l2, scale: scale)
      item.parameter.update { $0.adamStep(step, gradient: gradient, m: &m[i], v: &v[i]) }
    }
  }

  var state: Safetensors { file.saved([m, v], step: stepCount) }
  mutating func restore(_ state: Safetensors, _ place: String) throws {
    let (values, step) = try file.restored(state, from: place)
    (m, v, stepCount) = (values[0], values[1], step)
  }
}
