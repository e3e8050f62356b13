import Foundation
import Tensors

/// The families of surfaces in a synthetic scene.
public enum TextureFamily: String, Codable, Sendable, CaseIterable {
  /// Fractal noise: stone, foliage from afar, cloud.
  case noise
  /// Overlapping shapes of all sizes ("dead leaves"): clutter, walls, foliage.
  case leaves
  /// Irregular areas of two or three colours with soft or hard borders.
  case patches
  /// Stripes or plaids, bent a little.
  case stripes
  /// Hardly any texture: a colour gradient, as of sky or painted metal.
  case smooth
}

/// Paints one texture: colours by family, modulated by fractal luminance and weaker fractal chroma.
struct TexturePainter {
  let family: TextureFamily
  /// Rows and columns of the coarsest octave, and how often it is doubled.
  let baseHeight, baseWidth, octaves: Int
  /// Exponent of the luminance's amplitude spectrum.
  let exponent: Double
  var height: Int { baseHeight << octaves }
  var width: Int { baseWidth << octaves }

  /// Opaque texels: red, green, blue (0...255, not clamped) and 1.
  func paint(_ random: inout Random) -> [SIMD4<Float>] {
    let palette = Palette(count: 6, &random)
    var texels = surface(palette, &random)
    var noise = NormalNoise(from: &random)
    let luminance = field(exponent: exponent, &noise)
    let chroma = field(exponent: 1.2, smoothOctaves: 1, &noise)
    let axis = SIMD4(palette.chromaAxis, 0) * Float(random.uniform(0.02, 0.13))
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
    return texels
  }

  private func field(exponent: Double, smoothOctaves: Int = 0, _ noise: inout NormalNoise) -> [Float] {
    FractalNoise.field(baseHeight: baseHeight, baseWidth: baseWidth, octaves: octaves, exponent: exponent,
                       smoothOctaves: smoothOctaves, noise: &noise)
  }

  /// Colour (red, green, blue) and the contrast of the fractal luminance (last) at every texel.
  private func surface(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    switch family {
    case .noise:
      return Array(repeating: SIMD4(palette.colors[0], Float(random.uniform(0.15, 0.5))), count: height * width)
    case .leaves:
      return leaves(palette, &random)
    case .patches:
      return patches(palette, &random)
    case .stripes:
      return stripes(palette, &random)
    case .smooth:
      return gradient(from: palette.colors[0], to: palette.colors[1], contrast: random.uniform(0.015, 0.06), &random)
    }
  }

  /// A linear change from one colour to a colour part of the way to the other.
  private func gradient(
    from first: SIMD3<Float>, to other: SIMD3<Float>, contrast: Double, _ random: inout Random
  ) -> [SIMD4<Float>] {
    let angle = random.uniform(0, 2 * .pi), share = Float(random.uniform(0.1, 0.7))
    let direction = SIMD2(Float(cos(angle)) / Float(width), Float(sin(angle)) / Float(height))
    let change = SIMD4(other - first, 0) * share, middle = SIMD4(first, Float(contrast))
    return pixelwise { x, y in middle + change * (direction.x * (x - Float(width) / 2) + direction.y * (y - Float(height) / 2) + 0.5) }
  }

  /// Two thresholds cut a smooth random field into three areas.
  private func patches(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    var noise = NormalNoise(from: &random)
    let relief = field(exponent: random.uniform(1.2, 1.7), smoothOctaves: 1, &noise)
    let softness = Float(random.chance(0.6) ? random.uniform(0.02, 0.08) : random.uniform(0.1, 0.5))
    let low = Float(random.uniform(-0.9, 0.2)), high = low + Float(random.uniform(0.4, 1.5))
    let ground = SIMD4(palette.colors[0], Float(random.uniform(0.05, 0.4)))
    let middle = SIMD4(palette.colors[1], Float(random.uniform(0.05, 0.4)))
    let top = SIMD4(palette.colors[2], Float(random.uniform(0.05, 0.4)))
    return relief.map { value in
      let first = ((value - low) / softness + 0.5).clamped(), second = ((value - high) / softness + 0.5).clamped()
      let lower = ground + (middle - ground) * first
      return lower + (top - lower) * second
    }
  }

  /// Bands between two colours with a transition of about a pixel, in one direction or two.
  private func stripes(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    var noise = NormalNoise(from: &random)
    let bend = field(exponent: 1.8, smoothOctaves: 2, &noise)
    let contrast = Float(random.uniform(0.05, 0.3)), bending = Float(random.uniform(0, 0.8))
    func band() -> (direction: SIMD2<Float>, sharpness: Float, bias: Float) {
      let period = exp(random.uniform(log(5), log(40))), angle = random.uniform(0, .pi)
      let pace = 2 * Double.pi / period
      let sharpness = random.chance(0.6) ? period / (2 * .pi) : random.uniform(0.5, 1)
      return (SIMD2(Float(cos(angle) * pace), Float(sin(angle) * pace)), Float(sharpness), Float(random.uniform(-0.5, 0.5)))
    }
    let first = band(), second = band(), isPlaid = random.chance(0.35)
    let dark = SIMD4(palette.colors[0], contrast), light = SIMD4(palette.colors[1], contrast)
    let strength = Float(random.uniform(0.3, 1))
    return pixelwise { x, y in
      let shift = bending * bend[Int(y) * width + Int(x)]
      func share(_ band: (direction: SIMD2<Float>, sharpness: Float, bias: Float)) -> Float {
        ((sin(band.direction.x * x + band.direction.y * y + shift) + band.bias) * band.sharpness + 0.5).clamped()
      }
      let amount = isPlaid ? (share(first) + share(second)) / 2 : share(first)
      return dark + (light - dark) * (amount * strength)
    }
  }

  private func pixelwise(_ color: (Float, Float) -> SIMD4<Float>) -> [SIMD4<Float>] {
    var texels: [SIMD4<Float>] = []
    texels.reserveCapacity(height * width)
    for y in 0..<height {
      for x in 0..<width { texels.append(color(Float(x), Float(y))) }
    }
    return texels
  }
}

extension Float {
  /// Limited to 0...1.
  @inline(__always) func clamped() -> Float { Swift.min(1, Swift.max(0, self)) }
}
