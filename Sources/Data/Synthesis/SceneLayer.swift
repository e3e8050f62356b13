import Foundation
import Tensors

/// One surface of a scene: the background, or an object with its outline in the opacity of its texture.
package struct SceneLayer: Sendable {
  package let texture: Texture
  /// Whether the texture repeats without end (the background) or stops at its border (objects).
  package let wraps: Bool
  /// From texture coordinates to image 1.
  package let placement: AffineMotion
  /// From image 1 to image 2.
  package let motion: AffineMotion
  /// The soft shadow that falls on the layers below; nil casts none.
  let shadow: Shadow?

  package init(texture: Texture, wraps: Bool, placement: AffineMotion, motion: AffineMotion, shadow: Shadow? = nil) {
    self.texture = texture
    self.wraps = wraps
    self.placement = placement
    self.motion = motion
    self.shadow = shadow
  }

  /// Opacity of a shadow on a grid coarser than the texture's.
  package struct Shadow: Sendable {
    /// The shadow's darkness is the last component, 0...1.
    let texture: Texture
    /// From the shadow's texture coordinates to those of the layer.
    let placement: AffineMotion
    /// Where it falls relative to the object, in px of both images.
    let offset: SIMD2<Double>
  }
}

extension SceneLayer {
  /// An object's texture and shadow.
  /// - Parameters:
  ///   - radius: of the circle around the outline, px.
  ///   - family, exponent: of its surface.
  ///   - darkness: of the shadow, 0...1; 0 casts none.
  ///   - light: direction in which shadows fall.
  static func object(
    radius: Double, family: TextureFamily, exponent: Double, position: SIMD2<Double>, motion: AffineMotion,
    darkness: Double, light: SIMD2<Double>, _ random: inout Random
  ) -> SceneLayer {
    let outline = Outline.random(radius: radius, &random)
    // The smallest base·2ᵏ, base 4...7, that holds the outline with two texels to spare on each side.
    let needed = Int((2 * radius).rounded(.up)) + 5
    var octaves = 0
    while (needed + (1 << octaves) - 1) >> octaves > 7 { octaves += 1 }
    let base = max(4, (needed + (1 << octaves) - 1) >> octaves)
    let painter = TexturePainter(family: family, baseHeight: base, baseWidth: base, octaves: octaves, exponent: exponent)
    let center = SIMD2(repeating: Double(painter.width) / 2)
    var texels = painter.paint(&random)
    shape(&texels, side: painter.width, by: outline, radius: radius, &random)
    let turn = AffineMotion.about(center, rotation: random.uniform(0, 2 * .pi), zoom: 1, shift: position - center)
    return SceneLayer(
      texture: Texture(height: painter.height, width: painter.width, texels: texels), wraps: false, placement: turn, motion: motion,
      shadow: darkness > 0 ? shadow(of: outline, center: center, radius: radius, darkness: darkness, light: light, &random) : nil)
  }

  /// Sets the opacity to the outline's coverage, and darkens the surface towards its rim and to one side, as if it were round.
  private static func shape(
    _ texels: inout [SIMD4<Float>], side: Int, by outline: Outline, radius: Double, _ random: inout Random
  ) {
    let rim = random.chance(0.5) ? random.uniform(0.1, 0.45) : 0, rimWidth = radius * random.uniform(0.2, 0.6)
    let angle = random.uniform(0, 2 * .pi), tilt = random.uniform(0, 0.3) / radius
    let slope = SIMD2(cos(angle), sin(angle)) * tilt
    let center = SIMD2(repeating: Double(side) / 2)
    let depths = outline.distances(side: side)
    for y in 0..<side {
      for x in 0..<side {
        let p = SIMD2(Double(x), Double(y)) - center
        let depth = depths[y * side + x]
        let coverage = Float(depth + 0.5).clamped()
        let edge = 1 - (depth / rimWidth).clamped(to: 0...1)
        let light = Float((1 - rim * edge * edge) * (1 + (slope * p).sum()))
        let color = (texels[y * side + x] * light).limited(SIMD4(repeating: 0), SIMD4(repeating: 255))
        texels[y * side + x] = SIMD4(color.x, color.y, color.z, coverage)
      }
    }
  }

  private static func shadow(
    of outline: Outline, center: SIMD2<Double>, radius: Double, darkness: Double, light: SIMD2<Double>, _ random: inout Random
  ) -> Shadow {
    let softness = random.uniform(2, 4 + radius * 0.25), distance = random.uniform(0.05, 0.3) * radius + 1
    let cell = 4.0
    let side = Int((2 * (radius + softness) / cell).rounded(.up)) + 5
    let middle = Double(side) / 2
    let texels = outline.distances(side: side, cell: cell).map { depth in
      let share = ((depth / softness + 1) / 2).clamped(to: 0...1)
      return SIMD4(0, 0, 0, Float(darkness * share * share * (3 - 2 * share)))
    }
    return Shadow(
      texture: Texture(height: side, width: side, texels: texels),
      placement: AffineMotion(a: SIMD2(cell, 0), b: SIMD2(0, cell), t: center - middle * cell), offset: light * distance)
  }
}
