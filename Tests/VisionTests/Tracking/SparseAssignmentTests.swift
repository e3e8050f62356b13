import Base
import Testing
import Vision

@Suite("Sparse assignment") struct SparseAssignmentTests {
  private typealias Edge = LinearAssignment.Edge

  @Test("two pairs of 0.5 are worth more than one of 0.6") func example() {
    let edges = [Edge(row: 0, column: 0, weight: 0.6), Edge(row: 0, column: 1, weight: 0.5), Edge(row: 1, column: 0, weight: 0.5)]
    #expect(LinearAssignment.heaviest(edges) == [1, 2])
    #expect(LinearAssignment.heaviest([]) == [])
  }

  @Test("what is worth nothing is not chosen") func worthless() {
    #expect(LinearAssignment.heaviest([Edge(row: 3, column: 5, weight: 0), Edge(row: 4, column: 6, weight: -1)]) == [])
  }

  @Test("random graphs: the sum is that of the dense method, and nobody has two partners") func dense() throws {
    var random = Random(seed: 3, stream: .test)
    for rows in 1...9 {
      for density in [0.1, 0.3, 1.0] {
        let columns = 1 + (rows * 7) % 9
        var weights = [Double](repeating: 0, count: rows * columns)
        for i in weights.indices where random.uniform() < density { weights[i] = random.uniform() + 0.01 }
        let edges = weights.indices.filter { weights[$0] > 0 }.map { Edge(row: $0 / columns, column: $0 % columns, weight: weights[$0]) }
        let chosen = LinearAssignment.heaviest(edges).map { edges[$0] }
        let all = try #require(LinearAssignment.cheapest(weights.map { -$0 }, rows: rows, columns: columns))
        let best = all.enumerated().reduce(0) { sum, pair in sum + (pair.element.map { weights[pair.offset * columns + $0] } ?? 0) }
        #expect(abs(chosen.reduce(0) { $0 + $1.weight } - best) < 1e-12)
        #expect(Set(chosen.map(\.row)).count == chosen.count && Set(chosen.map(\.column)).count == chosen.count)
      }
    }
  }
}
