import ArgumentParser
import Tasks
import Training

struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a config, or show it with where each value comes from.", subcommands: [Check.self, Show.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Report every error of a config at once.")
    @OptionGroup var options: ConfigOptions

    func run() throws {
      _ = try resolved(options)
      print("\(options.config): no errors")
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the resolved config, each value with its origin.")
    @OptionGroup var options: ConfigOptions

    func run() throws { print(try resolved(options), terminator: "") }
  }

  private static func resolved(_ options: ConfigOptions) throws -> String {
    let overrides = try options.overrides()
    func annotated<Task: LearningTask>(_ task: Task.Type) throws -> String { try options.load(task, overrides).annotatedYAML }
    return try annotated(options.task(overrides))
  }
}
