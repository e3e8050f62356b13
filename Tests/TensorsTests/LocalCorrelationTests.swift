import Base
import Tensors
import Testing
import TestSupport

@Suite("Local correlation") struct LocalCorrelationTests {
  /// Against a scalar implementation: every sample from its four cells, which count if they exist and are near enough.
  @Test(arguments: [nil, 0, 2, 3, 100] as [Int?]) func equalsItsFormula(_ reach: Int?) {
    let (n, h, w, d, r) = (2, 5, 7, 3, 2)
    var random = Random(seed: 9, stream: .test)
    let levels = [[n, h, w, d], [n, 3, 4, d], [n, 2, 1, d]]
    func draw(_ shape: [Int]) -> Tensor { .uniform(shape, from: -1, to: 1, &random, precision: .float64) }
    let queries = levels.map { _ in draw([n, h, w, d]) }, targets = levels.map(draw)
    let centres = Tensor.uniform([n, h, w, 2], from: -3, to: 9, &random, precision: .float64), c = centres.doubles
    let found = LocalCorrelation(radius: r, reach: reach)(queries, targets, centres: centres)
    #expect(found.shape == [n, h, w, 3 * 25])
    let values = found.doubles
    for m in 0..<3 {
      let (q, t) = (queries[m].doubles, targets[m].doubles), (th, tw) = (levels[m][1], levels[m][2])
      for image in 0..<n { for y in 0..<h { for x in 0..<w {
        let pixel = (image * h + y) * w + x
        func cell(_ k: Int, _ l: Int) -> Double {
          guard (0..<tw).contains(k), (0..<th).contains(l) else { return 0 }
          if let reach, max(abs(k * (1 << m) - x), abs(l * (1 << m) - y)) > reach { return 0 }
          return (0..<d).reduce(0) { $0 + q[pixel * d + $1] * t[((image * th + l) * tw + k) * d + $1] }
        }
        for ox in -r...r { for oy in -r...r {
          let (u, v) = (c[2 * pixel] / Double(1 << m) + Double(ox), c[2 * pixel + 1] / Double(1 << m) + Double(oy))
          let (k, l) = (Int(u.rounded(.down)), Int(v.rounded(.down))), (a, b) = (u - Double(k), v - Double(l))
          let expected = (1 - a) * (1 - b) * cell(k, l) + a * (1 - b) * cell(k + 1, l) + (1 - a) * b * cell(k, l + 1) + a * b * cell(k + 1, l + 1)
          let channel = m * 25 + (ox + r) * 5 + oy + r
          #expect(abs(values[pixel * 75 + channel] - expected) < 1e-13, "level \(m), pixel \(x), \(y), offset \(ox), \(oy)")
        } }
      } } }
    }
  }

  @Test("centres far away, infinite or not a number do no harm") func wildCentres() {
    let centres = Tensor([1e30, 0, -.infinity, 3, .nan, -1e9, 1, 1] as [Float], shape: [1, 2, 2, 2])
    let f = Tensor.ones([1, 2, 2, 3]).asLeaf(), g = Tensor.ones([1, 4, 4, 3]).asLeaf()
    let y = LocalCorrelation(radius: 1)([f], [g], centres: centres)
    #expect(y.doubles.prefix(27).allSatisfy { $0 == 0 } && y.doubles.suffix(9).allSatisfy { $0 == 3 })
    let gradients = y.sum().gradients()
    #expect(gradients[f]?.doubles == [0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9])
    #expect(gradients[g]?.sum().item == 27)
  }

  @Test("what does not fit together is explained") func incompatibleKeys() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LocalCorrelation(radius: 1)([.zeros([1, 2, 2, 3])], [.zeros([1, 2, 2, 4])], centres: .zeros([1, 2, 2, 2]))
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("localCorrelation: queries [1, 2, 2, 3], targets [1, 2, 2, 4]"))
  }
}
