import Base
import Foundation

/// `metrics.csv`: one header, fixed at the start, and as many cells in every row; empty where a split lacks the metric.
///
/// It holds no clock, so the tables of two equal runs are equal files. Numbers that are not finite read `nan`.
struct MetricTable {
  let columns: [String]

  /// - Parameter names: the metrics of all splits; duplicates count once.
  init(names: [String]) {
    var columns = ["split", "step", "epoch"]
    for name in names where !columns.contains(name) { columns.append(name) }
    self.columns = columns
  }

  var header: String { columns.joined(separator: ",") }

  func row(_ event: MetricEvent) -> String {
    for name in event.values.names where !columns.contains(name) {
      stop("metric log: '\(name)' of the split '\(event.split)' was not declared by the recipe; declared: \(header)")
    }
    return row(split: event.split, step: event.step, epoch: event.epoch) { name in
      event.values[name].map { MetricEvent.number($0) ?? "nan" }
    }
  }

  /// The row of one parsed line of `metrics.jsonl`; `nil` if it is not such a line.
  func row(_ line: LoggedLine) -> String? {
    guard case .text(let split) = line["split"], let step = line["step"]?.integer, let epoch = line["epoch"]?.integer else { return nil }
    return row(split: split, step: step, epoch: epoch) { name in
      switch line[name] {
      case .number(let value): MetricEvent.number(value)
      case .null: "nan"
      case .text, nil: nil
      }
    }
  }

  private func row(split: String, step: Int, epoch: Int, cell: (String) -> String?) -> String {
    ([split, String(step), String(epoch)] + columns.dropFirst(3).map { cell($0) ?? "" }).joined(separator: ",")
  }
}

/// A line of `metrics.jsonl` read back.
typealias LoggedLine = [String: LoggedValue]

enum LoggedValue: Decodable, Equatable {
  case number(Double), text(String), null

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  var integer: Int? { if case .number(let value) = self { Int(exactly: value) } else { nil } }
}
