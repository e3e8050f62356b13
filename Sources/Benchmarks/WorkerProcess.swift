import Base
import Foundation
import Tensors

/// A child process that answers requests.
final class WorkerProcess {
  private let process = Process()
  private let requests = Pipe()
  private let replies = Pipe()
  private let errors: URL
  private var unread = Data()
  /// The worker's first message: its version and settings.
  private(set) var hello = WorkerReply()

  /// Starts a worker and reads its first line.
  /// - Throws: `.inputOutput` if it cannot be started or says why it cannot work.
  init(_ command: [String], environment: [String: String] = [:]) throws {
    errors = FileManager.default.temporaryDirectory.appending(path: "apus-bench-\(UUID().uuidString).txt")
    try Data().write(to: errors)
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = requests
    process.standardOutput = replies
    process.standardError = try FileHandle(forWritingTo: errors)
    signal(SIGPIPE, SIG_IGN)  // a worker that died is told by the end of its answers
    do { try process.run() } catch {
      throw Failure(.inputOutput, at: command[0], "the process cannot be started")
    }
    hello = try reply()
  }

  deinit {
    try? requests.fileHandleForWriting.close()  // the end of its input ends a worker
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: errors)
  }

  /// Processor time that its threads have used, seconds.
  var processorSeconds: Double { ProcessFacts.processorSeconds(of: process.processIdentifier) }

  /// - Throws: `.inputOutput` with the worker's words if it refuses or has ended.
  func ask(_ request: WorkerRequest) throws -> WorkerReply {
    do {
      try requests.fileHandleForWriting.write(contentsOf: JSONEncoder.snakeCase.encode(request) + Data("\n".utf8))
    } catch { throw ended() }
    return try reply()
  }

  private func reply() throws -> WorkerReply {
    guard let line = nextLine() else { throw ended() }
    guard let reply = try? JSONDecoder.snakeCase.decode(WorkerReply.self, from: line) else {
      throw Failure(.inputOutput, at: "", "unexpected answer: \(String(decoding: line.prefix(200), as: UTF8.self))")
    }
    if let problem = reply.error { throw Failure(.inputOutput, at: "", problem) }
    return reply
  }

  private func nextLine() -> Data? {
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        defer { unread = Data(unread[(end + 1)...]) }
        return Data(unread[..<end])
      }
      let more = replies.fileHandleForReading.availableData
      guard !more.isEmpty else { return nil }
      unread.append(more)
    }
  }

  /// The last thing the worker wrote before it ended.
  private func ended() -> Failure {
    process.waitUntilExit()
    let text = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
    let last = text.split(separator: "\n").last { !$0.trimmingCharacters(in: .whitespaces).isEmpty }
    return Failure(.inputOutput, at: "", last.map(String.init) ?? "the process ended with exit code \(process.terminationStatus)")
  }
}
