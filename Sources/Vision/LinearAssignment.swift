import Base

/// The cheapest pairing of rows with columns, each used once at most: the linear assignment problem.
///
/// ```swift
/// LinearAssignment.cheapest([4, 1, 3, 2, 0, 5], rows: 2, columns: 3)   // [1, 0]: costs 1 + 2
/// ```
/// - Source: Kuhn 1955 ("Hungarian method"), by shortest augmenting paths with potentials: Jonker, Volgenant 1987; O(n²·m) for n ≤ m.
public enum LinearAssignment {
  /// As many pairs as the smaller side allows, with the least sum of costs.
  /// - Parameters:
  ///   - costs: `[rows, columns]`, row-major; +∞ forbids a pair.
  /// - Returns: the column of each row, nil for rows left over; nil if every such pairing needs a forbidden pair.
  /// - Precondition: no cost is NaN or -∞.
  public static func cheapest(_ costs: [Double], rows: Int, columns: Int) -> [Int?]? {
    require(costs.count == rows * columns, "LinearAssignment: \(costs.count) costs for \(rows) rows and \(columns) columns")
    require(costs.allSatisfy { $0 > -.infinity }, "LinearAssignment: a cost is NaN or -infinity")
    guard rows > columns else { return rowsOfColumns(costs, rows, columns).map { inverse($0, count: rows) } }
    var transposed = [Double](repeating: 0, count: costs.count)
    for row in 0..<rows {
      for column in 0..<columns { transposed[column * rows + row] = costs[row * columns + column] }
    }
    return rowsOfColumns(transposed, columns, rows)
  }

  private static func inverse(_ rowOfColumn: [Int?], count: Int) -> [Int?] {
    var columns = [Int?](repeating: nil, count: count)
    for (column, row) in rowOfColumn.enumerated() { if let row { columns[row] = column } }
    return columns
  }

  /// The row of each column for `rows <= columns`: each row in turn takes the cheapest path of exchanges to a free column.
  private static func rowsOfColumns(_ costs: [Double], _ rows: Int, _ columns: Int) -> [Int?]? {
    var rowPotential = [Double](repeating: 0, count: rows)
    var columnPotential = [Double](repeating: 0, count: columns)
    var rowOfColumn = [Int?](repeating: nil, count: columns)
    for start in 0..<rows {
      var distance = [Double](repeating: .infinity, count: columns)
      var before = [Int?](repeating: nil, count: columns)  // the column before on the path; nil: the path starts here
      var isDone = [Bool](repeating: false, count: columns)
      var scanned: [(row: Int, at: Double)] = [(start, 0)]
      var (row, from, reached) = (start, Int?.none, 0.0)
      var end: Int?
      while end == nil {
        var next: Int?
        for column in 0..<columns where !isDone[column] {
          let path = reached + costs[row * columns + column] - rowPotential[row] - columnPotential[column]
          if path < distance[column] { (distance[column], before[column]) = (path, from) }
          guard distance[column] < .infinity else { continue }
          guard let nearest = next else {
            next = column
            continue
          }
          // Of equally near columns a free one ends the search at once.
          let isFreeInstead = rowOfColumn[column] == nil && rowOfColumn[nearest] != nil
          if distance[column] < distance[nearest] || (distance[column] == distance[nearest] && isFreeInstead) { next = column }
        }
        guard let column = next else { return nil }
        (reached, isDone[column]) = (distance[column], true)
        if let owner = rowOfColumn[column] {
          scanned.append((owner, reached))
          (row, from) = (owner, column)
        } else {
          end = column
        }
      }
      for (row, at) in scanned { rowPotential[row] += reached - at }
      for column in 0..<columns where isDone[column] { columnPotential[column] -= reached - distance[column] }
      exchange(&rowOfColumn, along: before, to: end, by: start)
    }
    return rowOfColumn
  }

  /// Gives every column of the path to the row of the column before it, and the first one to the new row.
  private static func exchange(_ rowOfColumn: inout [Int?], along before: [Int?], to end: Int?, by start: Int) {
    var column = end
    while let current = column {
      let previous = before[current]
      rowOfColumn[current] = previous.map { rowOfColumn[$0] } ?? start
      column = previous
    }
  }
}
