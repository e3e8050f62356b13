import Foundation
import Testing

/// How a run of `apus` ended, and all that it said.
struct Outcome {
  /// The exit code; nil if a signal ended the process.
  let exit: Int32?
  let signal: Int32?
  let output: String
  let errors: String

  var outputLines: [String] { output.split(separator: "\n").map(String.init) }
}

/// A child process of the built `apus`, in a folder of its own.
final class Command {
  struct TimedOut: Error {}

  private let process = Process()
  private let logs: (output: String, errors: String)

  /// The binary beside the test bundle.
  static let binary: URL = (Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0]))
    .resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "apus")

  /// Starts `apus` with these arguments.
  /// - Parameters:
  ///   - program: another program instead.
  ///   - folder: where it runs.
  ///   - logs: the beginning of the names of two files for what it says.
  ///   - environment: further variables.
  init(
    _ arguments: [String], of program: URL = Command.binary, in folder: String, logs: String, environment: [String: String] = [:]
  ) throws {
    self.logs = (logs + ".out", logs + ".err")
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: folder)
    // Only what a plain shell would hand over: no forced kernels, no colours.
    process.environment = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "NO_COLOR": "1"].merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try Command.file(self.logs.output)
    process.standardError = try Command.file(self.logs.errors)
    try process.run()
  }

  var isRunning: Bool { process.isRunning }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits until the process ends; ends it if that takes longer than two minutes, or as many seconds as are given.
  func wait(atMost seconds: Double = 120) throws -> Outcome {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while process.isRunning {
      guard Date() < deadline else {
        send(SIGKILL)
        throw TimedOut()
      }
      usleep(2000)
    }
    let status = process.terminationStatus, isExit = process.terminationReason == .exit
    return Outcome(exit: isExit ? status : nil, signal: isExit ? nil : status, output: try Command.text(logs.output),
                   errors: try Command.text(logs.errors))
  }

  private static func file(_ path: String) throws -> FileHandle {
    try Data().write(to: URL(filePath: path))
    return try FileHandle(forWritingTo: URL(filePath: path))
  }

  private static func text(_ path: String) throws -> String { String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self) }
}

/// Checks that a command failed as documented: with this exit code and one message, which contains all the words; no trace of a crash.
func expectFailure(_ outcome: Outcome, _ code: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(outcome.exit == code, "\(outcome.errors)", sourceLocation: sourceLocation)
  let messages = outcome.errors.components(separatedBy: "\n").indices.filter {
    outcome.errors.components(separatedBy: "\n")[$0].hasPrefix("error: ")
  }
  #expect(messages.count == 1, "expected one message in: \(outcome.errors)", sourceLocation: sourceLocation)
  let message = outcome.errors.components(separatedBy: "\n").dropFirst(messages.first ?? 0).joined(separator: "\n")
  for word in words { #expect(message.contains(word), "'\(word)' in: \(message)", sourceLocation: sourceLocation) }
  for trace in ["Fatal error", "crashed", "Optional(", "NSCocoaErrorDomain", "Swift.", ".swift:"] {
    #expect(!outcome.errors.contains(trace), "\(outcome.errors)", sourceLocation: sourceLocation)
  }
  #expect(message.utf8.count < 1500, "too long to be read", sourceLocation: sourceLocation)
}

/// Compares two files. (`#expect(a == b)` would work out an edit script between them, which takes hours for megabytes.)
func expectEqualBytes(_ a: [UInt8], _ b: [UInt8], _ name: String, sourceLocation: SourceLocation = #_sourceLocation) {
  guard a != b else { return }
  let place = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(a.count, b.count)
  Issue.record("\(name): \(a.count) and \(b.count) bytes, which differ from byte \(place) on", sourceLocation: sourceLocation)
}

/// Checks that a command did what it was asked, without a warning.
func expectSuccess(_ outcome: Outcome, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(outcome.exit == 0, "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(!outcome.errors.contains("warning"), "\(outcome.errors)", sourceLocation: sourceLocation)
}
