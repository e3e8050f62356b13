import Base
import Foundation
import Tensors

/// A profile of some training steps, summed up by op.
public struct ProfileReport: Sendable {
  /// All events of one name in one pass together; products by different algorithms are counted apart.
  public struct Row: Sendable {
    public let kind: Profile.Event.Kind
    public let name: String
    /// The algorithms of its products, such as `winograd F(2x4, 3x3)`; empty where there are none.
    public let algorithms: String
    public fileprivate(set) var calls = 0
    /// Nanoseconds that belong to nothing else.
    public fileprivate(set) var duration = 0
    /// Floating-point operations of matrix products and convolutions.
    public fileprivate(set) var flops = 0
    /// Bytes of inputs and outputs.
    public fileprivate(set) var bytes = 0
    /// Bytes taken from the memory pool.
    public fileprivate(set) var allocated = 0
    /// Bytes that forward ops kept for the backward pass.
    public fileprivate(set) var saved = 0
    /// Part of the profile's time, 0...1; all rows together have 1.
    public fileprivate(set) var share = 0.0

    fileprivate init(_ kind: Profile.Event.Kind, _ name: String, _ algorithms: String = "") {
      self.kind = kind
      self.name = name
      self.algorithms = algorithms
    }

    fileprivate mutating func add(_ event: Profile.Event) {
      calls += 1
      duration += event.ownDuration
      flops += event.flops
      bytes += event.bytes
      allocated += event.allocated
      saved += event.saved
    }
  }

  public let profile: Profile
  public let steps: Int
  /// Forward ops, backward ops and other work, each by falling time.
  public let rows: [Row]

  /// - Parameter steps: how many steps the profile covers.
  public init(_ profile: Profile, steps: Int) {
    (self.profile, self.steps) = (profile, max(steps, 1))
    var rows: [String: Row] = [:]
    for event in profile.events {
      let algorithms = event.algorithms.sorted().joined(separator: " + ")
      rows["\(event.kind.rawValue) \(event.name) \(algorithms)", default: Row(event.kind, event.name, algorithms)].add(event)
    }
    let total = Double(max(profile.duration, 1))
    self.rows = Profile.Event.Kind.allCases.flatMap { kind in
      rows.values.filter { $0.kind == kind }.map { row in
        var row = row
        row.share = Double(row.duration) / total
        return row
      }.sorted { ($0.duration, $1.name, $1.algorithms) > ($1.duration, $0.name, $0.algorithms) }
    }
  }

  /// The table that `apus train --profile` prints; all numbers but the rates are per step.
  public var table: String {
    var table = TextTable(
      ["pass", "op", "calls", "ms", "share", "GFLOP/s", "GB/s", "MiB allocated", "MiB saved", "algorithm"],
      rightAligned: [2, 3, 4, 5, 6, 7, 8])
    for kind in Profile.Event.Kind.allCases {
      let part = rows.filter { $0.kind == kind }
      for row in part { table.add(cells(row, kind == .span ? "other" : kind.rawValue)) }
      var sum = Row(kind, "")
      for row in part { sum.add(row) }
      if kind != .span { table.add(cells(sum, kind.rawValue, name: "all ops")) }
    }
    let milliseconds = Double(profile.duration) / 1e6 / Double(steps)
    return """
      \(table.text)
      One step: \(Self.number(milliseconds)) ms, the mean of \(steps). Numbers are per step. \
      Saved: what forward ops kept for the backward pass.
      Memory of tensors: \(profile.highWater >> 20) MiB in use at most, \(profile.reserved >> 20) MiB taken from the system.

      """
  }

  private func cells(_ row: Row, _ pass: String, name: String? = nil) -> [String] {
    func perStep(_ value: Int, _ unit: Double) -> String { value == 0 ? "" : Self.number(Double(value) / unit / Double(steps)) }
    func rate(_ value: Int) -> String { value == 0 || row.duration == 0 ? "" : Self.number(Double(value) / Double(row.duration)) }
    let calls = row.calls % steps == 0 ? "\(row.calls / steps)" : Self.number(Double(row.calls) / Double(steps))
    let mebi = Double(1 << 20)
    return [pass, name ?? row.name, calls, perStep(row.duration, 1e6), Self.number(100 * row.share) + "%", rate(row.flops),
            row.flops > 0 ? "" : rate(row.bytes), perStep(row.allocated, mebi), perStep(row.saved, mebi), row.algorithms]
  }

  /// With one decimal.
  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}

extension ProfileReport.Row {
  fileprivate mutating func add(_ row: ProfileReport.Row) {
    calls += row.calls
    duration += row.duration
    flops += row.flops
    bytes += row.bytes
    allocated += row.allocated
    saved += row.saved
    share += row.share
  }
}
