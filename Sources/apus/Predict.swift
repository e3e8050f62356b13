import ArgumentParser
import Recipes
import Training

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a model on images and write results and pictures.",
    discussion: """
      Optical flow: the source is a folder of frames, whose neighbours are paired in natural order. For every pair a .flo file and a
      picture with the colour wheel are written. Images of any size work; they are padded and the result is cut back.

      Example:
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source frames/ --out flow/
      """)

  @OptionGroup var options: ConfigOptions

  @Option(help: "A .safetensors or .pth file, a checkpoint folder, or a run folder (its best checkpoint).")
  var weights: String

  @Option(help: "A folder of images.")
  var source: String

  @Option(help: "The folder for the results.")
  var out: String

  func run() throws {
    let overrides = try options.overrides()
    try predict(options.task(overrides), overrides)
  }

  private func predict<Task: LearningTask>(_ task: Task.Type, _ overrides: [ConfigOverride]) throws {
    let loaded = try options.load(task, overrides)
    let counter = CountLine("predicting")
    let report = try task.predict(loaded.value, weights: weights, source: source, out: out) { counter.show($0, of: $1) }
    counter.finish()
    for line in report { print(line) }
  }
}
