import Base
import Foundation
import Tensors

/// PyTorch's side: how its worker is started, and which variant of each workload was fastest.
struct TorchBaseline {
  static let script = "Experiments/benchmarks/torch_worker.py"

  /// The fastest PyTorch variant of a workload, shared by its cases.
  struct Choice {
    var variant: String
    var notes: [String]
    var peakMebibytes: Double?
  }

  private(set) var version = ""
  private let command: [String]
  private let threads: Int
  private var choices: [String: Choice] = [:]

  /// Starts a worker once, to see whether Python, the script and PyTorch are there.
  /// - Parameter compiles: whether torch.compile is tried, which may take minutes for a large graph.
  /// - Throws: what is missing.
  init(python: String, threads: Int, compiles: Bool) throws {
    let program = python.contains("/") ? [python] : ["/usr/bin/env", python]
    command = program + [try Self.locatedScript(), "--threads", "\(threads)"] + (compiles ? [] : ["--no-compile"])
    self.threads = threads
    version = try worker().hello.version ?? "of unknown version"
  }

  /// Threads are set before PyTorch loads, too, for what reads the environment only.
  func worker() throws -> WorkerProcess {
    try WorkerProcess(command, environment: ["OMP_NUM_THREADS": "\(threads)", "MKL_NUM_THREADS": "\(threads)"])
  }

  func choice(for benchmark: BenchmarkCase) throws -> Choice? { choices[try Self.key(benchmark)] }

  mutating func remember(_ choice: Choice, for benchmark: BenchmarkCase) throws { choices[try Self.key(benchmark)] = choice }

  private static func key(_ benchmark: BenchmarkCase) throws -> String {
    func sizes(_ workload: some Workload) throws -> Data { try JSONEncoder.snakeCase.encode(workload) }
    return type(of: benchmark.workload).kind + String(decoding: try sizes(benchmark.workload), as: UTF8.self)
  }

  /// The script in this folder or one above, or in one above the program.
  private static func locatedScript() throws -> String {
    let program = Bundle.main.executableURL?.resolvingSymlinksInPath().path(percentEncoded: false) ?? "/"
    for start in [FileManager.default.currentDirectoryPath, program] {
      var folder = start
      while true {
        let path = folder == "/" ? "/" + script : "\(folder)/\(script)"
        if FileManager.default.fileExists(atPath: path) { return path }
        if folder == "/" || folder.isEmpty { break }
        folder = Path.folder(folder)
      }
    }
    throw Failure(.missingInput, at: script, "this script is neither in a folder above this one nor in one above the program")
  }
}
