import Base

extension LinearAssignment {
  /// A pair that may be chosen, and what it is worth.
  public struct Edge: Sendable, Equatable {
    public let row: Int
    public let column: Int
    public let weight: Double

    public init(row: Int, column: Int, weight: Double) {
      self.row = row
      self.column = column
      self.weight = weight
    }
  }

  /// The pairing with the largest sum of weights among the given pairs, each row and column used once at most: maximum-weight bipartite
  /// matching. The parts of the graph that no pair connects are solved one by one, so that time depends on the crowds and not on the
  /// number of rows.
  ///
  /// ```swift
  /// let edges = [(0, 0, 0.6), (0, 1, 0.5), (1, 0, 0.5)].map { LinearAssignment.Edge(row: $0.0, column: $0.1, weight: $0.2) }
  /// LinearAssignment.heaviest(edges)   // [1, 2]: 0.5 + 0.5
  /// ```
  /// - Parameter edges: at most one for a row and a column; weights finite. A weight that is not positive is never chosen.
  /// - Returns: the positions of the chosen edges, ascending.
  public static func heaviest(_ edges: [Edge]) -> [Int] {
    require(edges.allSatisfy { $0.weight.isFinite && $0.row >= 0 && $0.column >= 0 },
            "LinearAssignment.heaviest: weights must be finite, rows and columns 0 or more")
    return components(of: edges).flatMap { $0.count == 1 ? $0 : heaviest(of: $0, edges) }.sorted()
  }

  /// The positions of the edges of each connected part, of those that may be chosen.
  private static func components(of edges: [Edge]) -> [[Int]] {
    let rows = (edges.lazy.map(\.row).max() ?? -1) + 1
    let columns = (edges.lazy.map(\.column).max() ?? -1) + 1
    var parent = Array(0..<rows + columns)
    func root(_ node: Int) -> Int {
      var node = node
      while parent[node] != node {
        parent[node] = parent[parent[node]]
        node = parent[node]
      }
      return node
    }
    for edge in edges where edge.weight > 0 { parent[root(edge.row)] = root(rows + edge.column) }
    var numbers = [Int](repeating: -1, count: rows + columns)
    var parts: [[Int]] = []
    for (position, edge) in edges.enumerated() where edge.weight > 0 {
      let node = root(edge.row)
      if numbers[node] < 0 {
        numbers[node] = parts.count
        parts.append([])
      }
      parts[numbers[node]].append(position)
    }
    return parts
  }

  /// The chosen ones of the edges at `positions`, by the dense method.
  private static func heaviest(of positions: [Int], _ edges: [Edge]) -> [Int] {
    var rows: [Int: Int] = [:]
    var columns: [Int: Int] = [:]
    for position in positions {
      let edge = edges[position]
      rows[edge.row] = rows[edge.row] ?? rows.count
      columns[edge.column] = columns[edge.column] ?? columns.count
    }
    var costs = [Double](repeating: 0, count: rows.count * columns.count)
    func place(_ edge: Edge) -> Int { (rows[edge.row] ?? 0) * columns.count + (columns[edge.column] ?? 0) }
    for position in positions { costs[place(edges[position])] = -edges[position].weight }
    let chosen = cheapest(costs, rows: rows.count, columns: columns.count) ?? []
    return positions.filter { chosen[rows[edges[$0].row] ?? 0] == columns[edges[$0].column] }
  }
}
