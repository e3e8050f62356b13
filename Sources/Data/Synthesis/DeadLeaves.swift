import Foundation
import Tensors

/// The "dead leaves" surface: opaque shapes fall on each other; sizes follow a power law, so edges and plain areas appear at every
/// scale, as in photographs of clutter.
///
/// - Source: Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 2001: radii with density ∝ r⁻³ give scale invariance.
extension TexturePainter {
  func leaves(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    let ground = SIMD4(palette.colors[0], Float(random.uniform(0.05, 0.4)))
    var texels = [SIMD4<Float>](repeating: ground, count: height * width)
    let largest = Double(min(height, width)) * random.uniform(0.2, 0.45)
    let smallest = min(largest / 3, exp(random.uniform(log(4), log(16))))
    let ratio = (smallest / largest) * (smallest / largest)
    let brightness = random.uniform(0.05, 0.25), onlyRound = random.chance(0.3)
    var uncovered = 2.0 * Double(height * width)
    texels.withUnsafeMutableBufferPointer { texels in
      while uncovered > 0 {
        let radius = smallest / (1 - random.uniform() * (1 - ratio)).squareRoot()
        let flattening = random.uniform(0.35, 1)
        let angle = random.uniform(0, 2 * .pi), slope = random.uniform(-0.3, 0.3), level = exp(brightness * random.normal())
        let color = palette.colors[random.integer(in: 0..<palette.colors.count)] * Float(level)
        let leaf = Leaf(
          center: SIMD2(Float(random.uniform(0, Double(width))), Float(random.uniform(0, Double(height)))),
          axes: SIMD2(Float(radius), Float(radius * flattening)), cosine: Float(cos(angle)), sine: Float(sin(angle)),
          isRound: onlyRound || random.chance(0.4), slope: Float(slope / radius),
          color: SIMD4(color, Float(random.uniform(-0.28, 0.28))))
        leaf.draw(on: texels, height: height, width: width)
        uncovered -= radius * radius * flattening * 3
      }
    }
    return texels
  }
}

/// One ellipse or rectangle with a brightness gradient along its longer axis.
private struct Leaf {
  let center, axes: SIMD2<Float>
  let cosine, sine: Float
  let isRound: Bool
  let slope: Float
  let color: SIMD4<Float>

  /// Draws on a periodic plane, with an edge one texel wide.
  func draw(on texels: UnsafeMutableBufferPointer<SIMD4<Float>>, height: Int, width: Int) {
    let corner = isRound ? axes : axes * 0.75
    let reachX = abs(cosine) * corner.x + abs(sine) * corner.y + 1, reachY = abs(sine) * corner.x + abs(cosine) * corner.y + 1
    for y in Int((center.y - reachY).rounded(.up))...Int(center.y + reachY) {
      let row = (y % height + height) % height * width
      let dy = Float(y) - center.y
      var column = (Int((center.x - reachX).rounded(.up)) % width + width) % width
      for x in Int((center.x - reachX).rounded(.up))...Int(center.x + reachX) {
        let dx = Float(x) - center.x
        let px = cosine * dx + sine * dy, py = cosine * dy - sine * dx
        let coverage = (distance(px, py, corner) + 0.5).clamped()
        if coverage > 0 {
          let old = texels[row + column]
          var own = color * (1 + slope * px)
          own.w = color.w
          texels[row + column] = old + (own - old) * coverage
        }
        column += 1
        if column == width { column = 0 }
      }
    }
  }

  @inline(__always)
  private func distance(_ px: Float, _ py: Float, _ corner: SIMD2<Float>) -> Float {
    if !isRound { return min(corner.x - abs(px), corner.y - abs(py)) }
    let sx = px / axes.x, sy = py / axes.y
    let f = (sx * sx + sy * sy).squareRoot()
    return (1 - f) * axes.y
  }
}
