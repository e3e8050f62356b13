import Base
import Foundation

extension FlowSynthesis {
  /// The layers of one sample, from back to front, and the light over them.
  package func scene(index: Int, seed: UInt64) -> FlowScene {
    var random = source(.synthesis, 0, index, seed)
    let isDriving = random.chance(drivingShare)
    let isGentle = random.chance(gentleShare)
    let pace = isGentle ? random.uniform(0.05, 0.4) : 1
    let layers = isDriving
      ? drivingLayers(pace: pace, index: index, seed: seed, &random) : flatLayers(pace: pace, index: index, seed: seed, &random)
    var scene = FlowScene(height: height, width: width, layers: layers)
    var weather = source(.synthesis, -2, index, seed)
    if weather.chance(fogShare) { addFog(to: &scene, isDriving: isDriving, &weather) }
    if weather.chance(movingShadowShare) { scene.lights.append(light(.shadow, pace: pace, &weather)) }
    if weather.chance(highlightShare) {
      for _ in 0..<weather.integer(in: 1..<4) { scene.lights.append(light(.highlight, pace: pace, &weather)) }
    }
    if weather.chance(motionBlurShare) { scene.shutter = weather.uniform(0.1, 1) * motionBlur }
    return scene
  }

  // MARK: Surfaces

  /// Probabilities of the families: for the background of a flat scene, and for an object.
  static let backgroundFamilies: [(TextureFamily, Double)] = [
    (.noise, 0.07), (.grain, 0.03), (.leaves, 0.24), (.foliage, 0.07), (.strands, 0.06), (.patches, 0.07), (.stripes, 0.03),
    (.masonry, 0.09), (.weave, 0.03), (.dots, 0.03), (.smooth, 0.05), (.mosaic, 0.23),
  ]
  private static let objectFamilies: [(TextureFamily, Double)] = [
    (.noise, 0.12), (.grain, 0.08), (.leaves, 0.1), (.foliage, 0.06), (.strands, 0.08), (.patches, 0.1), (.stripes, 0.07),
    (.masonry, 0.07), (.weave, 0.05), (.dots, 0.05), (.writing, 0.04), (.smooth, 0.18),
  ]

  static func draw<Choice>(from table: [(Choice, Double)], otherwise last: Choice, _ random: inout Random) -> Choice {
    var rest = random.uniform()
    for (choice, share) in table {
      rest -= share
      if rest < 0 { return choice }
    }
    return last
  }

  func objectFamily(_ random: inout Random) -> TextureFamily { Self.draw(from: Self.objectFamilies, otherwise: .smooth, &random) }

  /// The texture of a plane somewhat larger than `extent` (px), which repeats beyond.
  func plane(
    _ family: TextureFamily, extent: SIMD2<Double>, texel: Double, theme: ColorTheme = .any, clutter: Double = 0, _ random: inout Random
  ) -> Texture {
    let needed = extent * (1.2 / texel)
    var octaves = 3
    while needed.max() > Double(8 << octaves) { octaves += 1 }
    func base(_ size: Double) -> Int { max(4, Int((size / Double(1 << octaves)).rounded(.up))) }
    var painter = TexturePainter(family: family, baseHeight: base(needed.y), baseWidth: base(needed.x), octaves: octaves,
                                 exponent: spectrum(&random), theme: theme)
    painter.clutterShare = clutter
    return Texture(height: painter.height, width: painter.width, texels: painter.paint(&random))
  }

  /// A plane that covers the frame of a flat scene, turned by a random angle.
  func background(motion: Homography, pace: Double, _ random: inout Random) -> SceneLayer {
    let family = Self.draw(from: Self.backgroundFamilies, otherwise: .leaves, &random)
    let texel = texelSize(&random)
    let texture = plane(family, extent: SIMD2(Double(width), Double(height)), texel: texel,
                        theme: family == .foliage || family == .strands ? (random.chance(0.7) ? .green : .any) : .any,
                        clutter: 0.35, &random)
    let middle = SIMD2(Double(texture.width), Double(texture.height)) / 2
    let place = Homography.about(middle, rotation: random.uniform(-0.15, 0.15), zoom: texel,
                                 shift: SIMD2(Double(width), Double(height)) / 2 - middle)
    var layer = SceneLayer(texture: texture, wraps: true, placement: place, motion: motion)
    if random.chance(deformingShare) { layer.deformation = bend(over: Double(width) * random.uniform(0.15, 0.5), pace: pace, &random) }
    return layer
  }

  /// The exponent of a luminance spectrum, drawn with a density that rises linearly towards the steepest, for most photographs are steep.
  func spectrum(_ random: inout Random) -> Double {
    flattestSpectrum + (steepestSpectrum - flattestSpectrum) * random.uniform().squareRoot()
  }

  /// The size of a texel, px: 1 in focus, more out of it.
  func texelSize(_ random: inout Random) -> Double { random.chance(defocusShare) ? random.uniform(1, defocus) : 1 }

  func bend(over wavelength: Double, pace: Double, _ random: inout Random) -> Deformation {
    Deformation(cell: max(6, wavelength / 2), strength: deformation * max(0.2, pace) * random.uniform(0.3, 1.6), &random)
  }

  // MARK: Motions

  /// A shift of log-normal length in any direction.
  func shift(median: Double, _ random: inout Random) -> SIMD2<Double> {
    let length = min(maximumMotion, median * exp(motionSpread * random.normal()))
    let angle = random.uniform(0, 2 * .pi)
    return SIMD2(cos(angle), sin(angle)) * length
  }

  /// An affine motion about a point. `strength` scales rotation, zoom and shear: 1 for objects, less for the background.
  func drawMotion(about center: SIMD2<Double>, median: Double, strength: Double, _ random: inout Random) -> Homography {
    let shift = shift(median: median, &random)
    return .about(
      center, rotation: strength * rotation * random.normal() * .pi / 180, zoom: exp(strength * zoom * random.normal()),
      shear: SIMD2(random.normal(), random.normal()) * (strength * shear), shift: shift)
  }

  /// `motion` reduced so that none of the points moves farther than `limit` (px).
  func limited(_ motion: Homography, at points: [SIMD2<Double>], to limit: Double) -> Homography {
    let largest = points.map { length(motion.displacement(at: $0)) }.max() ?? 0
    return largest > limit ? motion.scaled(by: limit / largest) : motion
  }

  func length(_ v: SIMD2<Double>) -> Double { (v * v).sum().squareRoot() }

  var corners: [SIMD2<Double>] {
    [SIMD2(0, 0), SIMD2(Double(width), 0), SIMD2(0, Double(height)), SIMD2(Double(width), Double(height))]
  }

  // MARK: Light and air

  /// A large soft shadow, or a small highlight, with a motion of its own.
  private func light(_ effect: SceneLight.Effect, pace: Double, _ random: inout Random) -> SceneLight {
    let isShadow = effect == .shadow
    let frame = Double(min(height, width))
    let radius = isShadow ? frame * random.uniform(0.15, 0.6) : random.uniform(4, frame * 0.12)
    let softness = radius * random.uniform(isShadow ? 0.05 : 0.3, 0.8)
    let strength = isShadow ? random.uniform(0.15, 0.55) : random.uniform(0.2, 0.9)
    let outline = Outline.random(radius: radius, thinShare: isShadow ? 0.2 : 0, &random)
    let cell = isShadow ? 4.0 : 1.5
    let columns = Int((2 * (outline.reach.x + softness) / cell).rounded(.up)) + 5
    let rows = Int((2 * (outline.reach.y + softness) / cell).rounded(.up)) + 5
    let texels = outline.distances(height: rows, width: columns, cell: cell).map { depth in
      let share = ((depth / softness + 1) / 2).clamped(to: 0...1)
      return SIMD4<Float>(0, 0, 0, Float(strength * share * share * (3 - 2 * share)))
    }
    let position = SIMD2(random.uniform(0, 1) * Double(width), random.uniform(0, 1) * Double(height))
    let middle = SIMD2(Double(columns), Double(rows)) * (cell / 2)
    let own = Homography.shift(shift(median: medianObjectMotion, &random)).scaled(by: pace)
    return SceneLight(effect: effect, texture: Texture(height: rows, width: columns, texels: texels),
                      placement: Homography(a: SIMD2(cell, 0), b: SIMD2(0, cell), t: position - middle), motion: own)
  }

  /// Fog that thickens with the depth: from the first layer (far) to the last (near) in flat scenes, else in the units of the scene.
  private func addFog(to scene: inout FlowScene, isDriving: Bool, _ random: inout Random) {
    let grey = Float(random.uniform(110, 235))
    let tint = Float(random.uniform(-12, 12))
    let share = fog * random.uniform(0.2, 1)
    let density = Float(-log(1 - share * 0.999))
    for index in scene.layers.indices {
      let rank = 1 - Double(index) / Double(max(1, scene.layers.count))
      let depth = isDriving ? Float(scene.layers[index].depth) : Float(rank)
      let color = SIMD4(grey - tint, grey, grey + tint, 0)
      scene.layers[index].haze = .init(color: color, density: isDriving ? density / 20 : density, depth: depth)
    }
  }
}
