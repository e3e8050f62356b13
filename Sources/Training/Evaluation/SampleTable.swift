import Base

/// A number of one evaluation sample.
///
/// The metric of the set is the mean of these numbers by their weights: a pooled error has the sample's pixels as its weight, a ratio of
/// two sums its denominator. A metric that is a mean over parts (over classes, say) has a number for each part that the sample holds; that
/// of the set is the mean over the parts of their weighted means.
public struct SampleScore: Sendable, Equatable {
  public let metric: String
  /// Empty for a metric without parts.
  public let part: String
  public let value: Double
  public let weight: Double

  /// - Precondition: the weight is above 0; of what a sample lacks there is no score.
  public init(_ metric: String, part: String = "", _ value: Double, weight: Double = 1) {
    require(weight > 0, "SampleScore: the weight \(weight) of \(metric)")
    (self.metric, self.part, self.value, self.weight) = (metric, part, value, weight)
  }

  /// The head of its column: `metric` or `metric/part`.
  fileprivate var head: String { part.isEmpty ? metric : "\(metric)/\(part)" }
}

/// The numbers of all samples of an evaluation, a row for each.
///
/// As CSV: the column `sample` with the names, then one for each metric, or part of one (`mIoU/road`); weights other than 1 stand in a
/// column of their own (`mIoU/road@weight`). A cell is empty where the sample has no such number.
public struct SampleTable: Sendable, Equatable {
  /// In the order of the evaluation.
  public private(set) var names: [String] = []
  private var columns: [Column] = []
  private var places: [String: Int] = [:]

  private struct Column: Sendable, Equatable {
    let head: String
    /// One for each sample; 0 with the weight 0 where there is none.
    var values: [Double] = []
    var weights: [Double] = []

    var metric: String { String(head.prefix { $0 != "/" }) }
    var isWeighted: Bool { weights.contains { $0 != 0 && $0 != 1 } }

    mutating func pad(to count: Int) {
      let missing = [Double](repeating: 0, count: count - values.count)
      values += missing
      weights += missing
    }
  }

  public init() {}

  /// Adds a sample.
  public mutating func add(_ name: String, _ scores: [SampleScore]) {
    for score in scores {
      let place = place(of: score.head)
      columns[place].pad(to: names.count)
      columns[place].values.append(score.value)
      columns[place].weights.append(score.weight)
    }
    names.append(name)
  }

  private mutating func place(of head: String) -> Int {
    if let place = places[head] { return place }
    places[head] = columns.count
    columns.append(Column(head: head))
    return columns.count - 1
  }

  /// The metrics that any sample has, in the order of the columns.
  public var metrics: [String] { columns.map(\.metric).uniqued() }

  /// The metric of the whole set; nil if no sample has it.
  public func value(of metric: String) -> Double? { self[metric]?.value() }

  /// A metric, ready to be taken over choices of samples; nil if no sample has it.
  public subscript(metric: String) -> SampleMetric? {
    let parts = columns.filter { $0.metric == metric }.map { column -> SampleMetric.Part in
      var column = column
      column.pad(to: names.count)
      return SampleMetric.Part(products: zip(column.values, column.weights).map(*), weights: column.weights)
    }
    return parts.isEmpty ? nil : SampleMetric(parts: parts, count: names.count)
  }
}

/// One metric of all samples of an evaluation, part by part.
public struct SampleMetric: Sendable, Equatable {
  struct Part: Sendable, Equatable {
    /// Values times weights, and weights, sample by sample.
    let products: [Double]
    let weights: [Double]
  }

  let parts: [Part]
  /// Samples.
  public let count: Int

  /// Samples that have the metric.
  public var presentCount: Int { (0..<count).count { index in parts.contains { $0.weights[index] > 0 } } }

  /// The metric over some samples; nil if none of them has it.
  /// - Parameter counts: how often each sample is taken; nil: once.
  public func value(counts: [Int]? = nil) -> Double? {
    var sum = 0.0
    var present = 0
    for part in parts {
      var product = 0.0
      var weight = 0.0
      for index in 0..<count where part.weights[index] > 0 {
        let times = counts?[index] ?? 1
        guard times > 0 else { continue }
        product += Double(times) * part.products[index]
        weight += Double(times) * part.weights[index]
      }
      guard weight > 0 else { continue }
      sum += product / weight
      present += 1
    }
    return present == 0 ? nil : sum / Double(present)
  }
}

// MARK: CSV

extension SampleTable {
  private static let weightSuffix = "@weight"

  /// The table as text; numbers read back as they are.
  public var csv: String {
    let filled = columns.map { column -> Column in
      var column = column
      column.pad(to: names.count)
      return column
    }
    let heads = filled.flatMap { $0.isWeighted ? [$0.head, $0.head + Self.weightSuffix] : [$0.head] }
    var lines = [(["sample"] + heads).map(\.quotedCSV).joined(separator: ",")]
    for (row, name) in names.enumerated() {
      let cells = filled.flatMap { column -> [String] in
        let isThere = column.weights[row] > 0
        let value = isThere ? "\(column.values[row])" : ""
        return column.isWeighted ? [value, isThere ? "\(column.weights[row])" : ""] : [value]
      }
      lines.append(([name.quotedCSV] + cells).joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Reads such a text.
  /// - Parameter place: the file, for failures.
  /// - Throws: `.badData` if it is something else.
  public init(csv text: String, at place: String) throws {
    func broken(_ line: Int, _ problem: String) -> Failure {
      Failure(.badData, at: "\(place):\(line + 1)", problem, remedy: "apus evaluate --samples writes such a table.")
    }
    let rows = CSVRows.rows(of: text)
    guard let heads = rows.first, heads.first == "sample" else { throw broken(0, "the header does not begin with 'sample'") }
    let weightPlaces = Dictionary(heads.enumerated().map { ($1, $0) }) { first, _ in first }
    for (line, cells) in rows.enumerated().dropFirst() {
      guard cells.count == heads.count else { throw broken(line, "\(cells.count) cells, expected \(heads.count)") }
      var scores: [SampleScore] = []
      for (column, head) in heads.enumerated().dropFirst() where !head.hasSuffix(Self.weightSuffix) && !cells[column].isEmpty {
        let weightCell = weightPlaces[head + Self.weightSuffix].map { cells[$0] } ?? "1"
        guard let value = Double(cells[column]), let weight = Double(weightCell), weight > 0 else {
          throw broken(line, "'\(cells[column])' with the weight '\(weightCell)' is no number")
        }
        let parts = head.split(separator: "/", maxSplits: 1).map(String.init)
        scores.append(SampleScore(parts[0], part: parts.count > 1 ? parts[1] : "", value, weight: weight))
      }
      add(cells[0], scores)
    }
  }
}

/// Comma-separated values as RFC 4180 has them: texts with commas, quotes and line ends stand in quotes.
private enum CSVRows {
  static func rows(of text: String) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var cell: [UInt8] = []
    var isQuoted = false
    let bytes = Array(text.utf8)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\"") where isQuoted && index < bytes.count && bytes[index] == UInt8(ascii: "\""):
        cell.append(byte)
        index += 1
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: ",") where !isQuoted:
        row.append(String(decoding: cell, as: UTF8.self))
        cell = []
      case UInt8(ascii: "\n") where !isQuoted:
        rows.append(row + [String(decoding: cell, as: UTF8.self)])
        (row, cell) = ([], [])
      default: cell.append(byte)
      }
    }
    return row.isEmpty && cell.isEmpty ? rows : rows + [row + [String(decoding: cell, as: UTF8.self)]]
  }
}

extension String {
  /// The text as a cell of a CSV file.
  package var quotedCSV: String {
    let isPlain = !utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains($0) }
    return isPlain ? self : "\"" + replacing("\"", with: "\"\"") + "\""
  }
}
