import Base
import Tensors
import Training

/// A config file, and what the command line lays over it.
public struct ConfigRequest: Sendable {
  public var path: String
  public var overrides: [ConfigOverride]

  public init(_ path: String, overrides: [ConfigOverride] = []) {
    self.path = path
    self.overrides = overrides
  }

  /// The task that the config is for.
  /// - Throws: `.usage` if it names none, `.missingInput` if there is no such file.
  public func task() throws -> any ConfiguredTask.Type { try TaskName.named(in: path, overrides: overrides).task }

  /// The task that the config is for, where it has a network of its own.
  /// - Throws: `.usage` with what to do instead, if it has none; and as `task`.
  public func learningTask() throws -> any LearningTask.Type {
    let name = try TaskName.named(in: path, overrides: overrides)
    if let task = name.task as? any LearningTask.Type { return task }
    throw Failure(.usage, at: path, "the task '\(name.configName)' has no network of its own to train or ask",
                  remedy: (name.task as? any AssembledTask.Type)?.advice ?? "")
  }
}

extension ConfiguredTask {
  /// Reads a config, and sets what it says about the whole process: threads, and how exactly products are computed.
  /// - Throws: `.usage` listing every problem with its place.
  public static func load(_ request: ConfigRequest) throws -> LoadedConfig<Config> {
    let loaded = try completed(request)
    let computation = loaded.value.computation
    if computation.threads > 0 { ThreadPool.shared.setThreadCount(computation.threads) }
    MatmulPrecision.current = computation.matmulPrecision
    Reproducibility.current = computation.reproducible
    return loaded
  }

  /// A config with what it leaves to its data. Nothing about this process is changed.
  static func completed(_ request: ConfigRequest) throws -> LoadedConfig<Config> {
    let loader = ConfigLoader(defaults: Config())
    let loaded = try loader.load(file: request.path, overrides: request.overrides)
    let derived = try derived(loaded.value)
    return derived.isEmpty ? loaded : try loader.load(file: request.path, overrides: request.overrides + derived)
  }

  /// The resolved config as YAML, as a run records it. Nothing about this process is changed.
  public static func resolvedConfig(_ request: ConfigRequest) throws -> String { try completed(request).resolvedYAML }

  /// The resolved config as YAML, each value with where it comes from.
  public static func annotatedConfig(_ request: ConfigRequest) throws -> String { try load(request).annotatedYAML }
}

extension LearningTask {
  /// The network that weight files of this config must fit.
  public static func weightModel(_ request: ConfigRequest) throws -> WeightModel {
    let config = try completed(request).value
    return WeightModel(title: modelTitle(config), module: model(config), part: TaskTraining.weightsPart)
  }
}
