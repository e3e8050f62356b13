import ArgumentParser
import Tasks
import Training

/// A config file and what is laid over it.
struct ConfigOptions: ParsableArguments {
  @Argument(help: "The config file (YAML).")
  var config: String

  @Option(name: [.customLong("set"), .customLong("cfg-options")], parsing: .singleValue,
          help: ArgumentHelp("Override a value; repeatable.", valueName: "key=value"))
  var set: [String] = []

  @Option(parsing: .unconditional, help: "Threads of the computation; 0: one for each core. Changes the speed, never the result.")
  var threads: Int?

  /// - Parameter more: options of a command that set keys, in force over `--set`.
  func request(_ more: [ConfigOverride] = []) throws -> ConfigRequest {
    let own = threads.map { [ConfigOverride(key: "plan.threads", value: "\($0)", option: "--threads \($0)")] } ?? []
    return ConfigRequest(config, overrides: try set.map(ConfigOverride.init(setting:)) + more + own)
  }
}

/// Weights, and how their arrays are to be found.
struct WeightOptions: ParsableArguments {
  @Option(help: "A .safetensors or .pth file, a checkpoint folder, or a run folder (its best checkpoint).")
  var weights: String

  @OptionGroup var names: WeightNameOptions

  var source: WeightSource { names.source(weights) }
}

/// The key and the prefix of the arrays in a weight file.
struct WeightNameOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The dictionary of tensors in a .pth file, such as state_dict or model.ema.", valueName: "path"))
  var key: String?

  @Option(help: ArgumentHelp("What the names shall lose at their beginning. Left out: module.", valueName: "text"))
  var prefix: String?

  func source(_ path: String) -> WeightSource { WeightSource(path, key: key, prefix: prefix) }
}
