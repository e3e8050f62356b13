import Base
import Foundation

/// `run.json`: how a run stands. A state `running` whose process is gone means that it was killed.
public struct RunRecord: Codable, Sendable, Equatable {
  public enum State: String, Codable, Sendable {
    case running, completed, stopped, failed, diverged
  }

  public var state = State.running
  public var pid = Int(getpid())
  public var host = ProcessInfo.processInfo.hostName
  /// UTC, as `20260131T235959Z`.
  public var started: String
  public var ended: String?
  /// The step of the checkpoint this process continued from.
  public var resumedFrom: Int?
  /// Updates done, and planned.
  public var step: Int
  public var steps: Int
  /// The exit code, once known.
  public var exit: Int?
  /// The error that ended the run, if one did.
  public var problem: String?

  static let name = "run.json"

  /// Records that the process of a run ends because of `failure`, if it was still running.
  static func fail(with failure: Failure, in folder: String) {
    guard var record = try? RunRecord(folder: folder), record.state == .running, record.pid == Int(getpid()) else { return }
    record.state = .failed
    record.exit = Int(failure.kind.exitCode)
    record.problem = failure.description
    record.ended = TimeSource.stamp(TimeSource.system.wall())
    try? record.write(to: folder)
  }

  func write(to folder: String) throws {
    let encoder = JSONEncoder.ofFiles
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try AtomicFile.write(Array(try encoder.encode(self)) + [UInt8(ascii: "\n")], to: "\(folder)/\(RunRecord.name)")
  }

  /// The record of a run folder.
  /// - Throws: `Failure(.missingInput)` if there is none, `.badData` if it cannot be read.
  public init(folder: String) throws {
    let path = "\(folder)/\(RunRecord.name)"
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let bytes = try File.bytes(at: path)
    guard let record = try? decoder.decode(RunRecord.self, from: Data(bytes)) else {
      throw Failure(.badData, at: path, "this is not the record of a run")
    }
    self = record
  }

  init(started: String, resumedFrom: Int?, step: Int, steps: Int) {
    (self.started, self.resumedFrom, self.step, self.steps) = (started, resumedFrom, step, steps)
  }
}
