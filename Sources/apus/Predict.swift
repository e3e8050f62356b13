import ArgumentParser
import Base
import Tasks
import Training

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a model on images and write results and pictures.",
    discussion: Apus.discussion("""
      A prediction that was stopped goes on where it was when it is started again, to the same bits. Results of other weights, settings or
      images do not count as done. One folder takes one prediction at a time, and is not the folder that is read.
      """, \.predict))

  @OptionGroup var options: ConfigOptions
  @OptionGroup var weights: WeightOptions

  @Option(parsing: .upToNextOption, help: "A folder of images, or the images themselves.")
  var source: [String]

  @Option(help: "The folder for the results.")
  var out: String

  @OptionGroup(title: "Options of tasks") var own: TaskOptions

  func run() throws {
    let request = PredictionRequest(config: try options.request(own.overrides), weights: weights.source, source: source, out: out)
    let counter = CountLine("predicting")
    let lines = try request.config.learningTask().predict(request) { counter.show($0, of: $1) }
    counter.finish()
    try StandardStreams.write(lines.map { "\($0)\n" }.joined())
  }
}
