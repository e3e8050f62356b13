import Base
import Foundation

/// The record of a run, `metrics.jsonl`, read back.
public struct MetricHistory: Sendable {
  public struct Row: Sendable {
    /// `train` or `val`.
    public let split: String
    public let step: Int
    /// Whole passes over the training set up to it.
    public let epoch: Int
    /// Minutes of work up to it; pauses of half an hour and more, between two processes, are left out.
    public let minutes: Double
    /// All numbers of the row, those of the clock too (`time`, `memory`); NaN where one was not finite.
    public let values: [String: Double]
  }

  /// In the order of the file.
  public let rows: [Row]
  /// Whether the last line has no end, and so does not count: a process writes it just now, or was killed meanwhile.
  public let endsInHalfLine: Bool

  /// The file's name in the run folder.
  public static let fileName = "metrics.jsonl"
  private static let longestPause = 1800.0

  /// - Throws: `.missingInput` if the folder has no log, `.badData` naming the line that is no row of one.
  public init(runFolder: String) throws {
    let path = Path.join(runFolder, Self.fileName)
    let bytes = try File.bytes(at: path)
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    endsInHalfLine = end < bytes.count
    var rows: [Row] = []
    var last: Double?
    var minutes = 0.0
    for (index, line) in bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().enumerated() {
      let object = try? JSONDecoder().decode(LoggedLine.self, from: Foundation.Data(line))
      guard let object, case .text(let split) = object["split"], let step = object["step"]?.integer else {
        throw Failure(.badData, at: "\(path):\(index + 1)", "this line is no row of a metric log: expected a JSON object with 'split', "
                      + "'step' and numbers, found '\(String(decoding: line.prefix(80), as: UTF8.self))'",
                      remedy: "Remove the line, or continue the run with --resume \(runFolder), which takes broken lines out.")
      }
      if case .number(let wall) = object["wall"] {
        let gap = last.map { wall - $0 } ?? 0
        minutes += gap > 0 && gap < Self.longestPause ? gap / 60 : 0
        last = wall
      }
      rows.append(Row(split: split, step: step, epoch: object["epoch"]?.integer ?? 0, minutes: minutes, values: Self.numbers(of: object)))
    }
    self.rows = rows
  }

  private static func numbers(of line: LoggedLine) -> [String: Double] {
    line.compactMapValues { value in
      switch value {
      case .number(let number): number
      case .null: .nan
      case .text: nil
      }
    }
  }

  /// The values of a metric by step; of a step that was logged twice the later one.
  public func values(of name: String, split: String) -> [(step: Int, value: Double)] {
    var values: [(step: Int, value: Double)] = []
    for row in rows where row.split == split {
      guard let value = row.values[name] else { continue }
      if values.last?.step == row.step { values.removeLast() }
      values.append((row.step, value))
    }
    return values
  }

  /// The last step of any row; 0 without one.
  public var lastStep: Int { rows.map(\.step).max() ?? 0 }
  public var minutes: Double { rows.last?.minutes ?? 0 }
}
