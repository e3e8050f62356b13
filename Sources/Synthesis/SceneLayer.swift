import Foundation

/// One surface of a scene: the background, or an object with its outline in the opacity of its texture.
package struct SceneLayer: Sendable {
  package let texture: Texture
  /// True: the texture repeats without end (the background). False: it stops at its border (objects).
  package let wraps: Bool
  /// Map from texture coordinates to image 1.
  package var placement: Homography
  /// Map from image 1 to image 2, after the deformation.
  package var motion: Homography
  /// Bending of the surface within itself; nil for rigid ones.
  package var deformation: Deformation?
  /// The soft shadow that falls on the layers below; nil casts none.
  package var shadow: Shadow?
  /// The air between the surface and the camera; nil is clear.
  package var haze: Haze?
  /// Distance from the camera in units of the scene, where it counts (fog); 0: unknown, or receding.
  package var depth = 0.0
  /// Mipmaps: the texture at 1/2, 1/4, ... of its resolution, for surfaces that recede; empty for those that do not.
  package var reductions: [Texture] = []

  package init(
    texture: Texture, wraps: Bool, placement: Homography, motion: Homography, deformation: Deformation? = nil, shadow: Shadow? = nil
  ) {
    self.texture = texture
    self.wraps = wraps
    self.placement = placement
    self.motion = motion
    self.deformation = deformation
    self.shadow = shadow
  }

  /// Opacity of a shadow on a grid coarser than the texture's.
  package struct Shadow: Sendable {
    /// The shadow's darkness is the last component, 0...1.
    let texture: Texture
    /// Map from the shadow's texture coordinates to those of the layer.
    let placement: Homography
    /// Offset from the object, in px of both images.
    let offset: SIMD2<Double>
  }

  /// Fog or mist: of a surface at depth z the share exp(-density · z) stays visible, the rest is the colour of the air.
  package struct Haze: Sendable {
    /// Red, green, blue, 0...255, and 0.
    package var color: SIMD4<Float>
    /// Extinction per unit of depth.
    package var density: Float
    /// Depth of a surface that faces the camera; 0: the third component of `placement`, as of a floor that recedes.
    package var depth: Float

    package init(color: SIMD4<Float>, density: Float, depth: Float) {
      self.color = color
      self.density = density
      self.depth = depth
    }
  }

  /// The position in image 2 of the point `p` of image 1 on this surface.
  package func target(of p: SIMD2<Double>) -> SIMD2<Double> {
    guard let deformation else { return motion(p) }
    return motion(p + deformation.displacement(at: p))
  }

  /// The position in image 1 of the point `q` of image 2 on this surface: the inverse of `target`.
  package func source(of q: SIMD2<Double>) -> SIMD2<Double> {
    let p = motion.inverse(q)
    return deformation?.source(of: p, time: 1, near: p) ?? p
  }
}
