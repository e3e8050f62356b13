import Base
import Foundation
import Training

/// A command of this program in a process of its own.
final class ChildProcess {
  private let process = Process()
  private let errors: String
  private let began = Date()
  /// The most memory that it took so far, MiB.
  private(set) var memory = 0

  /// The way a process ended.
  enum End: Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  /// Starts a command.
  /// - Parameters:
  ///   - program: the path of the executable.
  ///   - output: a file for its standard output, written anew; nil: none.
  ///   - errors: a file for what it says, written anew.
  /// - Throws: `.cannotCreate` if a file cannot be made, `.inputOutput` if the process cannot be started.
  init(_ program: String, _ arguments: [String], output: String?, errors: String) throws {
    self.errors = errors
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    // A training follows this process: it saves and stops when nobody waits for it any longer.
    process.environment = ProcessInfo.processInfo.environment.merging([StopSignal.starterVariable: "\(getpid())"]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try output.map(Self.file) ?? FileHandle.nullDevice
    process.standardError = try Self.file(errors)
    do { try process.run() } catch { throw Failure(.inputOutput, at: program, "the process cannot be started: \(error)") }
  }

  private static func file(_ path: String) throws -> FileHandle {
    try AtomicFile.write("", to: path)
    guard let handle = FileHandle(forWritingAtPath: path) else { throw Failure(.cannotCreate, at: path, "cannot be written to") }
    return handle
  }

  /// How it ended; nil as long as it runs.
  var end: End? {
    guard !process.isRunning else { return nil }
    return process.terminationReason == .exit ? .exit(process.terminationStatus) : .signal(process.terminationStatus)
  }

  var seconds: Double { Date().timeIntervalSince(began) }

  func send(_ signal: Int32) { if process.isRunning { kill(process.processIdentifier, signal) } }

  /// Looks how much memory it takes.
  func measureMemory() {
    guard let text = try? File.text(at: "/proc/\(process.processIdentifier)/status"),
          let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
          let kibibytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }) else { return }
    memory = max(memory, kibibytes / 1024)
  }

  /// The error that it ended with, in its own words; else how it ended.
  var message: String {
    let lines = ((try? File.text(at: errors)) ?? "").split(separator: "\n").map(String.init)
    if let first = lines.lastIndex(where: { $0.hasPrefix("error: ") }) {
      return lines[first...].prefix(6).joined(separator: "\n").dropFirst("error: ".count).description
    }
    switch end {
    case .exit(let code)?: return "ended with exit code \(code)"
    case .signal(let signal)?: return "ended by signal \(signal)" + (signal == SIGKILL ? ", perhaps for lack of memory" : "")
    case nil: return "still running"
    }
  }
}
