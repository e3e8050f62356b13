import ArgumentParser
import Tasks
import Tensors
import Training

/// A config file and what is laid over it.
struct ConfigOptions: ParsableArguments {
  @Argument(help: "The config file, for instance configs/raft/demo.yaml.")
  var config: String

  @Option(name: [.customLong("set"), .customLong("cfg-options")], parsing: .singleValue,
          help: ArgumentHelp("Override a value; repeatable.", valueName: "key=value"))
  var set: [String] = []

  @Option(parsing: .unconditional, help: "Threads of the computation; 0: one for each core. Changes the speed, never the result.")
  var threads: Int?

  func overrides(_ more: [(key: String, value: Int?, option: String)] = []) throws -> [ConfigOverride] {
    let options = more + [("plan.threads", threads, "--threads")]
    return try set.map(ConfigOverride.init(setting:))
      + options.compactMap { key, value, option in
        value.map { ConfigOverride(key: key, value: "\($0)", option: "\(option) \($0)") }
      }
  }

  func task(_ overrides: [ConfigOverride]) throws -> any LearningTask.Type {
    try RecipeName.named(in: config, overrides: overrides).task
  }

  func load<Task: LearningTask>(_ task: Task.Type, _ overrides: [ConfigOverride]) throws -> LoadedConfig<Task.Config> {
    let loaded = try ConfigLoader(defaults: Task.Config()).load(file: config, overrides: overrides)
    if loaded.value.plan.threads > 0 { ThreadPool.shared.setThreadCount(loaded.value.plan.threads) }
    MatmulPrecision.current = loaded.value.plan.matmulPrecision
    return loaded
  }
}
