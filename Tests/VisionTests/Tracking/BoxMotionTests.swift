import Base
import Testing
import Vision

/// Worked numbers of the authors' filters, to six digits.
@Suite("Kalman filters of boxes") struct BoxMotionTests {
  /// What is more than 2e-6 relative (or absolute, near 0) from the expected numbers.
  private func mismatch(_ found: [Double], _ expected: [Double]) -> String? {
    for (i, pair) in zip(found, expected).enumerated() where !(abs(pair.0 - pair.1) <= 2e-6 * max(1, abs(pair.1))) {
      return "[\(i)]: \(pair.0), expected \(pair.1)"
    }
    return found.count == expected.count ? nil : "\(found.count) numbers, expected \(expected.count)"
  }

  private func corners(_ box: BoundingBox) -> [Double] { [box.x, box.y, box.x1, box.y1] }

  @Test func sort() throws {
    var motion = SORTMotion(BoundingBox(x0: 100, y0: 50, x1: 140, y1: 150))
    #expect(mismatch(motion.filter.mean, [120, 100, 4000, 0.4, 0, 0, 0]) == nil)
    _ = motion.predict()
    #expect(mismatch(motion.filter.variances, [10011, 10011, 10011, 11, 10000.01, 10000.01, 10000.0001]) == nil)
    #expect(motion.filter.covariance[4] == 10000)
    motion.update(BoundingBox(x0: 104, y0: 52, x1: 145, y1: 153))
    #expect(mismatch(motion.filter.mean, [124.499551, 102.49975, 4140.859295, 0.403112, 4.494606, 2.497004, 140.704521]) == nil)
    #expect(mismatch(motion.filter.variances, [0.9999, 0.9999, 9.990021, 5.238095, 11.995617, 11.995617, 20.956092]) == nil)
    let box = try #require(motion.box)
    #expect(mismatch(corners(box), [104.071451, 51.823728, 144.927650, 153.175773]) == nil)
    let predicted = motion.predict()
    #expect(mismatch(corners(try #require(predicted)), [108.221888, 53.466950, 149.766426, 156.526558]) == nil)
  }

  private let start = BoundingBox(x: 100, y: 50, width: 40, height: 100)

  @Test func deepSORT() {
    var motion = DeepSORTMotion(start)
    #expect(motion.filter.mean == [120, 100, 0.4, 100, 0, 0, 0, 0])
    #expect(mismatch(motion.filter.variances, [100, 100, 1e-4, 100, 39.0625, 39.0625, 1e-10, 39.0625]) == nil)
    _ = motion.predict()
    #expect(mismatch(motion.filter.variances, [164.0625, 164.0625, 2.000001e-4, 164.0625, 39.453125, 39.453125, 2e-10, 39.453125]) == nil)
    #expect(abs(motion.filter.variances[2] - 2.000001e-4) < 1e-12 && abs(motion.filter.covariance[4] - 39.0625) < 1e-9)
    // Centre (124.5, 102.5), ratio 41/101, height 101.
    let second = BoundingBox(x: 124.5 - 20.5, y: 102.5 - 50.5, width: 41, height: 101)
    #expect(abs(motion.gatingDistance(to: second) - 0.148914) < 1e-6)
    #expect(abs(motion.gatingDistance(to: second, isPositionOnly: true) - 0.140165) < 1e-6)
    let far = motion.gatingDistance(to: BoundingBox(x: 130, y: 50, width: 40, height: 100))
    #expect(abs(far - 4.760331) < 1e-6 && far < ChiSquared.quantile95(degreesOfFreedom: 4))
    motion.update(second)
    #expect(mismatch(motion.filter.mean, [123.904959, 102.169421, 0.400116, 100.867769, 0.929752, 0.516529, 0, 0.206612]) == nil)
    #expect(mismatch(motion.filter.variances, [21.694215, 21.694215, 1.96e-4, 21.694215, 31.382361, 31.382361, 0, 31.382361]) == nil)
    #expect(abs(motion.filter.variances[2] - 1.960784e-4) < 1e-8 && abs(motion.filter.covariance[4] - 5.165289) < 1e-6)
  }

  @Test("the update is that of the covariance form with a general inverse") func onePair() {
    // One quantity and its velocity by hand: P = [2 1; 1 1], S = 2 + 2, K = [1/2, 1/4].
    var filter = ConstantVelocityFilter(measurement: [0], variances: [1, 1])
    filter.predict(noise: [0, 0])
    #expect(filter.covariance == [2, 1, 1, 1])
    let isTaken = filter.update([4], noise: [2])
    #expect(isTaken)
    #expect(filter.mean == [2, 1] && filter.covariance == [1, 0.5, 0.5, 0.75])
    #expect(filter.squaredMahalanobisDistance(to: [6], noise: [3]) == 4)
  }

  // MARK: Degenerate inputs

  @Test("what is not finite changes nothing", arguments: [Double.nan, .infinity, -.infinity, 1e308]) func notFinite(value: Double) {
    var sort = SORTMotion(start)
    var deep = DeepSORTMotion(start)
    _ = sort.predict()
    _ = deep.predict()
    let before = (sort, deep)
    let bad = BoundingBox(x: value, y: 0, width: value, height: value)
    sort.update(bad)
    deep.update(bad)
    #expect(sort == before.0)
    #expect(deep == before.1 || value == 1e308)
    #expect(sort.filter.isFinite && deep.filter.isFinite)
    if !value.isFinite { #expect(deep.gatingDistance(to: bad) == .infinity) }
  }

  @Test("a filter stays finite through long coasting, shrinking boxes and large jumps") func longRun() {
    var sort = SORTMotion(start)
    var deep = DeepSORTMotion(start)
    for frame in 0..<3000 {
      let predicted = (sort.predict(), deep.predict())
      for box in [predicted.0, predicted.1].compactMap({ $0 }) { #expect(box.isFinite && !box.isEmpty) }
      if frame % 400 < 30 {
        let size = max(0.01, 100 - Double(frame % 400) * 4)
        let box = BoundingBox(x: Double(frame * 7919 % 1_000_003), y: -1e6, width: size, height: size)
        sort.update(box)
        deep.update(box)
      }
      #expect(sort.filter.isFinite && deep.filter.isFinite)
      guard sort.filter.isFinite, deep.filter.isFinite else { return }
    }
  }

  @Test("an area that would vanish stops shrinking") func vanishing() {
    var motion = SORTMotion(BoundingBox(x: 0, y: 0, width: 100, height: 100))
    for size in [100.0, 80, 60, 40, 20] {
      _ = motion.predict()
      motion.update(BoundingBox(x: 0, y: 0, width: size, height: size))
    }
    #expect(motion.filter.mean[6] < 0)
    for _ in 0..<10 {
      let box = motion.predict()
      #expect(box.map { $0.isFinite && !$0.isEmpty } ?? true)
    }
    #expect(motion.filter.mean[6] == 0)
  }

  @Test func gates() {
    #expect((1...9).map(ChiSquared.quantile95) == [3.8415, 5.9915, 7.8147, 9.4877, 11.070, 12.592, 14.067, 15.507, 16.919])
  }
}
