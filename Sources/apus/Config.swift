import ArgumentParser
import Base
import Tasks

struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a config, show it with where each value comes from, or compare two.",
    subcommands: [Check.self, Show.self, Diff.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Report every error of a config at once.")
    @OptionGroup var options: ConfigOptions

    func run() throws {
      _ = try resolved(options)
      try StandardStreams.write("\(options.config): no errors\n")
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the resolved config, each value with its origin.")
    @OptionGroup var options: ConfigOptions

    func run() throws { try StandardStreams.write(resolved(options)) }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the values that differ between two configs, each with its origin.",
      discussion: """
        A and B each are a config file, a run folder or a checkpoint folder. Values that neither file writes count too: defaults are
        compared as what they are, and a default that a file repeats is no difference. No data are needed.
        The exit code is 0 if there is no difference, 1 if there is one, and above 1 if something is wrong, as with diff.

        Examples:
          apus config diff configs/mine.yaml work_dirs/mine/RUN
          apus config diff RUN_A RUN_B --json
        """)

    @Argument(help: "A config file, a run folder or a checkpoint folder.")
    var a: String

    @Argument(help: "Another one.")
    var b: String

    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    func run() throws {
      let comparison = try ConfigComparison(a, b)
      try StandardStreams.write(json ? comparison.json : comparison.text)
      if !comparison.areEqual { throw ExitCode(1) }
    }
  }

  private static func resolved(_ options: ConfigOptions) throws -> String {
    let request = try options.request()
    return try request.task().annotatedConfig(request)
  }
}
