import Testing
import TestSupport
import Vision

/// Against scipy, `Tests/Fixtures/make_assignment.py`, and by hand.
@Suite("Linear assignment") struct LinearAssignmentTests {
  private struct Entry: Decodable {
    let name: String
    let kind: String
    let rows: Int
    let columns: Int
    let missing: Double?
    let total: Double?
    let assigned: [Int?]?

    var costs: [Double] {
      let key = FixtureHash.key(name)
      let absent = FixtureHash.key("\(name).missing")
      return (0..<rows * columns).map { i in
        let fraction = FixtureHash.fraction(key, i)
        switch kind {
        case "ties": return (4 * fraction).rounded(.down)
        case "large": return 1e6 + (800 * fraction).rounded(.down) / 8
        default: return FixtureHash.fraction(absent, i) < missing ?? 0 ? .infinity : 2 * fraction - 1
        }
      }
    }
  }

  @Test("totals are scipy's: rectangular, tied, large and forbidden pairs") func totals() throws {
    let entries = try Fixture.json("assignment.json", as: [Entry].self)
    #expect(entries.count == 62)
    for entry in entries {
      let costs = entry.costs
      let found = LinearAssignment.cheapest(costs, rows: entry.rows, columns: entry.columns)
      guard let total = entry.total else {
        #expect(found == nil, "\(entry.name) cannot be solved")
        continue
      }
      let columns = try #require(found, "\(entry.name)")
      let pairs = columns.enumerated().compactMap { row, column in column.map { (row, $0) } }
      #expect(pairs.count == min(entry.rows, entry.columns), "\(entry.name)")
      #expect(Set(pairs.map(\.1)).count == pairs.count, "\(entry.name) uses a column twice")
      let sum = pairs.reduce(0) { $0 + costs[$1.0 * entry.columns + $1.1] }
      #expect(abs(sum - total) <= 1e-12 * max(1, abs(total)), "\(entry.name), \(entry.kind): \(sum), expected \(total)")
      if let assigned = entry.assigned { #expect(columns == assigned, "\(entry.name)") }
    }
  }

  @Test("without rows or columns there are no pairs") func empty() {
    #expect(LinearAssignment.cheapest([], rows: 0, columns: 3) == [])
    #expect(LinearAssignment.cheapest([], rows: 2, columns: 0) == [nil, nil])
  }
}
