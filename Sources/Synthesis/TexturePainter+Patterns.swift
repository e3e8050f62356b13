import Base
import Foundation

/// Surfaces that repeat.
extension TexturePainter {
  /// Bands between two colours with a transition of about a pixel, in one direction or two.
  func stripes(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    var noise = NormalNoise(from: &random)
    let bend = field(exponent: 1.8, smoothOctaves: 2, &noise)
    let contrast = Float(random.uniform(0.03, 0.25))
    let bending = Float(random.uniform(0, random.chance(0.3) ? 4 : 0.8))
    func band() -> (direction: SIMD2<Float>, sharpness: Float, bias: Float) {
      let period = exp(random.uniform(log(4), log(60)))
      let angle = random.chance(0.4) ? 0 : random.uniform(0, .pi)
      let pace = 2 * Double.pi / period
      let sharpness = random.chance(0.6) ? period / (2 * .pi) : random.uniform(0.5, 1)
      return (SIMD2(Float(cos(angle) * pace), Float(sin(angle) * pace)), Float(sharpness), Float(random.uniform(-0.7, 0.7)))
    }
    let first = band()
    let second = band()
    let isPlaid = random.chance(0.35)
    let dark = SIMD4(palette.colors[0], contrast)
    let light = SIMD4(palette.colors[1], contrast)
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

  /// Cells in rows, each in its own tone, with joints between them: shifted by half a cell (bricks), not at all (tiles), or at random
  /// (planks).
  func masonry(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    let frame = Frame(&random)
    let rowHeight = Float(exp(random.uniform(log(6), log(50))))
    let ratio = random.chance(0.25) ? random.uniform(5, 12) : random.uniform(0.8, 3)
    let cellWidth = rowHeight * Float(ratio)
    let bond = random.integer(in: 0..<3)
    let seed = random.nextWord()
    let joint = random.chance(0.8) ? Float(random.uniform(0.3, 1.5)) : 0
    let jointColor = SIMD4(palette.colors[1] * Float(random.chance(0.6) ? 0.5 : 1), 0.1)
    let spread = Float(random.uniform(0.02, 0.5))
    let other = Float(random.uniform(0, 0.3))
    let isChequered = random.chance(0.15)
    let plain = SIMD4(palette.colors[0], Float(random.uniform(0.02, 0.25)))
    let second = SIMD4(palette.colors[2], plain.w)
    return pixelwise { x, y in
      let p = frame.turned(x, y) / SIMD2(cellWidth, rowHeight)
      let row = p.y.rounded(.down)
      let offset: Float = bond == 0 ? 0 : bond == 1 ? 0.5 * row : chance(Int(row), 0, seed)
      let column = (p.x + offset).rounded(.down)
      let u = (p.x + offset - column) * cellWidth
      let v = (p.y - row) * rowHeight
      let edge = min(min(u, cellWidth - u), min(v, rowHeight - v))
      let draw = chance(Int(row), Int(column), seed &+ 1)
      let isSecond = isChequered ? (Int(row) + Int(column)) & 1 == 1 : draw < other
      let tone = 1 + spread * (chance(Int(row), Int(column), seed &+ 2) - 0.5)
      var cell = (isSecond ? second : plain) * tone
      cell.w = plain.w
      return cell + (jointColor - cell) * (joint - edge + 0.5).clamped()
    }
  }

  /// Bumps in rows, every second row shifted: light and dark by the slope of the relief.
  func weave(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    let frame = Frame(&random)
    let rowHeight = Float(exp(random.uniform(log(4), log(18))))
    let pace = 2 * Float.pi / (rowHeight * Float(random.uniform(0.5, 2)))
    let slant = Float(random.chance(0.5) ? random.uniform(0.5, 2) : 0)
    let strength = Float(random.uniform(0.15, 0.8))
    let contrast = Float(random.uniform(0.02, 0.15))
    let color = SIMD4(palette.colors[0], contrast)
    let deep = SIMD4(palette.colors[1] * 0.4, contrast)
    return pixelwise { x, y in
      let p = frame.turned(x, y)
      let row = (p.y / rowHeight).rounded(.down)
      let v = p.y / rowHeight - row
      let phase: Float = Int(row) & 1 == 1 ? .pi : 0
      let bump = 0.5 + 0.5 * sin(pace * p.x + phase + slant * (Int(row) & 1 == 1 ? v : -v) * 4)
      return color + (deep - color) * (strength * (1 - bump * 4 * v * (1 - v)))
    }
  }

  /// Discs or squares on a loose grid.
  func dots(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    let frame = Frame(&random)
    let cell = SIMD2(Float(exp(random.uniform(log(7), log(50)))), 0)
    let side = cell.x * Float(random.uniform(0.7, 1.6))
    let loose = Float(random.chance(0.5) ? random.uniform(0, 0.3) : 0)
    let seed = random.nextWord()
    let isSquare = random.chance(0.4)
    let size = Float(random.uniform(0.15, 0.4))
    let variety = Float(random.uniform(0, 0.5))
    let missing = Float(random.uniform(0, 0.4))
    let ground = SIMD4(palette.colors[0], Float(random.uniform(0.02, 0.3)))
    return pixelwise { x, y in
      let p = frame.turned(x, y) / SIMD2(cell.x, side)
      let column = p.x.rounded(.down)
      let row = p.y.rounded(.down)
      let i = Int(column)
      let j = Int(row)
      guard chance(i, j, seed) >= missing else { return ground }
      let jitter = SIMD2(chance(i, j, seed &+ 1) - 0.5, chance(i, j, seed &+ 2) - 0.5) * loose
      let away = (p - SIMD2(column, row) - SIMD2(0.5, 0.5) - jitter) * SIMD2(cell.x, side)
      let radius = size * min(cell.x, side) * (1 + variety * (chance(i, j, seed &+ 3) - 0.5))
      let distance = isSquare ? max(abs(away.x), abs(away.y)) : (away * away).sum().squareRoot()
      let color = SIMD4(palette.colors[1 + Int(chance(i, j, seed &+ 4) * 2.99)], ground.w)
      return ground + (color - ground) * (radius - distance + 0.5).clamped()
    }
  }

  /// Lines of signs, each a random pattern of 3 x 5 squares, in words.
  func writing(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    let frame = Frame(&random)
    let unit = Float(exp(random.uniform(log(1.2), log(6))))
    let seed = random.nextWord()
    let spacing = Float(random.integer(in: 7..<10))
    let paper = SIMD4(palette.colors[0], Float(random.uniform(0.01, 0.1)))
    let ink = SIMD4(palette.colors[1] * 0.6, paper.w)
    return pixelwise { x, y in
      let p = frame.turned(x, y) / unit
      let line = (p.y / spacing).rounded(.down)
      let v = Int(p.y - line * spacing)
      let sign = (p.x / 4).rounded(.down)
      let u = Int(p.x - sign * 4)
      guard v < 5, u < 3, chance(Int(line), Int((sign / 5).rounded(.down)), seed) > 0.15, chance(Int(line), Int(sign), seed &+ 1) > 0.15
      else { return paper }
      let bits = TexturePainter.hash(Int(sign), Int(line), seed &+ 2)
      return bits >> UInt32(3 * v + u) & 1 == 1 ? ink : paper
    }
  }

  /// The direction and origin of a pattern; most stand straight.
  private struct Frame {
    let cosine: Float
    let sine: Float
    let origin: SIMD2<Float>

    init(_ random: inout Random) {
      let angle = random.chance(0.6) ? 0 : random.uniform(-.pi, .pi)
      cosine = Float(cos(angle))
      sine = Float(sin(angle))
      origin = SIMD2(Float(random.uniform(0, 100)), Float(random.uniform(0, 100)))
    }

    @inline(__always)
    func turned(_ x: Float, _ y: Float) -> SIMD2<Float> {
      SIMD2(cosine * x + sine * y, cosine * y - sine * x) + origin
    }
  }

  /// Uniform in 0..<1, by the cell.
  @inline(__always)
  private func chance(_ i: Int, _ j: Int, _ seed: UInt32) -> Float { Float(TexturePainter.hash(i, j, seed) >> 8) * 0x1p-24 }

  /// Mixes a cell's indices with a seed (the finaliser of MurmurHash3).
  @inline(__always)
  private static func hash(_ i: Int, _ j: Int, _ seed: UInt32) -> UInt32 {
    var h = seed ^ (UInt32(truncatingIfNeeded: i) &* 0x9E37_79B1) ^ (UInt32(truncatingIfNeeded: j) &* 0x85EB_CA77)
    h = (h ^ (h >> 16)) &* 0x85EB_CA6B
    h = (h ^ (h >> 13)) &* 0xC2B2_AE35
    return h ^ (h >> 16)
  }
}
