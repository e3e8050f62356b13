import Foundation

/// Statistics of a few numbers: means, deviations, quantiles.
public enum Statistics {
  /// The value below which a share of the sorted values lies, interpolated between neighbours: 0 gives the least, 1 the greatest.
  /// - Source: Hyndman, Fan 1996, definition 7 (the default of R and NumPy).
  public static func quantile(_ share: Double, of values: [Double]) -> Double {
    require(!values.isEmpty, "quantile: no values")
    require(share >= 0 && share <= 1, "quantile: share \(share) is outside 0...1")
    let sorted = values.sorted()
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }

  public static func median(_ values: [Double]) -> Double { quantile(0.5, of: values) }

  /// The first and the third quartile.
  public static func quartiles(_ values: [Double]) -> (lower: Double, upper: Double) {
    (quantile(0.25, of: values), quantile(0.75, of: values))
  }

  /// The arithmetic mean.
  public static func mean(_ values: [Double]) -> Double {
    require(!values.isEmpty, "mean: no values")
    return values.reduce(0, +) / Double(values.count)
  }

  /// The sample deviation, `sqrt(Σ (x - mean)² / (n - 1))`; nil for fewer than two values.
  public static func sampleDeviation(_ values: [Double]) -> Double? {
    guard values.count > 1 else { return nil }
    let mean = mean(values)
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
  }

  /// The n-th root of the product of positive values: the mean for ratios.
  public static func geometricMean(_ values: [Double]) -> Double {
    require(!values.isEmpty && values.allSatisfy { $0 > 0 }, "geometricMean: positive values are needed, got \(values)")
    return exp(values.reduce(0) { $0 + log($1) } / Double(values.count))
  }
}
