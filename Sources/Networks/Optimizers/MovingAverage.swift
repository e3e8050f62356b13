import Base
import Tensors
import WeightFiles

/// An exponential moving average of a network's parameters, which often generalises better than the parameters themselves.
///
/// `average ← d · average + (1 - d) · value` after every step; buffers and counters are copied.
/// - Source: Polyak, Juditsky 1992; the warm-up of `d` as in TensorFlow's `ExponentialMovingAverage`.
public final class MovingAverage: Savable {
  public struct Config: Codable, Sendable, Equatable {
    /// d, the share of the average that stays, in 0..<1.
    public var decay = 0.999
    /// Start with a shorter memory: after `t` updates, `d = min(decay, (1 + t) / (10 + t))`.
    public var warmsUp = false

    public init(decay: Double = 0.999, warmsUp: Bool = false) {
      self.decay = decay
      self.warmsUp = warmsUp
    }
  }

  public let config: Config
  /// Updates made so far.
  public private(set) var stepCount = 0
  private let leaves: [(name: String, leaf: ModuleLeaf)]
  private let aliases: [String: String]
  private var averages: [Tensor?]  // one per leaf; nil for counters

  /// Starts with the module's current values.
  public init(of module: some Module, _ config: Config = Config()) {
    require(config.decay >= 0 && config.decay < 1, "MovingAverage: decay \(config.decay) is outside 0..<1")
    let walk = ModuleWalk(module)
    self.config = config
    leaves = walk.leaves
    aliases = Dictionary(walk.aliases.map { ($0.alias, $0.name) }) { $1 }
    averages = walk.leaves.map(\.leaf.value)
  }

  /// Takes the module's current values in: to be called after each optimiser step.
  public func update() {
    let d = config.warmsUp ? min(config.decay, Double(1 + stepCount) / Double(10 + stepCount)) : config.decay
    for (i, (_, leaf)) in leaves.enumerated() {
      switch leaf {
      case .parameter(let parameter): averages[i]?.blend(with: parameter.value, keep: d)
      case .buffer(let buffer): averages[i] = buffer.value
      case .counter: break
      }
    }
    stepCount += 1
  }

  /// Runs `body` while the module holds the averages, for evaluation; its own values are back afterwards.
  public func withAverages<Result>(_ body: () throws -> Result) rethrows -> Result {
    let values = leaves.map(\.leaf.value)
    for ((_, leaf), average) in zip(leaves, averages) { leaf.assign(average) }
    defer { for ((_, leaf), value) in zip(leaves, values) { leaf.assign(value) } }
    return try body()
  }

  /// The averages as weights of the network, in official names and shapes; the number of updates is in the metadata.
  public func saved() -> Safetensors {
    let entries = withAverages { leaves.map { $0.leaf.entry(named: $0.name) } }
    return StateDictionary(entries, aliases: aliases).safetensors(metadata: ["updates": String(stepCount)])
  }

  /// Continues from a saved state, bit for bit.
  /// - Throws: `.badData` if it belongs to another network.
  public func restore(_ state: Safetensors, from origin: String) throws {
    guard let updates = state.metadata["updates"].flatMap({ Int($0) }), (0...OptimizerState.mostSteps).contains(updates) else {
      throw Failure(.badData, at: origin, "expected a moving average, found no count of updates in the metadata")
    }
    var restored = averages
    for (i, (name, leaf)) in leaves.enumerated() {
      guard let old = averages[i] else { continue }
      guard let entry = state[name], let tensor = entry.tensor, entry.shape == leaf.officialShape, tensor.precision == old.precision else {
        throw Failure(.badData, at: origin, "the average of '\(name)' is missing, or its shape or precision differs")
      }
      restored[i] = leaf.layout.native(tensor)
    }
    averages = restored
    stepCount = updates
  }
}
