import Base

/// A Kalman filter of measured quantities that change at constant velocity; one frame is the unit of time.
///
/// The state is `[measured quantities, velocities of the first of them]`. With `F` the identity plus the velocities and `H = [I 0]`:
///
///     predict:  x ← F x,      P ← F P Fᵀ + Q
///     update:   S = H P Hᵀ + R,   K = P Hᵀ S⁻¹,   x ← x + K (z - H x),   P ← P - K S Kᵀ
///
/// `Q` and `R` are diagonal. What is not finite never gets in: an update with such a measurement leaves the filter as it is.
public struct ConstantVelocityFilter: Sendable, Codable, Equatable {
  /// Measured quantities, m.
  public let measured: Int
  /// `[n]`: the measured quantities and their velocities.
  public internal(set) var mean: [Double]
  /// `[n, n]`, row-major and symmetric.
  public private(set) var covariance: [Double]

  /// A state at rest.
  /// - Parameters:
  ///   - measurement: `[m]`.
  ///   - variances: `[n]`, of all quantities and velocities; n - m quantities, the first ones, have a velocity.
  public init(measurement: [Double], variances: [Double]) {
    let n = variances.count
    require((measurement.count...2 * measurement.count).contains(n),
            "ConstantVelocityFilter: \(n) variances for \(measurement.count) quantities and their velocities")
    measured = measurement.count
    mean = measurement + Array(repeating: 0, count: n - measurement.count)
    covariance = Array(repeating: 0, count: n * n)
    for i in 0..<n { covariance[i * n + i] = variances[i] }
  }

  /// Size of the state, n.
  public var size: Int { mean.count }
  public var isFinite: Bool { mean.allSatisfy(\.isFinite) && covariance.allSatisfy(\.isFinite) }

  /// Variances of the state, the diagonal of `covariance`.
  public var variances: [Double] { (0..<size).map { covariance[$0 * size + $0] } }

  /// The state one frame later.
  /// - Parameter noise: `[n]`, the diagonal of Q.
  public mutating func predict(noise: [Double]) {
    let n = size
    let m = measured
    require(noise.count == n, "ConstantVelocityFilter.predict: \(noise.count) variances for a state of \(n)")
    for i in 0..<n - m {
      mean[i] += mean[m + i]
      for j in 0..<n { covariance[i * n + j] += covariance[(m + i) * n + j] }  // F P
    }
    for i in 0..<n {
      for j in 0..<n - m { covariance[i * n + j] += covariance[i * n + m + j] }  // (F P) Fᵀ
      covariance[i * n + i] += noise[i]
    }
  }

  /// Corrects the state by a measurement.
  /// - Parameters:
  ///   - measurement: `[m]`.
  ///   - noise: `[m]`, the diagonal of R.
  /// - Returns: false, with the state unchanged, if the measurement or the result is not finite.
  @discardableResult
  public mutating func update(_ measurement: [Double], noise: [Double]) -> Bool {
    guard let (factor, whitened) = innovation(measurement, noise, count: measured) else { return false }
    let n = size
    let m = measured
    // W = L⁻¹ H P, so that K (z - H x) = Wᵀ L⁻¹ (z - H x) and K S Kᵀ = Wᵀ W.
    var gain = [Double](repeating: 0, count: m * n)
    for j in 0..<n {
      for i in 0..<m {
        var value = covariance[i * n + j]
        for k in 0..<i { value -= factor[i * m + k] * gain[k * n + j] }
        gain[i * n + j] = value / factor[i * m + i]
      }
    }
    var next = self
    for i in 0..<n {
      for k in 0..<m { next.mean[i] += gain[k * n + i] * whitened[k] }
      for j in 0...i {
        var value = covariance[i * n + j]
        for k in 0..<m { value -= gain[k * n + i] * gain[k * n + j] }
        next.covariance[i * n + j] = value
        next.covariance[j * n + i] = value
      }
    }
    guard next.isFinite else { return false }
    self = next
    return true
  }

  /// Squared Mahalanobis distance of a measurement from the predicted one, `(z - H x)ᵀ S⁻¹ (z - H x)`.
  /// - Parameters:
  ///   - noise: `[m]`, the diagonal of R.
  ///   - count: how many of the quantities count, the first ones; nil: all.
  /// - Returns: +∞ if the measurement or the state is not finite.
  public func squaredMahalanobisDistance(to measurement: [Double], noise: [Double], count: Int? = nil) -> Double {
    guard let (_, whitened) = innovation(measurement, noise, count: count ?? measured) else { return .infinity }
    let distance = whitened.reduce(0) { $0 + $1 * $1 }
    return distance.isNaN ? .infinity : distance
  }

  /// The Cholesky factor L of S, `[count, count]`, and `L⁻¹ (z - H x)`; nil if something is not finite, or S not positive definite.
  private func innovation(_ z: [Double], _ noise: [Double], count m: Int) -> (factor: [Double], whitened: [Double])? {
    require(z.count == measured && noise.count == measured && m <= measured,
            "ConstantVelocityFilter: \(z.count) quantities and \(noise.count) variances, expected \(measured)")
    guard z.allSatisfy(\.isFinite), isFinite else { return nil }
    let n = size
    var factor = [Double](repeating: 0, count: m * m)
    var whitened = [Double](repeating: 0, count: m)
    for i in 0..<m {
      for j in 0...i {
        var value = covariance[i * n + j] + (i == j ? noise[i] : 0)
        for k in 0..<j { value -= factor[i * m + k] * factor[j * m + k] }
        if i == j {
          guard value > 0, value.isFinite else { return nil }
          factor[i * m + i] = value.squareRoot()
        } else {
          factor[i * m + j] = value / factor[j * m + j]
        }
      }
      var value = z[i] - mean[i]
      for k in 0..<i { value -= factor[i * m + k] * whitened[k] }
      whitened[i] = value / factor[i * m + i]
    }
    return (factor, whitened)
  }
}

/// Quantiles of the χ² distribution at 0.95: gates of the squared Mahalanobis distance.
public enum ChiSquared {
  /// By degrees of freedom, from 1.
  private static let quantiles = [3.8415, 5.9915, 7.8147, 9.4877, 11.070, 12.592, 14.067, 15.507, 16.919]

  /// - Precondition: 1 to 9 degrees of freedom.
  public static func quantile95(degreesOfFreedom: Int) -> Double {
    require((1...quantiles.count).contains(degreesOfFreedom), "ChiSquared: \(degreesOfFreedom) degrees of freedom, expected 1 to 9")
    return quantiles[degreesOfFreedom - 1]
  }
}
