import Testing
import Vision

@Suite struct ForwardBackwardCheckTests {
  private func row(_ vectors: [(Float, Float)], isValid: [Bool] = []) -> FlowField {
    FlowField(height: 1, width: vectors.count, vectors: vectors.flatMap { [$0.0, $0.1] }, isValid: isValid)
  }

  /// A square of two by two moves by three to the right over a background at rest: what it covers is occluded, nothing else.
  @Test func whatASquareCoversIsOccluded() {
    var forward = FlowField(height: 6, width: 9, vectors: Array(repeating: 0, count: 108)), backward = forward
    for y in 2...3 {
      for x in 1...2 {
        forward[y, x] = (3, 0)
        backward[y, x + 3] = (-3, 0)
      }
    }
    let occluded = ForwardBackwardCheck().occlusion(forward: forward, backward: backward)
    for y in 0..<6 {
      for x in 0..<9 { #expect(occluded[y * 9 + x] == ((2...3).contains(y) && (4...5).contains(x)), "at (\(y), \(x))") }
    }
  }

  /// |f + b|² against 0.01·(|f|² + |b|²) + 0.5, on both sides of the limit: f = (4, 0), b = (-4 + d, 0) at its end.
  /// d = 0.8: 0.64 < 0.01·(16 + 10.24) + 0.5 = 0.7624. d = 0.9: 0.81 > 0.01·(16 + 9.61) + 0.5 = 0.7561.
  @Test(arguments: [(Float(0.8), false), (0.9, true)]) func theLimitIsTheFormulas(rest: Float, isOccluded: Bool) {
    let forward = row([(4, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)])
    let backward = row([(0, 0), (0, 0), (0, 0), (0, 0), (-4 + rest, 0), (0, 0)])
    #expect(ForwardBackwardCheck().occlusion(forward: forward, backward: backward)[0] == isOccluded)
    let strict = ForwardBackwardCheck(relative: 0, absolute: 0.25)
    #expect(strict.occlusion(forward: forward, backward: backward)[0])
    #expect(!ForwardBackwardCheck(relative: 1, absolute: 0).occlusion(forward: forward, backward: backward)[0])
  }

  @Test func backwardFlowIsReadBetweenPixels() {
    // From 0 to 1.5, half way between backward vectors of -1 and -2: they cancel.
    let forward = row([(1.5, 0), (0, 0), (0, 0)]), backward = row([(0, 0), (-1, 0), (-2, 0)])
    #expect(!ForwardBackwardCheck(relative: 0, absolute: 1e-6).occlusion(forward: forward, backward: backward)[0])
    // Unknown on one of the two, or at the pixel itself.
    #expect(ForwardBackwardCheck().occlusion(forward: forward, backward: row([(0, 0), (-1, 0), (-2, 0)], isValid: [true, true, false]))[0])
    #expect(ForwardBackwardCheck().occlusion(forward: row([(0, 0)], isValid: [false]), backward: row([(0, 0)])) == [true])
  }

  @Test func whatLeavesThePictureIsOccluded() {
    let forward = row([(-0.5, 0), (0, 0.1), (1, 0), (0.1, 0), (.nan, 0)]), backward = row(Array(repeating: (0, 0), count: 5))
    // The third ends on the fourth, but moved by one: 1 > 0.01 + 0.5.
    #expect(ForwardBackwardCheck().occlusion(forward: forward, backward: backward) == [true, true, true, false, true])
  }

  @Test func f1IsTheHarmonicMean() {
    var score = OcclusionScore()
    #expect(score.f1 == nil)
    score.add(predicted: [true, true, true, false], truth: [true, false, false, false])  // 1 hit, 2 false alarms
    score.add(predicted: [true, false, false], truth: [true, true, false])  // 1 hit, 1 miss
    // Precision 2/4, recall 2/3: 2·(1/2)·(2/3)/(1/2 + 2/3) = 4/7.
    #expect(score.f1 == 4.0 / 7)
    #expect(Image(mask: [true, false], height: 1, width: 2).pixels == [255, 0])
  }
}
