import Foundation
import Tensors

/// A profile in Chrome's trace format, for ui.perfetto.dev and chrome://tracing: one complete event (`"ph":"X"`) for each op and span, and
/// the memory in use as a counter. Times in microseconds.
///
/// - Source: "Trace Event Format", Google, 2016.
struct ProfileTrace: Encodable {
  private struct Event: Encodable {
    let name: String
    var cat: String?
    let ph: String
    var ts: Double?
    var dur: Double?
    let pid = Int(getpid())
    var tid = 1
    var args: Arguments?
  }

  /// The details that the viewer shows of a selected event.
  private struct Arguments: Encodable {
    var name: String?
    var inputs: String?
    var outputs: String?
    var gflops: Double?
    var allocatedBytes: Int?
    var savedBytes: Int?
    var mebibytes: Double?

    enum CodingKeys: String, CodingKey {
      case name, inputs, outputs, gflops = "GFLOP/s", allocatedBytes = "allocated bytes", savedBytes = "saved bytes", mebibytes = "MiB"
    }
  }

  private let displayTimeUnit = "ms"
  private let traceEvents: [Event]

  /// - Parameter title: what the viewer calls the process.
  init(_ profile: Profile, title: String) {
    var events = [Event(name: "process_name", ph: "M", args: Arguments(name: title)),
                  Event(name: "thread_name", ph: "M", args: Arguments(name: "training"))]
    for event in profile.events {
      let end = event.start + event.duration
      var arguments = Arguments(allocatedBytes: event.allocated)
      if !event.inputs.isEmpty { arguments.inputs = Self.text(event.inputs) }
      if !event.outputs.isEmpty { arguments.outputs = Self.text(event.outputs) }
      if event.flops > 0 { arguments.gflops = Double(event.flops) / Double(max(event.duration, 1)) }
      if event.saved > 0 { arguments.savedBytes = event.saved }
      let name = event.kind == .backward ? "\(event.name) backward" : event.name
      events.append(Event(name: name, cat: event.kind.rawValue, ph: "X", ts: Double(event.start) / 1000,
                          dur: Double(event.duration) / 1000, args: arguments))
      events.append(Event(name: "memory in use", ph: "C", ts: Double(end) / 1000,
                          args: Arguments(mebibytes: Double(event.inUse) / Double(1 << 20))))
    }
    traceEvents = events
  }

  private static func text(_ shapes: [[Int]]) -> String { shapes.map(\.description).joined(separator: " ") }

  func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }
}
