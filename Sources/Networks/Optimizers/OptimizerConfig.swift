import Base
import Tensors

/// Settings for all parameters whose names fit a pattern.
public struct ParameterGroup: ConfigElement, Equatable {
  /// For instance `backbone.*` or `*.bias`; `*` stands for any text.
  public var match = "*"
  /// The group's name in the log (`lr_<name>`); empty: taken from the pattern.
  public var name = ""
  /// Multiplies the learning rate.
  public var lrMult = 1.0
  /// Multiplies the weight decay; 0 for none.
  public var decayMult = 1.0
  /// Leaves these parameters as they are.
  public var freeze = false

  public init() {}

  public init(_ match: String, name: String = "", lrMult: Double = 1, decayMult: Double = 1, freeze: Bool = false) {
    self.match = match
    self.name = name
    self.lrMult = lrMult
    self.decayMult = decayMult
    self.freeze = freeze
  }

  /// `backbone` for `backbone.*`, `conv_weight` for `*conv.weight`.
  public var logName: String {
    guard name.isEmpty else { return name }
    return match.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.joined(separator: "_")
  }
}

/// The optimiser of a network: which one, its learning rate and decay, clipping, what stays frozen, and groups with settings of their own.
///
/// ```yaml
/// optimizer:
///   kind: adamw
///   learning_rate: 1.0e-4
///   weight_decay: 1.0e-4
///   clip_norm: 0.1
///   groups: [{match: backbone.*, lr_mult: 0.1}]
/// ```
public struct OptimizerConfig: Codable, Sendable, Equatable, ValidatedConfig, SelectiveConfig {
  public enum Kind: String, ConfigChoice {
    /// Adam with decoupled weight decay.
    case adamw
    /// Adam; weight decay is added to the gradient.
    case adam
    /// Stochastic gradient descent with momentum.
    case sgd
  }

  public var kind = Kind.adamw
  /// The largest learning rate; the schedule says when it is in force.
  public var learningRate = 1e-3
  /// `adamw`, `adam`: decay rate of the running mean of the gradient, in 0..<1.
  public var beta1 = 0.9
  /// `adamw`, `adam`: decay rate of the running mean of its square, in 0..<1.
  public var beta2 = 0.999
  /// `adamw`, `adam`: added to the root of the mean square.
  public var epsilon = 1e-8
  /// `sgd`: the share of the last update that goes on; 0 for plain descent.
  public var momentum = 0.9
  /// `sgd`: look ahead along the momentum.
  public var nesterov = false
  /// The share of each parameter that is taken off: by `adamw` in units of the learning rate, by the others through the gradient.
  public var weightDecay = 0.0
  /// Gradients are scaled to this global L2 norm if theirs is larger; 0: never.
  public var clipNorm = 0.0
  /// Names of parameters that stay as they are; `*` stands for any text.
  public var freeze: [String] = []
  /// Names of batch normalisations that normalise by their running statistics in training, too, and leave these alone.
  public var freezeStatistics: [String] = []
  /// Learning rate and weight decay by the names of parameters; the first group that fits counts.
  public var groups: [ParameterGroup] = []

  public init() {}

  public init(_ kind: Kind, learningRate: Double, weightDecay: Double = 0, clipNorm: Double = 0) {
    self.kind = kind
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.clipNorm = clipNorm
  }

  public static let selector = "kind"

  public var unusedKeys: [String] { kind == .sgd ? ["beta1", "beta2", "epsilon"] : ["momentum", "nesterov"] }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(learningRate > 0 && learningRate <= 1e30, "learning_rate", learningRate, "above 0, at most 1e30")
    problems.require((0..<1).contains(beta1), "beta1", beta1, "0 or more, below 1")
    problems.require((0..<1).contains(beta2), "beta2", beta2, "0 or more, below 1")
    problems.require(epsilon > 0 && epsilon <= 1, "epsilon", epsilon, "above 0, at most 1")
    problems.require((0..<1).contains(momentum), "momentum", momentum, "0 or more, below 1")
    problems.require(!nesterov || momentum > 0, "nesterov", nesterov, "false without momentum")
    problems.require(weightDecay >= 0 && weightDecay <= 1e6, "weight_decay", weightDecay, "0 or more, at most 1e6")
    problems.require(clipNorm >= 0 && clipNorm <= 1e30, "clip_norm", clipNorm, "0 (never) or more, at most 1e30")
    for (index, group) in groups.enumerated() {
      problems.require(!group.match.isEmpty, "groups.\(index).match", "''", "a pattern such as backbone.*")
      problems.require((0...1e6).contains(group.lrMult), "groups.\(index).lr_mult", group.lrMult, "0 to 1e6")
      problems.require((0...1e6).contains(group.decayMult), "groups.\(index).decay_mult", group.decayMult, "0 to 1e6")
      let isNew = group.logName.isEmpty || !groups[..<index].contains { $0.logName == group.logName }
      problems.require(isNew, "groups.\(index).name", group.logName, "a name that no group before has")
    }
    return problems
  }

  /// The optimiser for the parameters that are not frozen; running means begin at zero.
  /// - Throws: `.usage` if a pattern fits no parameter.
  public func make(for parameters: [(name: String, parameter: Parameter)]) throws -> any Optimizer {
    switch kind {
    case .adamw, .adam:
      let config = Adam.Config(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay)
      return kind == .adamw ? try AdamW(parameters, config, groups: groups) : try Adam(parameters, config, groups: groups)
    case .sgd:
      return try SGD(parameters, .init(momentum: momentum, weightDecay: weightDecay, nesterov: nesterov), groups: groups)
    }
  }

  /// Freezes the parameters that `freeze` names or whose first group says so, and no others, and the statistics of
  /// `freezeStatistics`. Nothing is allocated.
  /// - Parameter key: where this section stands in the config, for failures.
  /// - Throws: `.usage` if a pattern fits no parameter, or nothing is left to learn.
  public func freeze(in module: any Module, key: String) throws {
    let parameters = module.parameters()
    try at("\(key).freeze") { for pattern in freeze { _ = try NamePattern(pattern).select(parameters) } }
    for (index, group) in groups.enumerated() {
      try at("\(key).groups.\(index).match") { _ = try NamePattern(group.match).select(parameters) }
    }
    try at("\(key).freeze_statistics") { try module.freezeStatistics(freezeStatistics) }
    for (name, parameter) in parameters {
      let isInFrozenGroup = groups.first { NamePattern($0.match).matches(name) }?.freeze ?? false
      parameter.isFrozen = isInFrozenGroup || freeze.contains { NamePattern($0).matches(name) }
    }
    guard parameters.contains(where: { !$0.parameter.isFrozen }) else {
      let names = freeze + groups.filter(\.freeze).map(\.match)
      throw Failure(.usage, at: "\(key).freeze", "'\(names.joined(separator: "', '"))' leaves nothing to learn: all parameters are frozen",
                    remedy: "Freeze fewer; apus inspect --names lists the names.")
    }
  }

  /// Adds the key to failures.
  private func at(_ key: String, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let failure as Failure {
      throw failure.told(at: key)
    }
  }
}
