import Base
import Foundation

/// The families of surfaces in a synthetic scene.
public enum TextureFamily: String, Codable, Sendable, CaseIterable {
  /// Fractal noise: stone, plaster, cloud.
  case noise
  /// Fine grain on a colour that changes slowly: asphalt, sand, concrete.
  case grain
  /// Overlapping shapes of all sizes ("dead leaves"): clutter, walls.
  case leaves
  /// Many small leaves: bushes, trees, gravel.
  case foliage
  /// Long thin shapes in about one direction: grass, hair, timber.
  case strands
  /// Irregular areas of two or three colours with soft or hard borders.
  case patches
  /// Stripes or plaids, bent a little.
  case stripes
  /// Bricks, tiles, planks and chequers with joints.
  case masonry
  /// Periodic relief: knitwear, wicker, cloth.
  case weave
  /// Discs on a loose grid: windows, rivets, fruit.
  case dots
  /// Rows of small signs.
  case writing
  /// Hardly any texture: a colour gradient, as of sky or painted metal.
  case smooth
  /// Two of the others with a border between them.
  case mosaic

  /// A repeating texture of this family with 8 · 2^`octaves` rows and columns and a luminance spectrum 1/f^`exponent`.
  package func texture(octaves: Int, exponent: Double, _ random: inout Random) -> Texture {
    let painter = TexturePainter(family: self, baseHeight: 8, baseWidth: 8, octaves: octaves, exponent: exponent)
    return Texture(height: painter.height, width: painter.width, texels: painter.paint(&random))
  }
}

/// Paints one texture: colours by family, modulated by fractal luminance and weaker fractal chroma.
struct TexturePainter {
  var family: TextureFamily
  /// Rows and columns of the coarsest octave, and the number of doublings.
  let baseHeight: Int
  let baseWidth: Int
  let octaves: Int
  /// Exponent of the luminance's amplitude spectrum.
  let exponent: Double
  var theme = ColorTheme.any
  /// Probabilities, 0...1, of shadows with hard or soft borders on the surface, and of a few large shapes.
  var shadeShare = TexturePainter.usualShadeShare
  var clutterShare = 0.0
  static let usualShadeShare = 0.3
  var height: Int { baseHeight << octaves }
  var width: Int { baseWidth << octaves }

  /// Opaque texels: red, green, blue (0...255, not clamped) and 1.
  func paint(_ random: inout Random) -> [SIMD4<Float>] {
    let palette = Palette(count: 6, theme: theme, &random)
    var texels = surface(family, palette, &random)
    if random.chance(clutterShare) { addClutter(to: &texels, palette, &random) }
    var noise = NormalNoise(from: &random)
    let luminance = field(exponent: family == .grain ? random.uniform(0, 0.5) : exponent, &noise)
    let chroma = field(exponent: 1.2, smoothOctaves: 2, &noise)
    let axis = SIMD4(palette.chromaAxis, 0) * Float(random.uniform(0.01, 0.12))
    texels.withUnsafeMutableBufferPointer { texels in
      for index in 0..<texels.count {
        let base = texels[index]
        // exp(x) as (1 + x/8)⁸, close enough for a tone curve: luminance in photographs is roughly log-normal.
        var light = max(0, 1 + base.w * luminance[index] * 0.125)
        light *= light
        light *= light
        light *= light
        let grey = 0.3 * base.x + 0.59 * base.y + 0.11 * base.z
        var color = (base + axis * (chroma[index] * grey)) * light
        color.w = 1
        texels[index] = color.limited(SIMD4(repeating: 0), SIMD4(255, 255, 255, 1))
      }
    }
    if random.chance(shadeShare) { shade(&texels, &random) }
    return texels
  }

  /// Darkens areas, as if something outside the picture stood in the light: the shadow belongs to the surface.
  private func shade(_ texels: inout [SIMD4<Float>], _ random: inout Random) {
    var noise = NormalNoise(from: &random)
    let relief = field(exponent: random.uniform(1, 1.8), smoothOctaves: random.integer(in: 1..<4), &noise)
    let softness = Float(exp(random.uniform(log(0.04), log(0.6))))
    let level = Float(random.uniform(-0.6, 1))
    let darkness = Float(random.uniform(0.25, 0.8))
    // Shadows are a little bluer than the light.
    let strength = SIMD4(darkness, darkness * 0.97, darkness * 0.92, 0)
    texels.withUnsafeMutableBufferPointer { texels in
      for index in 0..<texels.count {
        let share = ((relief[index] - level) / softness + 0.5).clamped()
        if share > 0 { texels[index] *= 1 - strength * share }
      }
    }
  }

  func field(exponent: Double, smoothOctaves: Int = 0, _ noise: inout NormalNoise) -> [Float] {
    FractalNoise.field(baseHeight: baseHeight, baseWidth: baseWidth, octaves: octaves, exponent: exponent,
                       smoothOctaves: smoothOctaves, noise: &noise)
  }

  /// Colour (red, green, blue) and the contrast of the fractal luminance (last) at every texel.
  private func surface(_ family: TextureFamily, _ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    switch family {
    case .noise: Array(repeating: SIMD4(palette.colors[0], Float(random.uniform(0.1, 0.5))), count: height * width)
    case .grain: gradient(from: palette.colors[0], to: palette.colors[1], contrast: random.uniform(0.03, 0.25), &random)
    case .leaves: leaves(palette, &random)
    case .foliage: foliage(palette, &random)
    case .strands: strands(palette, &random)
    case .patches: patches(palette, &random)
    case .stripes: stripes(palette, &random)
    case .masonry: masonry(palette, &random)
    case .weave: weave(palette, &random)
    case .dots: dots(palette, &random)
    case .writing: writing(palette, &random)
    case .smooth: gradient(from: palette.colors[0], to: palette.colors[1], contrast: random.uniform(0.005, 0.06), &random)
    case .mosaic: mosaic(palette, &random)
    }
  }

  /// A linear change from one colour to a colour part of the way to the other.
  private func gradient(
    from first: SIMD3<Float>, to other: SIMD3<Float>, contrast: Double, _ random: inout Random
  ) -> [SIMD4<Float>] {
    let angle = random.uniform(0, 2 * .pi)
    let share = Float(random.uniform(0.1, 0.9))
    let direction = SIMD2(Float(cos(angle)) / Float(width), Float(sin(angle)) / Float(height))
    let change = SIMD4(other - first, 0) * share
    let middle = SIMD4(first, Float(contrast))
    return pixelwise { x, y in middle + change * (direction.x * (x - Float(width) / 2) + direction.y * (y - Float(height) / 2) + 0.5) }
  }

  /// Two thresholds cut a smooth random field into three areas.
  private func patches(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    var noise = NormalNoise(from: &random)
    let relief = field(exponent: random.uniform(1.2, 1.7), smoothOctaves: random.integer(in: 1..<4), &noise)
    let softness = Float(random.chance(0.6) ? random.uniform(0.02, 0.08) : random.uniform(0.1, 0.5))
    let low = Float(random.uniform(-0.9, 0.2))
    let high = low + Float(random.uniform(0.4, 1.5))
    func tone(_ index: Int) -> SIMD4<Float> { SIMD4(palette.colors[index], Float(random.uniform(0.02, 0.35))) }
    let ground = tone(0)
    let middle = tone(1)
    let top = tone(2)
    return relief.map { value in
      let first = ((value - low) / softness + 0.5).clamped()
      let second = ((value - high) / softness + 0.5).clamped()
      let lower = ground + (middle - ground) * first
      return lower + (top - lower) * second
    }
  }

  /// Two surfaces: a half, a rectangle, or an irregular area of one on the other, with a hard border that is sometimes drawn.
  private func mosaic(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    let parts: [TextureFamily] = [.noise, .grain, .leaves, .foliage, .strands, .stripes, .masonry, .weave, .smooth, .smooth]
    var first = surface(parts[random.integer(in: 0..<parts.count)], palette, &random)
    let other = Palette(count: 6, theme: theme, &random)
    let second = surface(parts[random.integer(in: 0..<parts.count)], other, &random)
    let border = random.chance(0.4) ? Float(random.uniform(1, 5)) : 0
    let line = SIMD4(random.chance(0.7) ? palette.colors[2] * 0.4 : other.colors[2], 0.1)
    let depths = mosaicDepths(&random)
    first.withUnsafeMutableBufferPointer { texels in
      for index in 0..<texels.count {
        let depth = depths[index]
        texels[index] += (second[index] - texels[index]) * (depth + 0.5).clamped()
        if border > 0, abs(depth) < border + 0.5 { texels[index] += (line - texels[index]) * (border + 0.5 - abs(depth)).clamped() }
      }
    }
    return first
  }

  /// The signed distance to the border within a mosaic, px.
  private func mosaicDepths(_ random: inout Random) -> [Float] {
    let (h, w) = (Float(height), Float(width))
    switch random.integer(in: 0..<3) {
    case 0:
      let angle = random.chance(0.5) ? .pi / 2 * Double(random.integer(in: 0..<4)) : random.uniform(0, 2 * .pi)
      let direction = SIMD2(Float(cos(angle)), Float(sin(angle)))
      let center = SIMD2(w, h) * SIMD2(Float(random.uniform(0.25, 0.75)), Float(random.uniform(0.25, 0.75)))
      return mapped { x, y in direction.x * (x - center.x) + direction.y * (y - center.y) }
    case 1:
      let center = SIMD2(w, h) * SIMD2(Float(random.uniform(0.2, 0.8)), Float(random.uniform(0.2, 0.8)))
      let half = SIMD2(w, h) * SIMD2(Float(random.uniform(0.1, 0.35)), Float(random.uniform(0.1, 0.35)))
      return mapped { x, y in min(half.x - abs(x - center.x), half.y - abs(y - center.y)) }
    default:
      var noise = NormalNoise(from: &random)
      // The steepness of the relief makes its value about a distance.
      let scale = Float(min(baseHeight, baseWidth) << octaves) * 0.1
      return field(exponent: 1.7, smoothOctaves: 2, &noise).map { $0 * scale }
    }
  }

  func pixelwise(_ color: (Float, Float) -> SIMD4<Float>) -> [SIMD4<Float>] {
    [SIMD4<Float>](unsafeUninitializedCapacity: height * width) { texels, count in
      for y in 0..<height {
        for x in 0..<width { texels[y * width + x] = color(Float(x), Float(y)) }
      }
      count = height * width
    }
  }

  private func mapped(_ value: (Float, Float) -> Float) -> [Float] {
    [Float](unsafeUninitializedCapacity: height * width) { values, count in
      for y in 0..<height {
        for x in 0..<width { values[y * width + x] = value(Float(x), Float(y)) }
      }
      count = height * width
    }
  }
}

extension Float {
  /// Limited to 0...1.
  @inline(__always) func clamped() -> Float { Swift.min(1, Swift.max(0, self)) }
}
