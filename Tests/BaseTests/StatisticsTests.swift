import Base
import Testing

@Suite struct StatisticsTests {
  @Test func mediansAreInTheMiddle() {
    #expect(Statistics.median([3]) == 3)
    #expect(Statistics.median([9, 1, 2]) == 2)
    #expect(Statistics.median([4, 1, 3, 2]) == 2.5)
  }

  /// NumPy's `quantile` gives these numbers.
  @Test func quartilesAreInterpolated() {
    let four = Statistics.quartiles([4, 1, 3, 2])
    #expect(four.lower == 1.75 && four.upper == 3.25)
    let five = Statistics.quartiles([50, 10, 20, 40, 30])
    #expect(five.lower == 20 && five.upper == 40)
    let one = Statistics.quartiles([7])
    #expect(one.lower == 7 && one.upper == 7)
    #expect(Statistics.quantile(0, of: [2, 5, 3]) == 2 && Statistics.quantile(1, of: [2, 5, 3]) == 5)
  }

  /// NumPy's `mean` and `std(ddof=1)` give these numbers.
  @Test func deviationsAreOfSamples() {
    let values = [0.31, 0.42, 0.29, 0.5]
    #expect(Statistics.mean(values).isNearly(0.38))
    #expect(Statistics.sampleDeviation(values)?.isNearly(0.09831920802501749) == true)
    #expect(Statistics.sampleDeviation([2, 2, 2]) == 0 && Statistics.sampleDeviation([7]) == nil && Statistics.sampleDeviation([]) == nil)
  }

  @Test func geometricMeansAreMeansOfRatios() {
    #expect(Statistics.geometricMean([5]).isNearly(5))
    #expect(Statistics.geometricMean([2, 8]).isNearly(4))
    #expect(Statistics.geometricMean([0.5, 2]).isNearly(1))
    #expect(Statistics.geometricMean([1, 10, 100]).isNearly(10))
  }
}

extension Double {
  /// Equal but for a few roundings.
  func isNearly(_ other: Double) -> Bool { (self - other).magnitude <= 8 * other.ulp }
}
