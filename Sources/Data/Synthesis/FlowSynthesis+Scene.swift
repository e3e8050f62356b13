import Foundation
import Tensors

extension FlowSynthesis {
  /// The layers of one sample, from back to front.
  package func scene(index: Int, seed: UInt64) -> FlowScene {
    var random = source(.synthesis, 0, index, seed)
    let center = SIMD2(Double(width), Double(height)) / 2
    let isStatic = random.chance(staticShare)
    let ground = backgroundMotion(about: center, isStatic: isStatic, &random)
    let darkness = random.chance(0.7) ? random.uniform(0, shadow) : 0
    let lightAngle = random.uniform(0, 2 * .pi)
    let light = SIMD2(cos(lightAngle), sin(lightAngle))
    let count = random.integer(in: fewestObjects..<mostObjects + 1)
    var layers = [background(motion: ground, index: index, seed: seed)]
    // Larger objects tend to lie farther back, so that small ones stay in sight.
    let radii = (0..<count).map { _ in exp(random.uniform(log(smallestRadius), log(largestRadius))) }
      .map { ($0, $0 * random.uniform(0.3, 1)) }.sorted { $0.1 > $1.1 }.map(\.0)
    for (number, radius) in radii.enumerated() {
      let position = SIMD2(random.uniform(-0.05, 1.05) * Double(width), random.uniform(-0.05, 1.05) * Double(height))
      let motion = objectMotion(on: ground, at: position, radius: radius, &random)
      var own = source(.synthesis, number + 2, index, seed)
      layers.append(.object(
        radius: radius, family: Self.draw(from: Self.objectFamilies, &own), exponent: spectrum(&own),
        position: position, motion: motion, darkness: darkness, light: light, &own))
    }
    return FlowScene(height: height, width: width, layers: layers)
  }

  /// How often each family covers the background, and an object.
  private static let backgroundFamilies: [(TextureFamily, Double)] = [
    (.noise, 0.26), (.leaves, 0.42), (.patches, 0.17), (.stripes, 0.07), (.smooth, 0.08),
  ]
  private static let objectFamilies: [(TextureFamily, Double)] = [
    (.noise, 0.28), (.leaves, 0.14), (.patches, 0.2), (.stripes, 0.16), (.smooth, 0.22),
  ]

  private static func draw(from table: [(TextureFamily, Double)], _ random: inout Random) -> TextureFamily {
    var rest = random.uniform()
    for (family, share) in table {
      rest -= share
      if rest < 0 { return family }
    }
    return .noise
  }

  /// A plane somewhat larger than the frame, turned by a random angle.
  private func background(motion: AffineMotion, index: Int, seed: UInt64) -> SceneLayer {
    var random = source(.synthesis, 1, index, seed)
    let family = Self.draw(from: Self.backgroundFamilies, &random)
    var octaves = 4
    while Double(max(height, width)) * 1.2 > Double(8 << octaves) { octaves += 1 }
    func base(_ size: Int) -> Int { max(4, Int((Double(size) * 1.2 / Double(1 << octaves)).rounded(.up))) }
    let painter = TexturePainter(
      family: family, baseHeight: base(height), baseWidth: base(width), octaves: octaves,
      exponent: spectrum(&random))
    let texture = Texture(height: painter.height, width: painter.width, texels: painter.paint(&random))
    let middle = SIMD2(Double(texture.width), Double(texture.height)) / 2
    let place = AffineMotion.about(
      middle, rotation: random.uniform(-0.15, 0.15), zoom: 1, shift: SIMD2(Double(width), Double(height)) / 2 - middle)
    return SceneLayer(texture: texture, wraps: true, placement: place, motion: motion, shadow: nil)
  }

  /// An exponent; the density rises linearly towards the steepest, for most photographs are steep.
  private func spectrum(_ random: inout Random) -> Double {
    flattestSpectrum + (steepestSpectrum - flattestSpectrum) * random.uniform().squareRoot()
  }

  /// A shift of log-normal length in any direction.
  private func shift(median: Double, _ random: inout Random) -> SIMD2<Double> {
    let length = min(maximumMotion, median * exp(motionSpread * random.normal()))
    let angle = random.uniform(0, 2 * .pi)
    return SIMD2(cos(angle), sin(angle)) * length
  }

  /// `strength` 1 is an object, less moves more rigidly.
  private func drawMotion(about center: SIMD2<Double>, median: Double, strength: Double, _ random: inout Random) -> AffineMotion {
    let shift = shift(median: median, &random)
    return .about(
      center, rotation: strength * rotation * random.normal() * .pi / 180, zoom: exp(strength * zoom * random.normal()),
      shear: SIMD2(random.normal(), random.normal()) * (strength * shear), shift: shift)
  }

  private func backgroundMotion(about center: SIMD2<Double>, isStatic: Bool, _ random: inout Random) -> AffineMotion {
    let motion = drawMotion(about: center, median: medianBackgroundMotion, strength: 0.25, &random)
    let corners = [SIMD2(0, 0), SIMD2(2 * center.x, 0), SIMD2(0, 2 * center.y), center * 2]
    let largest = corners.map { length(motion.displacement(at: $0)) }.max() ?? 0
    // A near-static camera still trembles a little; half of those stand perfectly still.
    let limit = isStatic ? (random.chance(0.5) ? 0 : 0.5) : maximumMotion
    return largest > limit ? motion.scaled(by: limit / largest) : motion
  }

  /// The background's motion with an own motion on top.
  private func objectMotion(
    on ground: AffineMotion, at position: SIMD2<Double>, radius: Double, _ random: inout Random
  ) -> AffineMotion {
    let own = drawMotion(about: position, median: medianObjectMotion, strength: 1, &random)
    let around = [SIMD2(radius, 0), SIMD2(-radius, 0), SIMD2(0, radius), SIMD2(0, -radius)].map { position + $0 }
    let largest = around.map { length(own.displacement(at: $0)) }.max() ?? 0
    return ground.after(largest > maximumMotion ? own.scaled(by: maximumMotion / largest) : own)
  }

  private func length(_ v: SIMD2<Double>) -> Double { (v * v).sum().squareRoot() }
}
