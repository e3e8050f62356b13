import Base
import Foundation

/// Surfaces made of opaque shapes that fall on each other.
extension TexturePainter {
  /// The distribution of the leaves: sizes, shapes, brightness.
  private struct LeafDistribution {
    /// Radii, px: density ∝ r⁻³ between the two.
    var smallest: Double
    var largest: Double
    /// Width over length.
    var flatness: ClosedRange<Double>
    /// Standard deviation of the logarithm of the brightness.
    var brightness: Double
    /// Contrast of the fractal luminance on a leaf.
    var contrast: ClosedRange<Double>
    var shapes: [Leaf.Shape]
    /// Main direction and standard deviation, radians; nil: any direction.
    var direction: (angle: Double, spread: Double)?
    /// Share of striped leaves, 0...1.
    var stripedShare = 0.0
    /// Summed area of the leaves, in areas of the surface.
    var layers = 1.8
  }

  /// "Dead leaves": sizes follow a power law, so edges and plain areas appear at every scale, as in photographs of clutter.
  ///
  /// - Source: Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 2001: radii with density ∝ r⁻³ give scale invariance.
  func leaves(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    let largest = Double(min(height, width)) * random.uniform(0.2, 0.5)
    let shapes: [[Leaf.Shape]] = [[.ellipse], [.rectangle], [.ellipse, .rectangle], [.ellipse, .rectangle, .pointed, .triangle]]
    return pile(palette, LeafDistribution(
      smallest: min(largest / 3, exp(random.uniform(log(4), log(24)))), largest: largest,
      flatness: (random.chance(0.3) ? 0.08 : 0.35)...1, brightness: random.uniform(0.05, 0.45),
      contrast: 0...random.uniform(0.03, 0.3), shapes: shapes[random.integer(in: 0..<shapes.count)],
      direction: random.chance(0.35) ? (random.chance(0.5) ? 0 : random.uniform(0, .pi), random.uniform(0, 0.15)) : nil,
      stripedShare: random.uniform(0, 0.3)), &random)
  }

  /// Many small leaves, bright above dark: bushes, trees, ivy, gravel.
  func foliage(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    let size = exp(random.uniform(log(2.5), log(9)))
    return pile(palette, LeafDistribution(
      smallest: size, largest: size * random.uniform(1.3, 3), flatness: 0.3...0.8, brightness: random.uniform(0.25, 0.7),
      contrast: 0.02...0.2, shapes: random.chance(0.7) ? [.pointed] : [.ellipse, .pointed], direction: nil, layers: 1.5), &random)
  }

  /// Long thin shapes in about one direction: grass, hair, fur, timber, straw.
  func strands(_ palette: Palette, _ random: inout Random) -> [SIMD4<Float>] {
    let length = exp(random.uniform(log(12), log(60)))
    let width = random.uniform(1.2, 3) / length
    return pile(palette, LeafDistribution(
      smallest: length, largest: length * 2, flatness: width...width * 2, brightness: random.uniform(0.1, 0.5), contrast: 0.02...0.15,
      shapes: [.pointed, .rectangle], direction: (random.uniform(0, .pi), random.uniform(0.03, 0.5)), layers: 1.2), &random)
  }

  /// A few large shapes on any surface: beams, panels, boards, lamps.
  func addClutter(to texels: inout [SIMD4<Float>], _ palette: Palette, _ random: inout Random) {
    let largest = Double(min(height, width)) * random.uniform(0.15, 0.6)
    let distribution = LeafDistribution(
      smallest: largest / 6, largest: largest, flatness: (random.chance(0.5) ? 0.04 : 0.3)...1, brightness: 0.5, contrast: 0.02...0.2,
      shapes: random.chance(0.7) ? [.rectangle] : [.ellipse, .rectangle, .triangle],
      direction: random.chance(0.6) ? (random.chance(0.5) ? 0 : .pi / 2, random.uniform(0, 0.1)) : nil, stripedShare: 0.2)
    texels.withUnsafeMutableBufferPointer { texels in
      for _ in 0..<random.integer(in: 2..<14) { leaf(palette, distribution, &random).draw(on: texels, height: height, width: width) }
    }
  }

  private func pile(_ palette: Palette, _ distribution: LeafDistribution, _ random: inout Random) -> [SIMD4<Float>] {
    let ground = SIMD4(palette.colors[0], Float(random.uniform(0.05, 0.4)))
    var texels = [SIMD4<Float>](repeating: ground, count: height * width)
    var uncovered = distribution.layers * Double(height * width)
    texels.withUnsafeMutableBufferPointer { texels in
      while uncovered > 0 {
        let leaf = leaf(palette, distribution, &random)
        leaf.draw(on: texels, height: height, width: width)
        uncovered -= Double(leaf.axes.x * leaf.axes.y) * 3
      }
    }
    return texels
  }

  private func leaf(_ palette: Palette, _ distribution: LeafDistribution, _ random: inout Random) -> Leaf {
    let ratio = (distribution.smallest / distribution.largest) * (distribution.smallest / distribution.largest)
    let radius = distribution.smallest / (1 - random.uniform() * (1 - ratio)).squareRoot()
    let flatness = random.uniform(distribution.flatness.lowerBound, distribution.flatness.upperBound)
    let angle = distribution.direction.map { $0.angle + $0.spread * random.normal() } ?? random.uniform(0, 2 * .pi)
    let slope = random.uniform(-0.3, 0.3)
    let level = exp(distribution.brightness * random.normal())
    let color = palette.colors[random.integer(in: 0..<palette.colors.count)] * Float(level)
    let stripes = distribution.stripedShare > 0 && random.chance(distribution.stripedShare)
      ? SIMD2(Float(2 * .pi / exp(random.uniform(log(4), log(16)))), Float(random.uniform(0.1, 0.6))) : SIMD2(0, 0)
    return Leaf(
      center: SIMD2(Float(random.uniform(0, Double(width))), Float(random.uniform(0, Double(height)))),
      axes: SIMD2(Float(radius), Float(max(0.6, radius * flatness))), cosine: Float(cos(angle)), sine: Float(sin(angle)),
      shape: distribution.shapes[random.integer(in: 0..<distribution.shapes.count)], slope: Float(slope / radius), stripes: stripes,
      color: SIMD4(color, Float(random.uniform(distribution.contrast.lowerBound, distribution.contrast.upperBound))))
  }
}

/// One shape with a brightness gradient along its longer axis.
private struct Leaf {
  enum Shape {
    case ellipse, rectangle, pointed, triangle
  }

  let center: SIMD2<Float>
  let axes: SIMD2<Float>
  let cosine: Float
  let sine: Float
  let shape: Shape
  let slope: Float
  /// Phase per px across the axis, and strength; 0 is plain.
  let stripes: SIMD2<Float>
  let color: SIMD4<Float>

  /// Draws on a periodic plane, with an edge one texel wide.
  func draw(on texels: UnsafeMutableBufferPointer<SIMD4<Float>>, height: Int, width: Int) {
    let corner = shape == .rectangle ? axes * 0.85 : axes
    let reachX = abs(cosine) * corner.x + abs(sine) * corner.y + 1
    let reachY = abs(sine) * corner.x + abs(cosine) * corner.y + 1
    for y in Int((center.y - reachY).rounded(.up))...Int((center.y + reachY).rounded(.down)) {
      let row = (y % height + height) % height * width
      let dy = Float(y) - center.y
      var column = (Int((center.x - reachX).rounded(.up)) % width + width) % width
      for x in Int((center.x - reachX).rounded(.up))...Int((center.x + reachX).rounded(.down)) {
        let dx = Float(x) - center.x
        let px = cosine * dx + sine * dy
        let py = cosine * dy - sine * dx
        let coverage = (distance(px, py, corner) + 0.5).clamped()
        if coverage > 0 {
          let old = texels[row + column]
          var own = color * (1 + slope * px)
          if stripes.y > 0 { own *= 1 - stripes.y * (0.5 + 0.5 * sin(stripes.x * py)) }
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
    switch shape {
    case .rectangle: return min(corner.x - abs(px), corner.y - abs(py))
    case .ellipse:
      let sx = px / axes.x
      let sy = py / axes.y
      return (1 - (sx * sx + sy * sy).squareRoot()) * axes.y
    case .pointed:
      // Two parabolas that meet at the tips.
      let s = px / axes.x
      return axes.y * (1 - s * s) - abs(py)
    case .triangle:
      return min(0.5 * axes.y * (1 + px / axes.x) - abs(py), axes.x - px)
    }
  }
}
