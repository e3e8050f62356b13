import ArgumentParser
import Base
import Benchmarks
import Foundation
import Tensors
import Training

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time convolutions, layers and training steps against PyTorch on this machine.",
    discussion: """
      Both sides compute the same shapes with the same number of threads, in processes of their own, in turns. PyTorch runs as the fastest
      of eager, channels-last and compiled. Without Python or PyTorch only our side runs; Experiments/benchmarks/README.md says options to
      install them and what exactly is measured.

      Examples:
        apus bench
        apus bench conv3x3 --rounds 5
        apus bench \(BenchmarkCase.all.last?.name ?? "") --json
      """)

  /// The role of this process: the conductor, or one of its children.
  enum Role: String, ExpressibleByArgument, CaseIterable { case conductor, worker, neighbour }

  @Argument(help: "Cases or groups of cases; all if none is named.")
  var names: [String] = []

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  @Option(parsing: .unconditional, help: "How often the two sides take turns.")
  var rounds = BenchmarkRunner.Options().rounds

  @Option(parsing: .unconditional, help: "Threads of either side; 0: one for each core.")
  var threads = 0

  @Option(help: "Precision of products: highest, high or medium.")
  var precision = MatmulPrecision.highest

  @Flag(help: "Time our side only.")
  var noTorch = false

  @Flag(help: "Leave out torch.compile, which takes minutes for a whole network.")
  var noCompile = false

  @Option(help: ArgumentHelp("The Python interpreter that has PyTorch.", valueName: "path"))
  var python = BenchmarkRunner.Options().python

  @Flag(help: "Print where time and memory of our side go, op by op, instead of a comparison.")
  var profile = false

  @Flag(help: "List the cases instead.")
  var list = false

  @Option(help: .hidden)
  var role = Role.conductor

  func run() throws {
    guard rounds >= 1 else { throw Failure(.usage, at: "--rounds", "\(rounds) is out of range, expected 1 or more") }
    guard (0...4096).contains(threads) else { throw Failure(.usage, at: "--threads", "\(threads) is out of range, expected 0 to 4096") }
    switch role {
    case .conductor: list ? try printList() : profile ? try printProfiles() : try conduct()
    case .worker:
      var worker = BenchmarkWorker(threads: max(threads, 1))
      try worker.serve()
    case .neighbour: BackgroundLoad.run()
    }
  }

  private func printList() throws {
    let width = BenchmarkCase.all.map(\.name.count).max() ?? 0
    let lines = BenchmarkCase.all.map { $0.name.padding(toLength: width, withPad: " ", startingAt: 0) + "  \($0.summary)\n" }
    try StandardStreams.write(lines.joined())
  }

  private func printProfiles() throws {
    for item in try BenchmarkCase.select(names) {
      let report = try BenchmarkWorker.profile(of: item, steps: rounds, threads: threads, precision: precision)
      try StandardStreams.write("\(item.name): \(item.summary)\n\n\(report.table)\n")
    }
  }

  private func conduct() throws {
    let cases = try BenchmarkCase.select(names)
    var options = BenchmarkRunner.Options()
    options.rounds = rounds
    if threads > 0 { options.threads = threads }
    (options.precision, options.usesTorch, options.python) = (precision, !noTorch, python)
    options.compiles = !noCompile
    let program = Bundle.main.executableURL?.path(percentEncoded: false) ?? CommandLine.arguments[0]
    let conductor = BenchmarkRunner(
      options, workerCommand: [program, "bench", "--role", "worker", "--threads", "\(options.threads)"],
      neighbourCommand: [program, "bench", "--role", "neighbour"])
    let counter = CountLine("measuring")
    let report = try conductor.run(cases) { _, done in counter.show(done, of: cases.count) }
    counter.finish()
    try StandardStreams.write(json ? report.json() + "\n" : report.text)
  }
}

extension MatmulPrecision: ExpressibleByArgument {}
