import Base
import Networks
import Tensors
import Training

extension LearningTask {
  /// Layers, sizes and costs of a config's network, and the memory that a batch of it takes.
  /// - Throws: `.usage` if one sample alone is too large for this machine.
  public static func inspect(_ request: ConfigRequest) throws -> ModelSummary {
    let config = try load(request).value
    let network = model(config)
    let batch = inputShape(config)
    var one = batch
    one.samples = 1
    try MemoryGuard(Self.self, config, network, .training).require(one)
    // Small batches tell apart what every sample needs and what is needed once.
    var smallest = InputShape(samples: 1, height: inputSizes(network).least, width: inputSizes(network).least)
    let first = peak(network, config, smallest, .training)
    smallest.samples = MemoryEstimate.samples
    let several = peak(network, config, smallest, .training)
    let fixed = max(0, first - (several - first) / (MemoryEstimate.samples - 1))
    return ModelSummary(measuring: network, title: modelTitle(config), batch: batch, fixedBytes: fixed) {
      pass(network, config, one, .training)
    }
  }

  /// The names and shapes of everything in a checkpoint of a config's network, one a line.
  public static func checkpointNames(_ request: ConfigRequest) throws -> String {
    let config = try load(request).value
    return model(config).stateDictionary().unshared.entries.map { "\($0.name) \($0.shape)\n" }.joined()
  }
}
