import Base
import Foundation

/// The kind of surface that the colours are for.
enum ColorTheme: Sendable {
  case any, green, grey, sky
}

/// Colours as photographs have them: mostly earthy and weakly saturated, sometimes vivid, rarely near black or white.
struct Palette: Sendable {
  /// Red, green, blue, 0...255.
  let colors: [SIMD3<Float>]
  /// The direction in which colour varies beside luminance; the components add up to about zero.
  let chromaAxis: SIMD3<Float>

  /// Opponent directions: warm against cold, magenta against green.
  private static let warm = SIMD3(0.55, 0.0, -0.65)
  private static let magenta = SIMD3(0.3, -0.45, 0.35)

  /// Draws `count` related colours.
  init(count: Int, theme: ColorTheme = .any, _ random: inout Random) {
    let vividness = random.chance(0.2) ? 1.8 : 0.85
    var center = SIMD2(0.12 + 0.22 * random.normal(), 0.10 * random.normal()) * vividness
    var brightness = log(random.uniform(48, 175))
    var spread = random.uniform(0.15, 0.7)
    var variety = SIMD2(0.14, 0.08) * vividness
    switch theme {
    case .any: break
    case .green:
      center = SIMD2(0.3 + 0.2 * random.normal(), -0.28 + 0.1 * random.normal())
      brightness = log(random.uniform(25, 110))
      spread = random.uniform(0.3, 0.8)
    case .grey:
      center = SIMD2(0.04 * random.normal(), 0.02 * random.normal())
      brightness = log(random.uniform(50, 150))
      spread = random.uniform(0.05, 0.4)
      variety = SIMD2(0.04, 0.02)
    case .sky:
      center = SIMD2(random.uniform(-0.5, 0.15), 0.03 * random.normal())
      brightness = log(random.uniform(140, 235))
      spread = random.uniform(0.02, 0.2)
      variety = SIMD2(0.08, 0.02)
    }
    colors = (0..<count).map { _ in
      let own = center + variety * SIMD2(random.normal(), random.normal())
      let tint = SIMD3(1, 1, 1) + Palette.warm * own.x.clamped(to: -1.2...1.2) + Palette.magenta * own.y.clamped(to: -0.8...0.8)
      let level = exp(brightness + spread * random.normal()).clamped(to: 12...235)
      let color = (tint * (level / (0.3 * tint.x + 0.59 * tint.y + 0.11 * tint.z)))
      return SIMD3<Float>(color.clamped(lowerBound: SIMD3(repeating: 3), upperBound: SIMD3(repeating: 248)))
    }
    let angle = random.uniform(0, 2 * .pi)
    chromaAxis = SIMD3<Float>(Palette.warm * cos(angle) + Palette.magenta * sin(angle))
  }
}
