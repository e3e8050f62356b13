import Base
import Foundation

/// Space before a camera, filled with rectangles: what rooms and façades are built of. Metres; x to the right, y down, z forward.
struct Space {
  let surfaces: FlowSynthesis
  /// Of the frame, px.
  let size: SIMD2<Double>
  private let camera: Camera
  /// Cosine and sine of the angle by which what is built is turned about the vertical axis.
  private let turn: SIMD2<Double>

  /// What a rectangle is covered with.
  struct Surface {
    var family: TextureFamily
    /// Mean colour, red, green, blue, 0...255.
    var tone: SIMD3<Float>
    /// The part of the rectangle that is covered; nil: all of it. The size is the rectangle's, in texels.
    var form: ((_ size: SIMD2<Double>) -> Outline)?

    init(_ family: TextureFamily, _ tone: SIMD3<Float>, form: ((SIMD2<Double>) -> Outline)? = nil) {
      (self.family, self.tone, self.form) = (family, tone, form)
    }

    /// The same in a weaker light.
    func shaded(_ light: Double) -> Surface {
      var surface = self
      surface.tone *= Float(light)
      return surface
    }
  }

  /// - Parameters:
  ///   - zoom: focal length in widths of the frame.
  ///   - center: the point of the frame that the camera looks at, as shares of its size.
  ///   - angle: of the turn, radians.
  init(_ surfaces: FlowSynthesis, zoom: Double, center: SIMD2<Double>, angle: Double) {
    self.surfaces = surfaces
    size = SIMD2(Double(surfaces.width), Double(surfaces.height))
    camera = Camera(focal: zoom * size.max(), center: center * size)
    turn = SIMD2(cos(angle), sin(angle))
  }

  private func turned(_ p: SIMD3<Double>) -> SIMD3<Double> { SIMD3(turn.x * p.x - turn.y * p.z, p.y, turn.y * p.x + turn.x * p.z) }

  /// A rectangle.
  /// - Parameters:
  ///   - across, down: unit vectors along its sides.
  ///   - extent: lengths of its sides, m.
  func rectangle(
    _ surface: Surface, at center: SIMD3<Double>, across: SIMD3<Double>, down: SIMD3<Double>, extent: SIMD2<Double>,
    _ random: inout Random
  ) -> SceneLayer {
    let depth = max(0.6, turned(center).z - 0.3 * extent.max() * abs(across.z + down.z))
    // A few more texels than pixels in the middle; no more than a large plane needs.
    let density = min(1.3 * camera.focal / depth, 1.8 * size.max() / extent.max())
    let texels = SIMD2(max(extent.x * density, 2), max(extent.y * density, 2))
    var object = SceneObject(
      outline: surface.form?(texels) ?? .panel(width: texels.x, height: texels.y), family: surface.family,
      exponent: surfaces.spectrum(&random))
    object.isRound = false
    object.shadeShare = 0.05
    object.recedes = true
    object.tone = surface.tone
    let place = placement(center, across * (extent.x / texels.x), down * (extent.y / texels.y))
    return object.layer(placement: place, motion: .identity, &random)
  }

  /// The map to the frame of a plane with its origin at a point.
  /// - Parameters:
  ///   - u, v: steps of the plane's coordinates, m.
  func placement(_ origin: SIMD3<Double>, _ u: SIMD3<Double>, _ v: SIMD3<Double>) -> Homography {
    let (o, u, v) = (turned(origin), turned(u), turned(v))
    return camera.projection.after(Homography(x: SIMD3(u.x, v.x, o.x), y: SIMD3(u.y, v.y, o.y), w: SIMD3(u.z, v.z, o.z)))
  }

  /// A layer that covers the frame.
  func backdrop(_ family: TextureFamily, _ theme: ColorTheme, _ random: inout Random) -> SceneLayer {
    let texture = surfaces.plane(family, extent: size, texel: 2, theme: theme, &random)
    let place = Homography(a: SIMD2(2, 0), b: SIMD2(0, 2), t: SIMD2(-9, -7))
    return SceneLayer(texture: texture, wraps: true, placement: place, motion: .identity)
  }
}

/// Unit vectors.
enum Axis {
  static let x = SIMD3(1.0, 0, 0)
  static let y = SIMD3(0.0, 1, 0)
  static let z = SIMD3(0.0, 0, 1)
}
