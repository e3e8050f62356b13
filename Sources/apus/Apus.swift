import ArgumentParser
import Base
import Foundation
import Tasks
import Tensors
import Training

/// The command line: parsing only, one file per command. What a command does stands in `Tasks`, once for all tasks.
@main
struct Apus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus",
    abstract: "Trains vision models on CPUs: \(TaskName.allCases.map(\.help.title).joined(separator: ", ")).",
    discussion: "Examples:\n" + TaskName.allCases.flatMap(\.help.examples).map { "  \($0)" }.joined(separator: "\n"),
    version: ApusVersion.current,
    subcommands: [Train.self, Evaluate.self, Predict.self, Track.self, Ablate.self, Report.self, Score.self, Synth.self, Inspect.self,
                  Config.self, Convert.self, Parity.self, Bench.self, DataCommand.self, LearningRate.self, Doctor.self])

  /// Failures of the outside world end with their own exit code and one clear message; all else is the parser's business.
  static func main() {
    StandardStreams.prepare()
    MemoryPool.keepHeapSmall()
    StopSignal.ignoreWriteSignals()
    // Before anything that takes time: a signal that finds no handler ends the process.
    let command = CommandLine.arguments.dropFirst().first
    if command == Train._commandName { StopSignal.install() }
    if command == Ablate._commandName { StopSignal.install(hasWatchdog: false) }
    do {
      try checkCommandName(CommandLine.arguments.dropFirst().first ?? "--help")
      var command = try parseAsRoot()
      try InstructionSet.checkEnvironment()
      try command.run()
    } catch let failure as Failure {
      end("error: \(failure)", failure.kind.exitCode)
    } catch let code as ExitCode {
      Foundation.exit(code.rawValue)
    } catch where exitCode(for: error).isSuccess {
      say(fullMessage(for: error))  // help, or the version
    } catch {
      let text = fullMessage(for: error)
      end(text.hasPrefix("Error: ") ? "error: " + text.dropFirst("Error: ".count) : text, exitCode(for: error).rawValue)
    }
  }

  private static func say(_ text: String) {
    do {
      try StandardStreams.write(text.hasSuffix("\n") ? text : text + "\n")
    } catch {
      end("error: \(error)", Failure.Kind.inputOutput.exitCode)
    }
  }

  private static func end(_ message: String, _ code: Int32) -> Never {
    StandardStreams.complain("\(message)\n")
    Foundation.exit(code)
  }

  /// The parser calls a misspelt command an unexpected argument, and does not say what it may have been.
  private static func checkCommandName(_ name: String) throws {
    let known = configuration.subcommands.map { $0._commandName } + ["help"]
    guard !name.hasPrefix("-"), !known.contains(name) else { return }
    let suggestion = name.nearest(among: known).map { ". Did you mean '\($0)'?" } ?? ""
    throw Failure(.usage, at: "", "there is no command '\(name)'\(suggestion)", remedy: "Commands: \(known.joined(separator: ", ")).")
  }

  /// The words of all tasks about one command, below those that hold for every task.
  static func discussion(_ general: String, _ words: KeyPath<TaskHelp, String>) -> String {
    ([general] + TaskName.allCases.map { $0.help[keyPath: words] }).filter { !$0.isEmpty }.joined(separator: "\n\n")
  }
}
