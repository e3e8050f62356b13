import Base
import Foundation

/// An object before it is put into a scene: its outline, its surface and its shadow.
struct SceneObject {
  var outline: Outline
  var family: TextureFamily
  /// Exponent of the luminance's amplitude spectrum.
  var exponent: Double
  var palette = ColorTheme.any
  /// Size of a texel, px: 1 is sharp, more is out of focus.
  var texel = 1.0
  /// Darkness of the shadow, 0...1, and the direction in which it falls; 0 casts none.
  var darkness = 0.0
  var light = SIMD2<Double>(0, 0)
  /// Shading towards the rim and to one side, as of something round.
  var isRound = true
  /// Probability, 0...1, of shadows that belong to the surface.
  var shadeShare = TexturePainter.usualShadeShare
  /// What lies behind, from which the surface keeps apart; nil: its colour is as it was drawn.
  var backdrop: Backdrop?
  /// Mean colour of the surface, red, green, blue, 0...255; nil: as it was drawn.
  var tone: SIMD3<Float>?
  /// True for surfaces that recede from the camera: their texture is also kept in reduced sizes (mipmaps).
  var recedes = false

  /// A colour behind an object, and the least distance of the object's mean colour from it.
  struct Backdrop {
    /// Red, green, blue, 0...255.
    let color: SIMD3<Float>
    /// Root mean square over the channels, grey levels.
    let distance: Float

    init(color: SIMD3<Float>, distance: Float) { (self.color, self.distance) = (color, distance) }

    /// The mean colour of the square around a circle, as far as it lies in the frame.
    /// - Parameter colors: of the frame, row-major.
    init(of colors: [SIMD4<Float>], height: Int, width: Int, about center: SIMD2<Double>, radius: Double, distance: Double) {
      func range(_ middle: Double, _ size: Int) -> Range<Int> {
        let first = max(0, min(size - 1, Int((middle - radius).rounded(.down))))
        return first..<max(first + 1, min(size, Int((middle + radius).rounded(.up))))
      }
      let (rows, columns) = (range(center.y, height), range(center.x, width))
      var sum = SIMD4<Float>(repeating: 0)
      for y in rows {
        for x in columns { sum += colors[y * width + x] }
      }
      sum /= Float(rows.count * columns.count)
      self.init(color: SIMD3(sum.x, sum.y, sum.z), distance: Float(distance))
    }

    /// What is to be added to a colour so that it keeps its distance: along the line between both, away from black and white.
    func shift(of mean: SIMD3<Float>) -> SIMD3<Float> {
      let apart = mean - color
      let found = ((apart * apart).sum() / 3).squareRoot()
      guard found < distance else { return SIMD3(repeating: 0) }
      let way = found > 1 ? apart / found : SIMD3(repeating: 1)
      let target = color + way * distance
      let isPossible = target.min() > 12 && target.max() < 243
      return (isPossible ? target : color + SIMD3(repeating: color.sum() > 384 ? -distance : distance)) - mean
    }
  }

  /// The object as a layer of a scene.
  /// - Parameters:
  ///   - placement: map from the outline's coordinates (px around its centre) to image 1.
  ///   - motion, deformation: map from image 1 to image 2.
  func layer(
    placement: Homography, motion: Homography, deformation: Deformation? = nil, _ random: inout Random
  ) -> SceneLayer {
    let needed = SIMD2((2 * outline.reach.x / texel).rounded(.up), (2 * outline.reach.y / texel).rounded(.up)) + 5
    // The shorter side is base·2ᵏ, base 4...7, so that it holds the outline with two texels to spare on each side.
    var octaves = 0
    while Int(min(needed.x, needed.y) / Double(1 << octaves)) >= 7 { octaves += 1 }
    func base(_ side: Double) -> Int { max(4, Int((side / Double(1 << octaves)).rounded(.up))) }
    var painter = TexturePainter(
      family: family, baseHeight: base(needed.y), baseWidth: base(needed.x), octaves: octaves, exponent: exponent, theme: palette)
    painter.shadeShare = shadeShare
    var texels = painter.paint(&random)
    if tone != nil || backdrop != nil {
      let sum = texels.reduce(SIMD4<Float>(repeating: 0), +) / Float(texels.count)
      let mean = SIMD3(sum.x, sum.y, sum.z)
      let shift = SIMD4(tone.map { $0 - mean } ?? backdrop?.shift(of: mean) ?? SIMD3(repeating: 0), 0)
      for index in texels.indices { texels[index] += shift }
    }
    shape(&texels, height: painter.height, width: painter.width, &random)
    let texture = Texture(height: painter.height, width: painter.width, texels: texels)
    let center = SIMD2(Double(painter.width), Double(painter.height)) / 2
    let toOutline = Homography(a: SIMD2(texel, 0), b: SIMD2(0, texel), t: -center * texel)
    var layer = SceneLayer(
      texture: texture, wraps: false, placement: placement.after(toOutline), motion: motion, deformation: deformation,
      shadow: darkness > 0 ? shadow(below: toOutline.inverse, &random) : nil)
    if recedes { layer.reductions = texture.reductions(octaves) }
    return layer
  }

  /// Sets the opacity to the outline's coverage, and the light on the surface.
  private func shape(_ texels: inout [SIMD4<Float>], height: Int, width: Int, _ random: inout Random) {
    let radius = min(outline.reach.x, outline.reach.y)
    let rim = isRound && random.chance(0.5) ? random.uniform(0.1, 0.6) : 0
    let rimWidth = radius * random.uniform(0.2, 0.7)
    let angle = random.uniform(0, 2 * .pi)
    let tilt = isRound ? random.uniform(0, 0.5) / max(outline.reach.x, outline.reach.y) : 0
    let slope = SIMD2(cos(angle), sin(angle)) * tilt
    let center = SIMD2(Double(width), Double(height)) / 2
    let depths = outline.distances(height: height, width: width, cell: texel)
    for y in 0..<height {
      for x in 0..<width {
        let p = (SIMD2(Double(x), Double(y)) - center) * texel
        let depth = depths[y * width + x]
        let coverage = Float(depth / texel + 0.5).clamped()
        let edge = 1 - (depth / rimWidth).clamped(to: 0...1)
        let light = Float((1 - rim * edge * edge) * (1 + (slope * p).sum()))
        let color = (texels[y * width + x] * light).limited(SIMD4(repeating: 0), SIMD4(repeating: 255))
        texels[y * width + x] = SIMD4(color.x, color.y, color.z, coverage)
      }
    }
  }

  private func shadow(below toTexture: Homography, _ random: inout Random) -> SceneLayer.Shadow {
    let radius = min(outline.reach.x, outline.reach.y)
    let softness = random.uniform(2, 4 + radius * 0.25)
    let distance = random.uniform(0.05, 0.3) * radius + 1
    let cell = 4.0
    let width = Int((2 * (outline.reach.x + softness) / cell).rounded(.up)) + 5
    let height = Int((2 * (outline.reach.y + softness) / cell).rounded(.up)) + 5
    let texels = outline.distances(height: height, width: width, cell: cell).map { depth in
      let share = ((depth / softness + 1) / 2).clamped(to: 0...1)
      return SIMD4(0, 0, 0, Float(darkness * share * share * (3 - 2 * share)))
    }
    let middle = SIMD2(Double(width), Double(height)) / 2
    let toOutline = Homography(a: SIMD2(cell, 0), b: SIMD2(0, cell), t: -middle * cell)
    return .init(texture: Texture(height: height, width: width, texels: texels), placement: toTexture.after(toOutline),
                 offset: light * distance)
  }
}
