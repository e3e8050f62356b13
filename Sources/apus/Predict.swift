import ArgumentParser
import Tasks
import Training

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a model on images and write results and pictures.",
    discussion: """
      Optical flow: the source is a folder of frames (PNG, JPEG, PPM, PGM), whose neighbours are paired in natural order, or two or more
      pictures. For every pair a .flo file and a picture with the colour wheel are written. Each pair starts from the flow of the one
      before (warm start). Images of any size work; they are padded and the result is cut back. A run that was stopped goes on where it
      was when it is started again, to the same bits.

      With --format sintel or kitti the source is the benchmark's folder, and the results are what it takes as a submission.

      Examples:
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source frames/ --out flow/
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source a.png b.png --out flow/ --occlusion
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source MPI-Sintel/ --out sintel/ --format sintel
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source KITTI-2015/ --out kitti/ --format kitti \\
          --set learning.padding=kitti
      """)

  @OptionGroup var options: ConfigOptions

  @Option(help: "A .safetensors or .pth file, a checkpoint folder, or a run folder (its best checkpoint).")
  var weights: String

  @Option(parsing: .upToNextOption, help: "A folder of images, or the images themselves.")
  var source: [String]

  @Option(help: "The folder for the results.")
  var out: String

  @Option(help: "flo, or what a benchmark takes: sintel, kitti. The same as --set prediction.format.")
  var format: String?

  @Flag(inversion: .prefixedNo, help: "Start each pair of a sequence from the flow of the one before (the default), or at rest.")
  var warmStart: Bool?

  @Flag(help: "Also estimate the flow back, and write a mask of what image 2 does not show.")
  var occlusion = false

  func run() throws {
    let overrides = try options.overrides() + ownOverrides
    try predict(options.task(overrides), overrides)
  }

  private var ownOverrides: [ConfigOverride] {
    var overrides: [ConfigOverride] = []
    if let format { overrides.append(ConfigOverride(key: "prediction.format", value: format, option: "--format \(format)")) }
    if let warmStart {
      overrides.append(ConfigOverride(key: "prediction.warm_start", value: "\(warmStart)", option: warmStart ? "--warm-start" : "--no-warm-start"))
    }
    if occlusion { overrides.append(ConfigOverride(key: "prediction.occlusion", value: "true", option: "--occlusion")) }
    return overrides
  }

  private func predict<Task: LearningTask>(_ task: Task.Type, _ overrides: [ConfigOverride]) throws {
    let loaded = try options.load(task, overrides)
    let counter = CountLine("predicting")
    let report = try task.predict(loaded.value, weights: weights, source: source, out: out) { counter.show($0, of: $1) }
    counter.finish()
    for line in report { print(line) }
  }
}
