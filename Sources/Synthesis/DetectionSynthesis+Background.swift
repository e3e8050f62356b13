import Base
import Foundation

/// Ground and sky.
extension DetectionSynthesis {
  /// Families of calm surfaces.
  private static let calmFamilies: [(TextureFamily, Double)] = [
    (.noise, 0.2), (.grain, 0.3), (.smooth, 0.3), (.patches, 0.1), (.weave, 0.1),
  ]

  /// The layers behind all objects and the kind of each: ground alone, or sky and before it ground up to a horizon.
  func background(_ surfaces: FlowSynthesis, _ random: inout Random) -> (layers: [SceneLayer], stuff: [StuffClass]) {
    let families = random.chance(clutter) ? FlowSynthesis.backgroundFamilies : Self.calmFamilies
    let family = FlowSynthesis.draw(from: families, otherwise: .smooth, &random)
    let theme = [.foliage, .strands].contains(family) && random.chance(0.7) ? ColorTheme.green : .any
    let size = SIMD2(Double(width), Double(height))
    guard random.chance(skyShare) else {
      return ([plane(family, theme, size, surfaces, &random)], [.ground])
    }
    let sky = plane(random.chance(0.6) ? .smooth : .noise, .sky, size, surfaces, &random)
    let horizon = size.y * random.uniform(0.2, 0.65)
    // A panel that reaches well beyond the frame on three sides, however it leans.
    let outline = Outline.panel(width: 1.5 * size.x, height: 2 * (1.3 * size.y - horizon))
    var ground = SceneObject(outline: outline, family: family, exponent: surfaces.spectrum(&random))
    ground.palette = theme
    ground.isRound = false
    let place = Homography.about(SIMD2(0, 0), rotation: random.uniform(-0.12, 0.12), zoom: 1, shift: SIMD2(size.x / 2, 1.3 * size.y))
    return ([sky, ground.layer(placement: place, motion: .identity, &random)], [.sky, .ground])
  }

  /// A repeating plane over the whole frame, turned a little.
  private func plane(
    _ family: TextureFamily, _ theme: ColorTheme, _ size: SIMD2<Double>, _ surfaces: FlowSynthesis, _ random: inout Random
  ) -> SceneLayer {
    let texel = surfaces.texelSize(&random)
    let texture = surfaces.plane(family, extent: size, texel: texel, theme: theme, &random)
    let middle = SIMD2(Double(texture.width), Double(texture.height)) / 2
    let place = Homography.about(middle, rotation: random.uniform(-0.15, 0.15), zoom: texel, shift: size / 2 - middle)
    return SceneLayer(texture: texture, wraps: true, placement: place, motion: .identity)
  }
}
