import ArgumentParser
import Base
import Foundation
import Tasks
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Metrics of a model on the validation set of its config.",
    discussion: """
      Examples:
        apus evaluate configs/raft/demo.yaml --weights work_dirs/demo/RUN
        apus evaluate configs/raft/demo.yaml --weights model.safetensors --json
        apus evaluate configs/raft/demo.yaml --weights work_dirs/demo/RUN --save-visuals pictures
      """)

  @OptionGroup var options: ConfigOptions

  @Option(help: "A .safetensors or .pth file, a checkpoint folder, or a run folder (its best checkpoint).")
  var weights: String

  @Option(help: ArgumentHelp("Also draw every sample into this folder.", valueName: "folder"))
  var saveVisuals: String?

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func run() throws {
    let overrides = try options.overrides()
    try evaluate(options.task(overrides), overrides)
  }

  private func evaluate<Task: LearningTask>(_ task: Task.Type, _ overrides: [ConfigOverride]) throws {
    let loaded = try options.load(task, overrides)
    let counter = CountLine("evaluating")
    let metrics = try task.evaluate(loaded.value, weights: weights, visuals: saveVisuals) { counter.show($0, of: $1) }
    counter.finish()
    if json {
      print("{" + metrics.map { "\"\($0.name)\": \($0.value.isFinite ? "\($0.value)" : "null")" }.joined(separator: ", ") + "}")
    } else {
      var table = TextTable(["metric", "value", "meaning"], rightAligned: [1])
      for metric in metrics {
        table.add([metric.name, String(format: "%.4f", metric.value), task.meaning(of: metric.name)])
      }
      print(table.text, terminator: "")
    }
  }
}
