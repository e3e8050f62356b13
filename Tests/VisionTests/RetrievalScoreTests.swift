import TestSupport
import Testing
import Vision

@Suite("Retrieval by the rules of Market-1501") struct RetrievalScoreTests {
  private struct Case: Decodable {
    let distances: [Double]
    let queryIdentity, queryCamera, galleryIdentity, galleryCamera: [Int]
    let unmatched: Int
    let ranks: [Double]
    let meanAveragePrecision: Double
    let averagePrecision: [Double?]
  }

  @Test("rank-k and average precision of random data are the reference's", arguments: ["plain", "ties", "rare"])
  func reference(_ name: String) throws {
    let item = try #require(try Fixture.json("retrieval.json", as: [String: Case].self)[name])
    func entries(_ identities: [Int], _ cameras: [Int]) -> [RetrievalScore.Entry] {
      zip(identities, cameras).map { .init(identity: "\($0)", camera: "c\($1)") }
    }
    let gallery = entries(item.galleryIdentity, item.galleryCamera), n = gallery.count
    var score = RetrievalScore()
    for (row, query) in entries(item.queryIdentity, item.queryCamera).enumerated() {
      let found = score.add(query, item.distances[row * n..<(row + 1) * n].map(Float.init), gallery: gallery)
      let expected = item.averagePrecision[row]
      #expect((found == nil) == (expected == nil))
      if let found, let expected { #expect(abs(found.averagePrecision - expected) < 1e-12) }
    }
    #expect(score.unmatched == item.unmatched && score.queries + score.unmatched == item.queryIdentity.count)
    for (k, expected) in zip([1, 5, 10], item.ranks) { #expect(abs(score.rank(k) - expected) < 1e-12) }
    #expect(abs(score.meanAveragePrecision - item.meanAveragePrecision) < 1e-12)
  }

  @Test("pictures of the query's own camera are no hits and take no place") func junk() {
    let gallery = [("a", "1"), ("b", "1"), ("a", "2"), ("b", "2")].map { RetrievalScore.Entry(identity: $0.0, camera: $0.1) }
    var score = RetrievalScore(ranks: 3)
    // Without the first picture: b, a, b; the hit is second.
    let found = score.add(.init(identity: "a", camera: "1"), [0.1, 0.2, 0.3, 0.4], gallery: gallery)
    #expect(found?.firstPlace == 1 && found?.averagePrecision == 0.25)
    #expect(score.rank(1) == 0 && score.rank(2) == 1)
  }

  @Test("without cameras only the query itself is left out") func leaveOneOut() {
    let gallery = ["a", "a", "b"].map { RetrievalScore.Entry(identity: $0) }
    var score = RetrievalScore(ranks: 1)
    #expect(score.add(gallery[0], [0, 0.2, 0.1], gallery: gallery, excluding: 0)?.firstPlace == 1)
    #expect(score.add(gallery[1], [0.1, 0, 0.2], gallery: gallery, excluding: 1)?.firstPlace == 0)
    #expect(score.add(gallery[2], [0.1, 0.2, 0], gallery: gallery, excluding: 2) == nil)
    #expect(score.rank(1) == 0.5 && score.unmatched == 1 && score.queries == 2)
  }
}
