import ArgumentParser
import Base
import Tasks

struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a config, or show it with where each value comes from.", subcommands: [Check.self, Show.self])

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

  private static func resolved(_ options: ConfigOptions) throws -> String {
    let request = try options.request()
    return try request.task().annotatedConfig(request)
  }
}
