import ArgumentParser
import Base
import Foundation
import Tensors
import Training

/// The command line: parsing only, one file per command.
@main
struct Apus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus",
    abstract: "Trains vision models on CPUs: RAFT optical flow.",
    discussion: """
      Examples:
        apus synth flow --out data/flow --count 400 --seed 1
        apus train configs/raft/demo.yaml --set data.root=data/flow --resume auto
        apus evaluate configs/raft/demo.yaml --weights work_dirs/demo/RUN
        apus predict configs/raft/demo.yaml --weights work_dirs/demo/RUN --source frames/ --out flow/
      """,
    version: ApusVersion.current,
    subcommands: [Train.self, Evaluate.self, Predict.self, Synth.self, Inspect.self, Config.self, Convert.self, Parity.self, Bench.self])

  /// Failures of the outside world end with their own exit code and one clear message; all else is the parser's business.
  static func main() {
    StopSignal.ignoreWriteSignals()
    // Before anything that takes time: a signal that finds no handler ends the process.
    if CommandLine.arguments.dropFirst().first == Train._commandName { StopSignal.install() }
    do {
      try checkCommandName(CommandLine.arguments.dropFirst().first ?? "--help")
      var command = try parseAsRoot()
      try InstructionSet.checkEnvironment()
      try command.run()
    } catch let failure as Failure {
      end("error: \(failure)", failure.kind.exitCode)
    } catch where error is ExitCode || exitCode(for: error).isSuccess {
      exit(withError: error)
    } catch {
      let text = fullMessage(for: error)
      end(text.hasPrefix("Error: ") ? "error: " + text.dropFirst("Error: ".count) : text, exitCode(for: error).rawValue)
    }
  }

  private static func end(_ message: String, _ code: Int32) -> Never {
    FileHandle.standardError.write(Data("\(message)\n".utf8))
    Foundation.exit(code)
  }

  /// The parser calls a misspelt command an unexpected argument, and does not say what it may have been.
  private static func checkCommandName(_ name: String) throws {
    let known = configuration.subcommands.map { $0._commandName } + ["help"]
    guard !name.hasPrefix("-"), !known.contains(name) else { return }
    let suggestion = name.nearest(among: known).map { ". Did you mean '\($0)'?" } ?? ""
    throw Failure(.usage, at: "", "there is no command '\(name)'\(suggestion)", remedy: "Commands: \(known.joined(separator: ", ")).")
  }
}
