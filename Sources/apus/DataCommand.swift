import ArgumentParser
import Base
import Tasks
import Training

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "What is in a config's data sets, and what is wrong with them.", subcommands: [Check.self, Browse.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Everything that is wrong with the data of a config, at once.",
      discussion: """
        Every file is read, and nothing is changed. Errors make a set unusable (exit code 65); warnings say what training leaves out or
        fills in. Without errors there is a summary: counts, sizes, classes.

        Example:
          apus data check configs/detr/finetune.yaml --set data.annotations=mine/train.json --set data.images=mine/images
        """)

    @OptionGroup var options: ConfigOptions

    func run() throws {
      let request = try options.request()
      let report = try request.learningTask().checkData(request)
      try StandardStreams.write(report.text)
      if !report.isUsable { throw ExitCode(Failure.Kind.badData.exitCode) }
    }
  }

  struct Browse: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A page with training samples before and behind each random change, and the statistics of the set.",
      discussion: """
        The samples are the first ones of the first epoch, with the very draws that training makes for them. The page is one file without
        scripts or requests.

        Example:
          apus data browse configs/detr/demo.yaml --count 6 --out look
        """)

    @OptionGroup var options: ConfigOptions

    @Option(parsing: .unconditional, help: "Samples; of a config with stages, of each.")
    var count = 12

    @Option(help: "The folder of index.html; left out: work_dirs/browse/<config>.")
    var out: String?

    @Option(parsing: .unconditional, help: "The seed of the run whose samples are shown; left out: the config's.")
    var seed: Int?

    @Flag(inversion: .prefixedNo, help: "Read the whole set for its statistics.")
    var statistics = true

    func run() throws {
      let own = seed.map { [ConfigOverride(key: "plan.seed", value: "\($0)", option: "--seed \($0)")] } ?? []
      var request = DataBrowseRequest(config: try options.request(own))
      request.count = count
      request.folder = out
      request.hasStatistics = statistics
      try StandardStreams.write(request.config.learningTask().browseData(request))
    }
  }
}
