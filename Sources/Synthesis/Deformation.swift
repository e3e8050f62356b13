import Base
import Foundation

/// A smooth displacement of a surface within itself, as of cloth, hair or a turning head: a cubic B-spline with random coefficients.
///
/// The displacement is a function of the place in image 1. It changes by less than its distance (slope below 1/2), so that the surface
/// never folds and the inverse is found by repetition.
package struct Deformation: Sendable {
  private let field: Texture
  /// Distance of the spline's knots, px of image 1.
  package let cell: Double
  /// No point moves farther along an axis, px.
  package let reach: Double

  /// - Parameters:
  ///   - cell: distance of the knots, px.
  ///   - strength: standard deviation of the coefficients in cells, at most 0.1 (slopes reach four times that).
  package init(cell: Double, strength: Double, _ random: inout Random) {
    let spread = min(strength, 0.1) * cell
    let coefficients = (0..<Deformation.side * Deformation.side).map { _ in
      SIMD4<Float>(Float(spread * random.normal().clamped(to: -2...2)), Float(spread * random.normal().clamped(to: -2...2)), 0, 0)
    }
    self.cell = cell
    reach = 2 * spread
    field = Texture(height: Deformation.side, width: Deformation.side, texels: coefficients)
  }

  /// Knots per axis; the field repeats beyond.
  private static let side = 11

  /// Displacement of the point `p` of image 1, px.
  @inline(__always)
  package func displacement(at p: SIMD2<Double>) -> SIMD2<Double> {
    let value = field.value(at: SIMD2<Float>(p / cell), wraps: true) ?? SIMD4()
    return SIMD2(Double(value.x), Double(value.y))
  }

  /// The point that `time` times its displacement takes to `q`: repeats p ← q - time · d(p) from a guess; each round divides the error
  /// by more than two, mostly by ten.
  @inline(__always)
  package func source(of q: SIMD2<Double>, time: Double, near guess: SIMD2<Double>) -> SIMD2<Double> {
    var p = guess
    for _ in 0..<20 {
      let next = q - displacement(at: p) * time
      let change = next - p
      p = next
      if (change * change).sum() < 1e-7 { break }
    }
    return p
  }
}
