import ArgumentParser
import Base
import Tasks
import Training

struct LearningRate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lr", abstract: "Preview the learning rates of a config, or look for a good one.", subcommands: [Plot.self, Find.self])

  struct Plot: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The learning rates over all steps of a config's run.",
      discussion: """
        Schedules, groups and stages of the config as plot.svg, plot.png and a table. Nothing is trained, and no data are needed unless \
        the config counts in epochs and --steps-per-epoch does not say how long one is.
        """)

    @OptionGroup var options: ConfigOptions

    @Option(help: "The folder of the charts; left out: work_dirs/lr/<config>.")
    var out: String?

    @Option(parsing: .unconditional, help: "Steps in a pass over the training set, for configs in epochs without their data.")
    var stepsPerEpoch: Int?

    func run() throws {
      var request = RatePlotRequest(config: try options.request())
      request.folder = out
      request.stepsPerEpoch = stepsPerEpoch
      try StandardStreams.write(request.config.learningTask().plotRates(request))
    }
  }

  struct Find: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The learning-rate range test: where does the loss fall fastest?",
      discussion: """
        Trains as the config says, but with a rate that rises by one factor from step to step, all optimisers and groups alike, until \
        the smoothed loss is more than four times its least value. The suggestion is the rate of the steepest descent. No weights are \
        saved. A config with stages is tested in its first one. Small batches make the suggestion uncertain: look at the chart.

        Source: Smith, "Cyclical learning rates for training neural networks", 2017.
        """)

    @OptionGroup var options: ConfigOptions

    @Option(parsing: .unconditional, help: "The first rate.")
    var from = 1e-7

    @Option(parsing: .unconditional, help: "The last rate.")
    var to = 1.0

    @Option(parsing: .unconditional, help: "Updates, at most; 17 or more.")
    var steps = 100

    @Option(help: "The folder of the chart; left out: work_dirs/lr/<config>.")
    var out: String?

    func run() throws {
      var request = RangeTestRequest(config: try options.request())
      request.range = RateRange(from: from, to: to, steps: steps)
      request.folder = out
      let counter = CountLine("range test")
      let text = try request.config.learningTask().findRate(request) { counter.show($0, of: steps) }
      counter.finish()
      try StandardStreams.write(text)
    }
  }
}
