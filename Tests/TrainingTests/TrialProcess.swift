import Base
import Foundation
import Testing
import Training

/// Runs of the program `Trial` in a temporary folder.
struct TrialProcess {
  let place: TemporaryFolder
  var folder: String { "\(place.path)/run" }
  var store: CheckpointStore { CheckpointStore(runFolder: folder) }

  init() throws { place = try TemporaryFolder() }

  struct Ending {
    let exit: Int32?
    let signal: Int32?
    let seconds: Double
    let errors: String
  }

  /// The binary beside the test bundle.
  private static let binary = (Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0]))
    .resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "Trial").path

  /// Trains to the end, or as far as it gets.
  /// - Parameters:
  ///   - wrapper: a command that starts it, such as `strace` with its options.
  ///   - signals: what is sent when the log has a row of the step; later ones that many seconds after the one before.
  func run(_ options: String..., wrapper: [String] = [], signals: [(signal: Int32, delay: Double)] = [], afterStep step: Int = 0) throws -> Ending {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = wrapper + [Self.binary, folder] + options
    process.environment = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    let errors = "\(place.path)/errors.txt"
    try Data().write(to: URL(filePath: errors))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
    let start = Date()
    try process.run()
    if !signals.isEmpty {
      while process.isRunning, !((try? place.text("run/metrics.jsonl")) ?? "").contains("\"step\":\(step),"), Date().timeIntervalSince(start) < 60 {
        usleep(2000)
      }
    }
    for (signal, delay) in signals {
      usleep(UInt32(delay * 1e6))
      kill(process.processIdentifier, signal)
    }
    let deadline = Date(timeIntervalSinceNow: 60)
    while process.isRunning {
      if Date() > deadline { kill(process.processIdentifier, SIGKILL) }
      usleep(2000)
    }
    let isExit = process.terminationReason == .exit
    return Ending(exit: isExit ? process.terminationStatus : nil, signal: isExit ? nil : process.terminationStatus,
                  seconds: Date().timeIntervalSince(start), errors: try place.text("errors.txt"))
  }

  /// What must not depend on interruptions.
  struct Trace: Equatable {
    let files: [String: [UInt8]]
    let table: String
    let rows: [String]
    var steps: [Int]
    let best: Int?
  }

  func trace() throws -> Trace {
    let rows = try place.text("run/metrics.jsonl").split(separator: "\n").map { String($0.split(separator: "\"wall\"")[0]) }
    return Trace(files: try Checkpoint(folder: store.path(step: 13)).files, table: try place.text("run/metrics.csv"), rows: rows,
                 steps: try store.steps, best: try store.step(of: .best))
  }

  /// The run in one go.
  static let whole = Result {
    let trial = try TrialProcess()
    #expect(try trial.run().exit == 0)
    return try trial.trace()
  }

  /// Names of temporary files and partial folders that are left anywhere.
  func leftovers() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.contains("partial") || $0.contains(".replaced") }
  }

  /// Checks that the run goes on to the end as if nothing had happened.
  func expectContinues(_ comment: Comment? = nil, comparingSteps: Bool = true, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let ending = try run()
    #expect(ending.exit == 0, "\(ending.errors)", sourceLocation: sourceLocation)
    var (got, whole) = (try trace(), try Self.whole.get())
    if !comparingSteps {
      #expect(Set(got.steps).isSuperset(of: whole.steps) && got.steps.count <= whole.steps.count + 1, comment, sourceLocation: sourceLocation)
      (got.steps, whole.steps) = ([], [])
    }
    #expect(got == whole, comment, sourceLocation: sourceLocation)
    #expect(try leftovers() == [], comment, sourceLocation: sourceLocation)
  }

  /// Whether system calls can be counted, failed and killed here.
  static let canInject: Bool = {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/strace"), let trial = try? TrialProcess() else { return false }
    let log = "\(trial.place.path)/calls"
    let ending = try? trial.run(wrapper: ["strace", "-f", "-qq", "-o", log, "-e", "trace=mkdir", "-e", "inject=mkdir:error=EIO:when=1"])
    return ending?.exit == 74
  }()
}
