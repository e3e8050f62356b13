import ArgumentParser
import Tasks
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Layers with shapes, parameters, multiply-adds and memory of a config's model.",
    discussion: """
      Examples:
        apus inspect configs/raft/small-chairs.yaml
        apus inspect configs/raft/small-chairs.yaml --names
      """)

  @OptionGroup var options: ConfigOptions

  @Flag(help: "List the names and shapes in checkpoints instead.")
  var names = false

  func run() throws {
    let overrides = try options.overrides()
    try inspect(options.task(overrides), overrides)
  }

  private func inspect<Task: LearningTask>(_ task: Task.Type, _ overrides: [ConfigOverride]) throws {
    let summary = try task.inspect(options.load(task, overrides).value)
    print(names ? summary.names : summary.table, terminator: "")
  }
}
