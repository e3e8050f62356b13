import Foundation

/// An affine map of the plane, `p ↦ a·x + b·y + t` with the columns `a` and `b`, in pixels.
package struct AffineMotion: Sendable, Equatable {
  package var a: SIMD2<Double>
  package var b: SIMD2<Double>
  package var t: SIMD2<Double>

  package init(a: SIMD2<Double>, b: SIMD2<Double>, t: SIMD2<Double>) {
    self.a = a
    self.b = b
    self.t = t
  }

  package static let identity = AffineMotion(a: SIMD2(1, 0), b: SIMD2(0, 1), t: SIMD2(0, 0))

  package func callAsFunction(_ p: SIMD2<Double>) -> SIMD2<Double> { a * p.x + b * p.y + t }

  /// First `inner`, then this map.
  package func after(_ inner: AffineMotion) -> AffineMotion {
    AffineMotion(a: a * inner.a.x + b * inner.a.y, b: a * inner.b.x + b * inner.b.y, t: self(inner.t))
  }

  package var inverse: AffineMotion {
    let determinant = a.x * b.y - b.x * a.y
    let ia = SIMD2(b.y, -a.y) / determinant, ib = SIMD2(-b.x, a.x) / determinant
    return AffineMotion(a: ia, b: ib, t: -(ia * t.x + ib * t.y))
  }

  /// Rotation (radians, clockwise as seen with y down), zoom and shear about `center`, then a shift.
  package static func about(
    _ center: SIMD2<Double>, rotation: Double, zoom: Double, shear: SIMD2<Double> = SIMD2(0, 0), shift: SIMD2<Double> = SIMD2(0, 0)
  ) -> AffineMotion {
    let c = zoom * cos(rotation), s = zoom * sin(rotation)
    let a = SIMD2(c, s) + SIMD2(-s, c) * shear.y, b = SIMD2(-s, c) + SIMD2(c, s) * shear.x
    return AffineMotion(a: a, b: b, t: center + shift - (a * center.x + b * center.y))
  }

  /// How far `p` moves.
  package func displacement(at p: SIMD2<Double>) -> SIMD2<Double> { self(p) - p }

  /// The same kind of motion with every displacement multiplied by `factor`.
  package func scaled(by factor: Double) -> AffineMotion {
    AffineMotion(a: SIMD2(1 + (a.x - 1) * factor, a.y * factor), b: SIMD2(b.x * factor, 1 + (b.y - 1) * factor), t: t * factor)
  }
}
