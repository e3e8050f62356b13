import Foundation

/// A projective map of the plane, in pixels: `p ↦ (x·(p,1), y·(p,1)) / (w·(p,1))` with the rows `x`, `y`, `w` of a 3x3 matrix.
///
/// Affine maps have the row `w` = (0, 0, 1). The camera's view of a plane, and the motion of a rigid plane before a moving camera,
/// are maps of this kind (Hartley and Zisserman, "Multiple View Geometry", section 13.1).
package struct Homography: Sendable, Equatable {
  package var x: SIMD3<Double>
  package var y: SIMD3<Double>
  package var w: SIMD3<Double>

  package init(x: SIMD3<Double>, y: SIMD3<Double>, w: SIMD3<Double>) {
    self.x = x
    self.y = y
    self.w = w
  }

  /// The affine map `p ↦ a·p.x + b·p.y + t`.
  package init(a: SIMD2<Double>, b: SIMD2<Double>, t: SIMD2<Double>) {
    self.init(x: SIMD3(a.x, b.x, t.x), y: SIMD3(a.y, b.y, t.y), w: SIMD3(0, 0, 1))
  }

  package static let identity = Homography(a: SIMD2(1, 0), b: SIMD2(0, 1), t: SIMD2(0, 0))

  package static func shift(_ t: SIMD2<Double>) -> Homography { Homography(a: SIMD2(1, 0), b: SIMD2(0, 1), t: t) }

  package var isAffine: Bool { w.x == 0 && w.y == 0 }

  package func callAsFunction(_ p: SIMD2<Double>) -> SIMD2<Double> {
    let q = homogeneous(p)
    return SIMD2(q.x, q.y) / q.z
  }

  /// The image of a point before the division; the last component is above 0 on the visible side of a plane.
  package func homogeneous(_ p: SIMD2<Double>) -> SIMD3<Double> {
    let p = SIMD3(p, 1)
    return SIMD3((x * p).sum(), (y * p).sum(), (w * p).sum())
  }

  /// The composition: first `inner`, then this map.
  package func after(_ inner: Homography) -> Homography {
    func row(_ r: SIMD3<Double>) -> SIMD3<Double> { inner.x * r.x + inner.y * r.y + inner.w * r.z }
    return Homography(x: row(x), y: row(y), w: row(w))
  }

  package var determinant: Double { (x * Homography.cross(y, w)).sum() }

  package var inverse: Homography {
    let first = Homography.cross(y, w)
    let second = Homography.cross(w, x)
    let third = Homography.cross(x, y)
    let determinant = determinant
    return Homography(x: SIMD3(first.x, second.x, third.x) / determinant, y: SIMD3(first.y, second.y, third.y) / determinant,
                      w: SIMD3(first.z, second.z, third.z) / determinant)
  }

  private static func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
  }

  /// Rotation (radians, clockwise as seen with y down), zoom and shear about `center`, then a shift.
  package static func about(
    _ center: SIMD2<Double>, rotation: Double, zoom: Double, shear: SIMD2<Double> = SIMD2(0, 0), shift: SIMD2<Double> = SIMD2(0, 0)
  ) -> Homography {
    let c = zoom * cos(rotation)
    let s = zoom * sin(rotation)
    let a = SIMD2(c, s) + SIMD2(-s, c) * shear.y
    let b = SIMD2(-s, c) + SIMD2(c, s) * shear.x
    return Homography(a: a, b: b, t: center + shift - (a * center.x + b * center.y))
  }

  /// Foreshortening: the scale at `center + p` is divided by `1 + tilt · p` (tilt per px).
  package static func tilted(_ tilt: SIMD2<Double>, about center: SIMD2<Double>) -> Homography {
    let lean = Homography(x: SIMD3(1, 0, 0), y: SIMD3(0, 1, 0), w: SIMD3(tilt, 1))
    return shift(center).after(lean).after(shift(-center))
  }

  /// The displacement of `p` under this map.
  package func displacement(at p: SIMD2<Double>) -> SIMD2<Double> { self(p) - p }

  /// The same kind of motion, `factor` times as far: of affine motions every displacement is multiplied by it, of others about so.
  package func scaled(by factor: Double) -> Homography {
    func row(_ r: SIMD3<Double>, _ neutral: SIMD3<Double>) -> SIMD3<Double> { neutral + (r / w.z - neutral) * factor }
    return Homography(x: row(x, SIMD3(1, 0, 0)), y: row(y, SIMD3(0, 1, 0)), w: row(w, SIMD3(0, 0, 1)))
  }
}

/// A pinhole camera that moves between the images; x to the right, y down, z forward.
package struct Camera: Sendable {
  /// Focal length and principal point, px.
  package var focal: Double
  package var center: SIMD2<Double>
  /// Rotation of the camera between the images, radians: yaw to the right, pitch up, roll clockwise.
  package var yaw = 0.0
  package var pitch = 0.0
  package var roll = 0.0
  /// Translation of the camera between the images, in units of the scene.
  package var translation = SIMD3<Double>(0, 0, 0)

  package init(focal: Double, center: SIMD2<Double>) {
    self.focal = focal
    self.center = center
  }

  /// The projection of directions `(X, Y, Z)` to the image.
  package var projection: Homography {
    Homography(x: SIMD3(focal, 0, center.x), y: SIMD3(0, focal, center.y), w: SIMD3(0, 0, 1))
  }

  /// The map from image 1 to image 2 of the points of a plane `normal · P = distance`, which itself moves by `velocity`.
  ///
  /// With `P₂ = R·(P₁ + v) - t` and `n·P₁ = d` the map is `K·(R + (R·v - t)·nᵀ/d)·K⁻¹`.
  /// An infinite distance leaves the rotation.
  package func motion(ofPlane normal: SIMD3<Double>, distance: Double, velocity: SIMD3<Double> = SIMD3(0, 0, 0)) -> Homography {
    let r = rotation
    func turned(_ row: SIMD3<Double>) -> Double { (row * velocity).sum() }
    let shift = SIMD3(turned(r.x), turned(r.y), turned(r.w)) - translation
    let n = normal / distance
    let rigid = Homography(x: r.x + n * shift.x, y: r.y + n * shift.y, w: r.w + n * shift.z)
    let map = projection.after(rigid).after(projection.inverse)
    // Fronto-parallel planes without rotation move affinely: rounding must not hide it.
    return abs(map.w.x) + abs(map.w.y) < 1e-14 ? Homography(x: map.x / map.w.z, y: map.y / map.w.z, w: SIMD3(0, 0, 1)) : map
  }

  /// The rotation of the scene in the camera's frame, `R_z · R_x · R_y`.
  private var rotation: Homography {
    let (cy, sy, cp, sp, cr, sr) = (cos(yaw), sin(yaw), cos(pitch), sin(pitch), cos(roll), sin(roll))
    let turnY = Homography(x: SIMD3(cy, 0, -sy), y: SIMD3(0, 1, 0), w: SIMD3(sy, 0, cy))
    let turnX = Homography(x: SIMD3(1, 0, 0), y: SIMD3(0, cp, sp), w: SIMD3(0, -sp, cp))
    let turnZ = Homography(x: SIMD3(cr, sr, 0), y: SIMD3(-sr, cr, 0), w: SIMD3(0, 0, 1))
    return turnZ.after(turnX).after(turnY)
  }
}
