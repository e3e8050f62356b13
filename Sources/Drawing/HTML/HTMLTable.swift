/// A table of a page; where it is wider than the screen, it scrolls on its own.
public struct HTMLTable: Sendable {
  public struct Column: Sendable {
    public var title: HTML
    /// Numbers stand to the right.
    public var isNumber: Bool

    public init(_ title: HTML, isNumber: Bool = false) {
      self.title = title
      self.isNumber = isNumber
    }

    public static func text(_ title: HTML) -> Column { Column(title) }
    public static func number(_ title: HTML) -> Column { Column(title, isNumber: true) }
  }

  public struct Row: Sendable {
    public var cells: [HTML]
    /// Set off from the others: the best one.
    public var isMarked: Bool

    public init(_ cells: [HTML], isMarked: Bool = false) {
      self.cells = cells
      self.isMarked = isMarked
    }
  }

  public var columns: [Column]
  public var rows: [Row]

  public init(_ columns: [Column], rows: [Row] = []) {
    self.columns = columns
    self.rows = rows
  }

  public mutating func add(_ cells: [HTML], isMarked: Bool = false) { rows.append(Row(cells, isMarked: isMarked)) }

  /// The first cell of a row names it.
  var html: HTML {
    let head = columns.map { HTML.element("th", attributes($0, ["scope": "col"]), $0.title) }.joined()
    let body = rows.map { row -> HTML in
      let cells = zip(columns, row.cells).enumerated().map { index, pair in
        index == 0 ? HTML.element("th", attributes(pair.0, ["scope": "row"]), pair.1) : HTML.element("td", attributes(pair.0, [:]), pair.1)
      }
      return HTML.element("tr", row.isMarked ? ["class": "marked"] : [:], cells.joined())
    }
    let parts = HTML.element("thead", [:], .element("tr", [:], head)) + .element("tbody", [:], body.joined(separator: .lineEnd))
    return .element("div", ["class": "scroll", "tabindex": "0"], .element("table", [:], parts))
  }

  private func attributes(_ column: Column, _ scope: KeyValuePairs<String, String>) -> KeyValuePairs<String, String> {
    switch (column.isNumber, scope.first?.value) {
    case (true, let value?): ["class": "number", "scope": value]
    case (true, nil): ["class": "number"]
    case (false, _): scope
    }
  }
}

extension HTML {
  static let lineEnd = HTML.trusted("\n")
}
