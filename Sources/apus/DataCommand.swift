import ArgumentParser
import Base
import Tasks

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "What is in a config's data sets, and what is wrong with them.", subcommands: [Check.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Everything that is wrong with the data of a config, at once.",
      discussion: """
        Nothing is changed. Errors make a set unusable (exit code 65); warnings say what training leaves out or fills in.

        Example:
          apus data check configs/detr/finetune.yaml --set data.annotations=mine/train.json --set data.images=mine/images
        """)

    @OptionGroup var options: ConfigOptions

    func run() throws {
      let request = try options.request()
      let report = try request.task().checkData(request)
      try StandardStreams.write(report.text)
      if !report.isUsable { throw ExitCode(Failure.Kind.badData.exitCode) }
    }
  }
}
