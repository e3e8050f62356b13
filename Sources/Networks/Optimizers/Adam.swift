import Base
import Foundation
import Tensors
import WeightFiles

/// Adam; weight decay, if any, is added to the gradient: `g ← g + λ θ`.
///
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `θ ← θ - rate · m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β₁ᵗ)` and `v̂ = v / (1 - β₂ᵗ)`.
/// - Source: Kingma, Ba 2015, algorithm 1.
public class Adam: Optimizer {
  public struct Config: Codable, Sendable, Equatable {
    /// Decay rate of the running mean of the gradient, in 0..<1.
    public var beta1 = 0.9
    /// Decay rate of the running mean of the gradient's square, in 0..<1.
    public var beta2 = 0.999
    /// Added to the root of the mean square.
    public var epsilon = 1e-8
    /// λ. Adam adds this share of each parameter to its gradient; AdamW takes it from the parameter, in units of the learning rate.
    public var weightDecay = 0.0

    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0) {
      (self.beta1, self.beta2, self.epsilon, self.weightDecay) = (beta1, beta2, epsilon, weightDecay)
    }
  }

  public let parameters: [TrainedParameter]
  public let config: Config
  public private(set) var stepCount = 0
  private let isDecoupled: Bool
  /// Nil where β₁ is 0: the mean of the gradient is the gradient.
  private var m: [Tensor?]
  private var v: [Tensor]
  /// Steps in which each parameter had no gradient: they do not count in the correction of its moments, as in PyTorch.
  private var skipped: [Int]
  private let file: OptimizerState

  /// - Parameter groups: settings by name; the first group that fits counts.
  /// - Throws: `.usage` if a group's pattern fits no parameter.
  public convenience init(
    _ parameters: [(name: String, parameter: Parameter)], _ config: Config = Config(), groups: [ParameterGroup] = []
  ) throws {
    try self.init("adam", isDecoupled: false, parameters, config, groups)
  }

  fileprivate init(
    _ name: String, isDecoupled: Bool, _ parameters: [(name: String, parameter: Parameter)], _ config: Config, _ groups: [ParameterGroup]
  ) throws {
    self.config = config
    self.isDecoupled = isDecoupled
    self.parameters = try TrainedParameter.select(parameters, groups)
    let keepsMean = config.beta1 > 0
    m = keepsMean ? OptimizerState.zeros(self.parameters) : Array(repeating: nil, count: self.parameters.count)
    v = OptimizerState.zeros(self.parameters)
    skipped = Array(repeating: 0, count: self.parameters.count)
    file = OptimizerState(
      optimizer: name, slots: (keepsMean ? ["exp_avg"] : []) + ["exp_avg_sq"], unused: keepsMean ? nil : "exp_avg",
      parameters: self.parameters)
  }

  public func step(_ gradients: Gradients, learningRate: Double, scale: Double) {
    gradients.requireAny(of: parameters, "Adam")
    stepCount += 1
    for (i, item) in parameters.enumerated() {
      guard let gradient = gradients[item.parameter] else {
        skipped[i] += 1
        continue
      }
      let steps = Double(stepCount - skipped[i])
      let first = AdamStep.Moment(beta: config.beta1, correction: 1 - pow(config.beta1, steps))
      let second = AdamStep.Moment(beta: config.beta2, correction: 1 - pow(config.beta2, steps))
      let rate = learningRate * item.lrMult
      let step = AdamStep(
        rate: rate, first: first, second: second, epsilon: config.epsilon,
        decay: isDecoupled ? 1 - rate * config.weightDecay * item.decayMult : 1,
        l2: isDecoupled ? 0 : config.weightDecay * item.decayMult, scale: scale)
      item.parameter.update { $0.adamStep(step, gradient: gradient, m: &m[i], v: &v[i]) }
    }
  }

  public func saved() -> Safetensors {
    file.saved((config.beta1 > 0 ? [m.compactMap { $0 }] : []) + [v], step: stepCount, skipped: skipped)
  }

  public func restore(_ state: Safetensors, from origin: String) throws {
    let (values, step) = try file.restored(state, from: origin)
    skipped = try file.skipped(state, steps: step, from: origin)
    if config.beta1 > 0 { m = values[0] }
    (v, stepCount) = (values[values.count - 1], step)
  }
}

extension Adam.Config {
  /// The settings, and the factor on the learning rate, of an optimiser that shares its moments with a regulariser of every `interval`-th
  /// step: with `c = interval / (interval + 1)`, `β ← βᶜ` and `rate ← rate · c`.
  /// - Source: Karras et al. 2020 (StyleGAN2), appendix B, "lazy regularization".
  public func lazilyRegularized(every interval: Int) -> (config: Adam.Config, rateFactor: Double) {
    require(interval > 0, "lazilyRegularized: an interval of \(interval) steps")
    let share = Double(interval) / Double(interval + 1)
    var config = self
    (config.beta1, config.beta2) = (pow(beta1, share), pow(beta2, share))
    return (config, share)
  }
}

/// Adam with decoupled weight decay: first `θ ← θ (1 - λ · rate)`, then a step of Adam without decay.
/// - Source: Loshchilov, Hutter 2019, algorithm 2 (decay multiplied by the rate, as in PyTorch).
public final class AdamW: Adam {
  /// - Parameter groups: settings by name; the first group that fits counts.
  /// - Throws: `.usage` if a group's pattern fits no parameter.
  public convenience init(
    _ parameters: [(name: String, parameter: Parameter)], _ config: Config = Config(weightDecay: 0.01), groups: [ParameterGroup] = []
  ) throws {
    try self.init("adamw", isDecoupled: true, parameters, config, groups)
  }
}
