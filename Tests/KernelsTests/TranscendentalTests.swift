import CKernels
import Foundation
import Testing

/// Accuracy of the elementary functions. The float32 loops are the project's own polynomials; their bounds are those the source
/// states. The float64 loops call the C library: two units cover its rounding and ours.
@Suite struct TranscendentalTests {
  struct Function: CustomStringConvertible, Sendable {
    let description: String
    let code: apus_unary
    let exact: @Sendable (Double) -> Double
    let range: ClosedRange<Float>
    let ulps: Double
  }

  static let functions = [
    Function(description: "exp", code: APUS_EXP, exact: { exp($0) }, range: -104...89, ulps: 1),
    Function(description: "log", code: APUS_LOG, exact: { log($0) }, range: 0...50, ulps: 1),
    Function(description: "tanh", code: APUS_TANH, exact: { tanh($0) }, range: -12...12, ulps: 2.1),
    Function(description: "sigmoid", code: APUS_SIGMOID, exact: logistic, range: -105...105, ulps: 2),
    Function(description: "softplus", code: APUS_SOFTPLUS, exact: softplus, range: -105...105, ulps: 2),
    Function(description: "erf", code: APUS_ERF, exact: { erf($0) }, range: -5...5, ulps: 1.5),
  ]

  static func logistic(_ x: Double) -> Double { x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)) }
  static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

  /// The error in units of the last place of the rounded result; below the normal range the unit is the subnormal spacing.
  static func ulps<T: Real>(_ found: T, _ exact: Double) -> Double {
    let rounded = T(exact)
    if found == rounded || (found.isNaN && exact.isNaN) { return 0 }
    guard found.isFinite, rounded.isFinite else { return .infinity }
    return (Double(found) - exact).magnitude / Double(max(rounded.magnitude, .leastNormalMagnitude).ulp)
  }

  func worst<T: Real>(_ function: Function, _ set: InstructionSet, _ x: [T]) -> (ulps: Double, at: T) {
    var y = [T](repeating: 0, count: x.count)
    T.table(set).unary(Int32(function.code.rawValue), x, &y, x.count, 0, 0)
    return zip(x, y).reduce((0, 0)) { worst, pair in
      let ulps = Self.ulps(pair.1, function.exact(Double(pair.0)))
      return ulps > worst.0 ? (ulps, pair.0) : worst
    }
  }

  @Test(arguments: functions, InstructionSet.available)
  func float32IsAccurateOverTheWholeRange(_ function: Function, _ set: InstructionSet) {
    let steps = 400_003
    let width = function.range.upperBound - function.range.lowerBound
    var x = (0...steps).map { function.range.lowerBound + width * (Float($0) / Float(steps)) }
    // All magnitudes: bit patterns at a prime distance, both signs, subnormals, infinities and NaN included.
    x += stride(from: UInt32(0), through: 0x7fff_ffff, by: 7919).flatMap { [Float(bitPattern: $0), -Float(bitPattern: $0)] }
    let worst = worst(function, set, x)
    #expect(worst.ulps <= function.ulps, "\(function) at \(worst.at): \(worst.ulps) ulp")
  }

  @Test(arguments: functions, InstructionSet.available)
  func float64IsAccurate(_ function: Function, _ set: InstructionSet) {
    let width = Double(function.range.upperBound - function.range.lowerBound)
    var x = (0...20_001).map { Double(function.range.lowerBound) + width * Double($0) / 20_001 }
    x += [0, -0.0, .infinity, -.infinity, .nan, 1e-300, -1e-300, 800, -800]
    let worst = worst(function, set, x)
    #expect(worst.ulps <= 3, "\(function) at \(worst.at): \(worst.ulps) ulp")
  }

  @Test(arguments: InstructionSet.available)
  func smallArgumentsKeepTheirRelativeAccuracy(_ set: InstructionSet) {
    let x: [Float] = [1e-30, -1e-30, 1e-7, 3e-4, .leastNonzeroMagnitude, -0.0]
    var y = [Float](repeating: 0, count: x.count)
    Float.table(set).unary(Int32(APUS_TANH.rawValue), x, &y, x.count, 0, 0)
    #expect(y == x.map { Float(tanh(Double($0))) })
    #expect(y[5].sign == .minus)
  }

  @Test(arguments: InstructionSet.available)
  func powersFollowTheCLibrary(_ set: InstructionSet) {
    let x: [Float] = [0, -0.0, 1, -1, 2.5, -2.5, 1e-20, 1e20, .infinity, -.infinity, .nan]
    for p in [2, 3, 1, -1, 0.5, -0.5, 0, 2.5, -1.5] {
      var y = [Float](repeating: 0, count: x.count)
      Float.table(set).unary(Int32(APUS_POWER.rawValue), x, &y, x.count, p, 0)
      for (value, found) in zip(x, y) {
        #expect(Self.ulps(found, pow(Double(value), p)) <= 1.5, "pow(\(value), \(p)) = \(found)")
      }
    }
  }
}
