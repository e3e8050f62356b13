import ArgumentParser
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
    subcommands: [Train.self, Evaluate.self, Predict.self, Synth.self, Inspect.self, Config.self, Parity.self])

  /// Failures of the outside world end with their own exit code and one clear message; all else is the parser's business.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as Failure {
      FileHandle.standardError.write(Data("error: \(failure)\n".utf8))
      Foundation.exit(failure.kind.exitCode)
    } catch {
      exit(withError: error)
    }
  }
}
