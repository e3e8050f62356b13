import Foundation
import Tensors

/// Colours as photographs have them: mostly earthy and weakly saturated, sometimes vivid, rarely near black or white.
struct Palette: Sendable {
  /// Red, green, blue, 0...255.
  let colors: [SIMD3<Float>]
  /// The direction in which colour varies beside luminance; the components add up to about zero.
  let chromaAxis: SIMD3<Float>

  /// Opponent directions: warm against cold, magenta against green.
  private static let warm = SIMD3(0.55, 0.0, -0.65), magenta = SIMD3(0.3, -0.45, 0.35)

  /// Draws `count` related colours.
  init(count: Int, _ random: inout Random) {
    let vividness = random.chance(0.2) ? 1.8 : 0.85
    let mood = SIMD2(0.12 + 0.22 * random.normal(), 0.10 * random.normal()) * vividness
    let brightness = log(random.uniform(50, 165)), spread = random.uniform(0.15, 0.65)
    colors = (0..<count).map { _ in
      let own = mood + SIMD2(0.14 * random.normal(), 0.08 * random.normal()) * vividness
      let tint = SIMD3(1, 1, 1) + Palette.warm * own.x.clamped(to: -1.2...1.2) + Palette.magenta * own.y.clamped(to: -0.8...0.8)
      let level = exp(brightness + spread * random.normal()).clamped(to: 14...225)
      let color = (tint * (level / (0.3 * tint.x + 0.59 * tint.y + 0.11 * tint.z)))
      return SIMD3<Float>(color.clamped(lowerBound: SIMD3(repeating: 4), upperBound: SIMD3(repeating: 245)))
    }
    let angle = random.uniform(0, 2 * .pi)
    chromaAxis = SIMD3<Float>(Palette.warm * cos(angle) + Palette.magenta * sin(angle))
  }
}
