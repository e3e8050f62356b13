import ArgumentParser
import Base
import Tasks
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Metrics of a model on the validation set of its config.", discussion: Apus.discussion("", \.evaluate))

  @OptionGroup var options: ConfigOptions

  @Option(help: ArgumentHelp(
    "A .safetensors or .pth file, a checkpoint folder, or a run folder (its best checkpoint); none where the config names them.",
    valueName: "path"))
  var weights: String?

  @OptionGroup var names: WeightNameOptions

  @Option(help: ArgumentHelp("Also draw every sample into this folder.", valueName: "folder"))
  var saveVisuals: String?

  @Option(help: ArgumentHelp("Also write what the model says about every sample, as a benchmark takes it: a file, or a folder.",
                             valueName: "path"))
  var results: String?

  @Option(help: ArgumentHelp("Also write the numbers of every sample as CSV, and the weights of means.", valueName: "file"))
  var samples: String?

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func run() throws {
    var request = EvaluationRequest(config: try options.request(), weights: weights.map(names.source))
    request.visuals = saveVisuals
    request.results = results
    request.samples = samples
    request.isJSON = json
    let counter = CountLine("evaluating")
    let text = try request.config.task().evaluate(request, monitor: .init { counter.show($0, of: $1) })
    counter.finish()
    try StandardStreams.write(text)
  }
}
