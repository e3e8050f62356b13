import Tensors
import WeightFiles

/// Stochastic gradient descent with momentum.
///
/// `g ← g + λ θ`, `b ← μ b + (1 - τ) g` (`b ← g` in the first step), then `θ ← θ - rate · b`, or with Nesterov's look-ahead
/// `θ ← θ - rate · (g + μ b)`.
/// - Source: Sutskever et al. 2013; the form in which the rate multiplies the buffer, as in PyTorch.
public final class SGD: Optimizer {
  public struct Config: Codable, Sendable, Equatable {
    /// μ, the share of the last update that goes on; 0 for plain descent.
    public var momentum = 0.0
    /// τ, what is taken off the gradient's share in the buffer.
    public var dampening = 0.0
    /// λ: the share of each parameter that is added to its gradient.
    public var weightDecay = 0.0
    /// Look ahead along the momentum.
    public var nesterov = false

    public init(momentum: Double = 0, dampening: Double = 0, weightDecay: Double = 0, nesterov: Bool = false) {
      (self.momentum, self.dampening, self.weightDecay, self.nesterov) = (momentum, dampening, weightDecay, nesterov)
    }
  }

  public let parameters: [TrainedParameter]
  public private(set) var stepCount = 0
  public let config: Config
  private var velocity: [Tensor]
  private let file: OptimizerState

  /// - Parameter groups: settings by name; the first group that fits counts.
  /// - Throws: `.usage` if a group's pattern fits no parameter.
  public init(_ parameters: [(name: String, parameter: Parameter)], _ config: Config = Config(), groups: [ParameterGroup] = []) throws {
    self.config = config
    self.parameters = try TrainedParameter.select(parameters, groups)
    velocity = OptimizerState.zeros(self.parameters)
    file = OptimizerState(optimizer: "sgd", slots: ["momentum_buffer"], parameters: self.parameters)
  }

  public func step(_ gradients: Gradients, learningRate: Double, scale: Double) {
    gradients.requireAny(of: parameters, "SGD")
    for (i, item) in parameters.enumerated() {
      guard let gradient = gradients[item.parameter] else { continue }
      let step = SGDStep(
        rate: learningRate * item.lrMult, momentum: config.momentum, dampening: config.dampening,
        l2: config.weightDecay * item.decayMult, scale: scale, isNesterov: config.nesterov, isFirst: stepCount == 0)
      item.parameter.update { $0.sgdStep(step, gradient: gradient, velocity: &velocity[i]) }
    }
    stepCount += 1
  }

  public func saved() -> Safetensors { file.saved([velocity], step: stepCount) }
  public func restore(_ state: Safetensors, from origin: String) throws {
    let (values, step) = try file.restored(state, from: origin)
    (velocity, stepCount) = (values[0], step)
  }
}
