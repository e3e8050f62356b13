import Base
import Networks
import Training
import WeightFiles

/// The arguments of `apus predict`.
public struct PredictionRequest: Sendable {
  public var config: ConfigRequest
  public var weights: WeightSource
  /// A folder, or files.
  public var source: [String]
  /// The folder for the results.
  public var out: String

  public init(config: ConfigRequest, weights: WeightSource, source: [String], out: String) {
    self.config = config
    self.weights = weights
    self.source = source
    self.out = out
  }
}

extension LearningTask {
  /// Makes results and pictures for everything in the source. A prediction that was stopped goes on where it was: what is complete stays,
  /// and the rest gets the same bits as in one go.
  /// - Returns: lines for the user.
  /// - Throws: `.usage` if the task predicts nothing; `.cannotCreate` if another process writes to the folder; what reading and writing
  ///   throw.
  public static func predict(_ request: PredictionRequest, progress: (Int, Int) -> Void = { _, _ in }) throws -> [String] {
    guard let task = Self.self as? any PredictionTask.Type else {
      throw Failure(.usage, at: request.config.path, "the task of this config makes no predictions")
    }
    return try task.makeResults(request, progress)
  }
}

extension PredictionTask {
  fileprivate static func makeResults(_ request: PredictionRequest, _ progress: (Int, Int) -> Void) throws -> [String] {
    try predict(load(request.config).value, weights: request.weights, source: request.source, out: request.out, progress: progress)
  }

  /// The same for a config at hand.
  public static func predict(
    _ config: Config, weights: WeightSource, source: [String], out: String, progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> [String] {
    let network = model(config)
    let predictor = try predictor(config, network, source: source)
    try weights.load(into: network, title: modelTitle(config), part: TaskTraining.weightsPart)
    // Of the values in use, not of the file: what a path names may change at any moment.
    let checksum = CRC32C.of(network.stateDictionary().safetensors().bytes)
    let memory = MemoryGuard(Self.self, config, network, .inference)
    var run = try PredictionRun(predictor, weights: checksum, source: source, out: out, memory)
    return try run.run(progress)
  }
}
