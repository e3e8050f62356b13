import Base
import Foundation

/// The metric logs of a run folder: `metrics.jsonl`, `metrics.csv` and TensorBoard's event file.
///
/// The JSON lines are the record; on resume the table is written anew from them, and the rows after the checkpoint's step go
/// to `metrics.dropped.jsonl`.
final class MetricLog {
  private let table: MetricTable
  private let lines: AppendOnlyFile
  private let csv: AppendOnlyFile
  private let events: EventFile
  /// The rows that an earlier process wrote and that still count.
  private let kept: [LoggedLine]

  /// - Parameters:
  ///   - names: all metrics that will come, in the order of the table's columns.
  ///   - step: the last step that is done: 0 for a fresh run, the checkpoint's step on resume.
  init(folder: String, names: [String], resumedAt step: Int, isResumed: Bool, time: TimeSource) throws {
    let table = MetricTable(names: names)
    self.table = table
    let paths = (lines: "\(folder)/\(MetricHistory.fileName)", csv: "\(folder)/metrics.csv")
    kept = try MetricLog.repair(paths.lines, dropped: "\(folder)/metrics.dropped.jsonl", after: isResumed ? step : -1)
    try AtomicFile.write(([table.header] + kept.compactMap { table.row($0) }).map { $0 + "\n" }.joined(), to: paths.csv)
    lines = try AppendOnlyFile(appendingTo: paths.lines)
    csv = try AppendOnlyFile(appendingTo: paths.csv)
    events = try EventFile(folder: folder, firstStep: isResumed ? step + 1 : 0, time: time)
  }

  /// The numbers of a row that was there when the log was opened; nil if there was none.
  func keptMetrics(split: String, step: Int) -> Metrics? {
    guard let line = kept.last(where: { $0["split"] == .text(split) && $0["step"]?.integer == step }) else { return nil }
    var metrics = Metrics()
    for name in table.columns.dropFirst(3) {
      switch line[name] {
      case .number(let value): metrics[name] = value
      case .null: metrics[name] = .nan
      case .text, nil: break
      }
    }
    return metrics
  }

  func append(_ event: MetricEvent) throws {
    let row = table.row(event)
    try lines.append(line: event.json)
    try csv.append(line: row)
    try events.append(scalars: Array(event.values) + Array(event.clock).filter { $0.name != "wall" }, split: event.split, step: event.step)
  }

  func append(picture png: [UInt8], tag: String, step: Int) throws { try events.append(image: png, tag: tag, step: step) }

  /// Waits until all rows are on the disk: done before a checkpoint, so that no checkpoint is newer than its log.
  func synchronize() throws {
    try lines.synchronize()
    try csv.synchronize()
  }

  /// Takes the rows after `step`, unreadable ones and a last half line out of the log; returns the rows that stay.
  private static func repair(_ path: String, dropped: String, after step: Int) throws -> [LoggedLine] {
    guard let bytes = try File.bytesIfPresent(at: path) else { return [] }
    let ends = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    var kept: [LoggedLine] = []
    var keptBytes: [UInt8] = []
    var droppedBytes: [UInt8] = []
    for line in bytes[..<ends].split(separator: UInt8(ascii: "\n")) {
      let row = try? JSONDecoder().decode(LoggedLine.self, from: Data(line))
      if let row, let rowStep = row["step"]?.integer, rowStep <= step {
        kept.append(row)
        keptBytes += line + [UInt8(ascii: "\n")]
      } else {
        droppedBytes += line + [UInt8(ascii: "\n")]
      }
    }
    guard keptBytes.count < bytes.count else { return kept }
    if !droppedBytes.isEmpty { try AppendOnlyFile(appendingTo: dropped).append(droppedBytes) }
    try AtomicFile.write(keptBytes, to: path)
    return kept
  }
}
