/// A table for the terminal: columns as wide as their widest cell, numbers to the right.
public struct TextTable {
  private var rows: [[String]]
  private let rightAligned: Set<Int>

  /// - Parameter rightAligned: indices of the columns that hold numbers.
  public init(_ header: [String], rightAligned: Set<Int> = []) {
    rows = [header]
    self.rightAligned = rightAligned
  }

  /// Cells may hold texts of files: what a terminal would obey is escaped.
  public mutating func add(_ cells: [String]) { rows.append(cells.map { $0.printable(limit: 400) }) }

  public var text: String {
    let widths = rows[0].indices.map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      var line = ""
      for (column, width) in widths.enumerated() {
        let cell = column < cells.count ? cells[column] : ""
        let gap = String(repeating: " ", count: width - cell.count)
        line += (column == 0 ? "" : "  ") + (rightAligned.contains(column) ? gap + cell : cell + gap)
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }
    let rule = String(repeating: "─", count: widths.reduce(2 * (widths.count - 1), +)) + "\n"
    return line(rows[0]) + rule + rows.dropFirst().map(line).joined()
  }
}
