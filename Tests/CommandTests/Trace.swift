import Base
import Foundation
import Testing

/// What a run leaves that must not depend on interruptions, threads or workers.
struct Trace {
  let model, optimizer, state: [UInt8]
  let table: String
  /// The rows of `metrics.jsonl` without the clock.
  let rows: [String]

  /// - Parameter step: of the checkpoint.
  init(_ place: Workplace, run: String, step: Int) throws {
    let checkpoint = Trace.checkpoint(run, step)
    model = try place.bytes("\(checkpoint)/model.safetensors")
    optimizer = try place.bytes("\(checkpoint)/optimizer.safetensors")
    state = try place.bytes("\(checkpoint)/state.json")
    table = try place.text("\(run)/metrics.csv")
    rows = try place.text("\(run)/metrics.jsonl").split(separator: "\n").map { $0.components(separatedBy: ",\"wall\"")[0] }
  }

  /// The folder of a run's checkpoint.
  static func checkpoint(_ run: String, _ step: Int) -> String {
    let digits = "\(step)"
    return "\(run)/checkpoints/step_" + String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// Compares part by part, so that a failure says which one differs.
  func expectEqual(_ other: Trace, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(rows == other.rows, sourceLocation: sourceLocation)
    #expect(table == other.table, sourceLocation: sourceLocation)
    expectEqualBytes(model, other.model, "model.safetensors", sourceLocation: sourceLocation)
    expectEqualBytes(optimizer, other.optimizer, "optimizer.safetensors", sourceLocation: sourceLocation)
    expectEqualBytes(state, other.state, "state.json", sourceLocation: sourceLocation)
  }
}
