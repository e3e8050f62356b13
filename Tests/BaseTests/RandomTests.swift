import Base
import Base
import Testing

@Suite("Random source") struct RandomTests {
  @Test("streams differ in every part of the key") func keys() {
    var words: Set<UInt64> = []
    for seed in 0..<3 { for stream in Random.Stream.allCases { for epoch in 0..<3 { for sample in 0..<3 {
      var random = Random(seed: UInt64(seed), stream: stream, epoch: epoch, sample: sample)
      words.insert(random.next())
    } } } }
    #expect(words.count == 3 * Random.Stream.allCases.count * 9)
  }

  @Test("moments of uniform and normal numbers") func moments() {
    var random = Random(seed: 1, stream: .test)
    let n = 200_000
    let u = (0..<n).map { _ in random.uniform() }, z = (0..<n).map { _ in random.normal() }
    func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(n) }
    // Five standard errors: √(1/12n), √(1/n), √(2/n).
    #expect(abs(mean(u) - 0.5) < 5 * 0.29 / 447)
    #expect(abs(mean(z)) < 5.0 / 447)
    #expect(abs(mean(z.map { $0 * $0 }) - 1) < 5 * 1.42 / 447)
    #expect(u.allSatisfy { (0..<1).contains($0) })
  }

  @Test("integers cover their range") func integers() {
    var random = Random(seed: 1, stream: .test)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[random.integer(in: 0..<7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
  }
}
