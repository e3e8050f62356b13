import Base
import Foundation

extension Outline {
  /// Draws a solid or thin outline that fits into a circle of the given radius (px).
  /// - Parameter thinShare: probability of thin bars, 0...1.
  static func random(radius: Double, thinShare: Double, _ random: inout Random) -> Outline {
    let square = SIMD2(repeating: radius)
    if random.chance(thinShare) { return Outline(form: randomThinForm(radius, &random), hole: nil, reach: square) }
    switch random.uniform() {
    case ..<0.2:
      return Outline(form: .ellipse(SIMD2(radius, radius * random.uniform(0.35, 1))), hole: randomHole(radius, &random), reach: square)
    case ..<0.52:
      return crown(radius: radius, roughness: random.chance(0.3) ? random.uniform(0.1, 0.25) : 0, &random)
    case ..<0.9:
      return Outline(form: randomPolygon(radius, &random), hole: nil, reach: square)
    default:
      return Outline(form: randomLetter(radius, &random), hole: nil, reach: square)
    }
  }

  /// A smooth closed curve; with `roughness` above 0 its edge is lobed like a tree's.
  static func crown(radius: Double, roughness: Double, _ random: inout Random) -> Outline {
    let count = roughness > 0 ? 14 : 5
    let harmonics = (0..<count).map { index in
      let fine = index < 5 ? 0 : roughness * 0.5
      let amplitude = (0.28 / Double(index + 1) + fine) * random.normal().clamped(to: -1...1)
      let phase = random.uniform(0, 2 * .pi)
      return SIMD2(cos(phase), sin(phase)) * amplitude
    }
    let reach = 1 + harmonics.reduce(0) { $0 + ($1 * $1).sum().squareRoot() }
    return Outline(form: .blob(radius: radius / min(reach, 1.9), harmonics: harmonics), hole: randomHole(radius / reach, &random),
                   reach: SIMD2(repeating: radius * reach / min(reach, 1.9)))
  }

  /// A straight bar, far longer than wide.
  static func pole(length: Double, halfWidth: Double) -> Outline {
    let half = length / 2 - halfWidth
    return Outline(form: .bars([(SIMD2(0, -half), SIMD2(0, half))], halfWidth: halfWidth), hole: nil,
                   reach: SIMD2(halfWidth, length / 2))
  }

  /// An upright rectangle.
  static func panel(width: Double, height: Double, rounding: Double = 0) -> Outline {
    let half = SIMD2(width, height) / 2
    let inner = half - rounding
    let corners = [SIMD2(-inner.x, -inner.y), SIMD2(inner.x, -inner.y), inner, SIMD2(-inner.x, inner.y)]
    return Outline(form: .polygon(corners, rounding: rounding), hole: nil, reach: half)
  }

  /// The upper edge of a forest, a hedge or a row of houses, over a straight lower one.
  static func skyline(width: Double, height: Double, isBuilt: Bool, _ random: inout Random) -> Outline {
    var corners = [SIMD2(-width / 2, height / 2)]
    var x = -width / 2
    var level = random.uniform(0.3, 1)
    while x < width / 2 {
      corners.append(SIMD2(x, height / 2 - height * level))
      x = min(width / 2, x + height * (isBuilt ? random.uniform(0.3, 1.5) : random.uniform(0.1, 0.5)))
      if isBuilt { corners.append(SIMD2(x, height / 2 - height * level)) }
      level = isBuilt ? random.uniform(0.35, 1) : (level + 0.17 * random.normal()).clamped(to: 0.3...1)
    }
    corners.append(SIMD2(width / 2, height / 2))
    return Outline(form: .polygon(corners, rounding: 0), hole: nil, reach: SIMD2(width, height) / 2)
  }

  /// In one of six objects, an elliptic hole well inside.
  private static func randomHole(_ radius: Double, _ random: inout Random) -> Form? {
    guard random.chance(0.16) else { return nil }
    let inner = radius * random.uniform(0.15, 0.32)
    return .ellipse(SIMD2(inner, inner * random.uniform(0.6, 1)))
  }

  /// A convex or a star-shaped polygon of three to nine corners; a third of them are rectangles.
  private static func randomPolygon(_ radius: Double, _ random: inout Random) -> Form {
    let rounding = random.chance(0.5) ? radius * random.uniform(0, 0.2) : 0
    let reach = radius - rounding
    if random.chance(0.4) {
      let angle = random.uniform(0.2, 1.3)
      let (x, y) = (reach * cos(angle), reach * sin(angle))
      return .polygon([SIMD2(-x, -y), SIMD2(x, -y), SIMD2(x, y), SIMD2(-x, y)], rounding: rounding)
    }
    let count = random.integer(in: 3..<10)
    let isStar = random.chance(0.4)
    let turn = random.uniform(0, 2 * .pi)
    let corners = (0..<count).map { index in
      let angle = turn + (Double(index) + random.uniform(-0.3, 0.3)) * 2 * .pi / Double(count)
      let length = reach * (isStar ? random.uniform(0.35, 1) : random.uniform(0.8, 1))
      return SIMD2(cos(angle), sin(angle)) * length
    }
    return .polygon(corners, rounding: rounding)
  }

  /// Thick strokes between the points of a coarse grid, like a block letter.
  private static func randomLetter(_ radius: Double, _ random: inout Random) -> Form {
    let halfWidth = radius * random.uniform(0.1, 0.2)
    let half = SIMD2(0.55, 0.8) * (radius - halfWidth)
    func point() -> SIMD2<Double> { SIMD2(Double(random.integer(in: -1..<2)), Double(random.integer(in: -1..<2))) * half }
    var points = [point()]
    let count = random.integer(in: 3..<6)
    while points.count < count {
      let next = point()
      if next != points[points.count - 1] { points.append(next) }
    }
    return .bars(Array(zip(points, points.dropFirst())), halfWidth: halfWidth)
  }

  /// Thin structures: a zigzag branch, a set of rails with a cross bar, a frame, a trellis, a twig with offshoots.
  private static func randomThinForm(_ radius: Double, _ random: inout Random) -> Form {
    let halfWidth = random.uniform(0.8, max(1.6, min(5, radius * 0.1)))
    let reach = radius - halfWidth
    switch random.integer(in: 0..<5) {
    case 0:
      let points = (0..<random.integer(in: 3..<7)).map { index in
        let angle = random.uniform(0, 2 * .pi)
        return SIMD2(cos(angle), sin(angle)) * reach * random.uniform(index == 0 ? 0.9 : 0.3, 1)
      }
      return .bars(Array(zip(points, points.dropFirst())), halfWidth: halfWidth)
    case 1:
      let count = random.integer(in: 2..<6)
      let half = reach * 0.68
      let tilt = random.uniform(-0.3, 0.3) * half
      let rails = (0..<count).map { index in
        let x = half * (2 * Double(index) / Double(max(1, count - 1)) - 1)
        return (SIMD2(x * 0.9, -half), SIMD2(x + tilt * 0.3, half))
      }
      let y = random.uniform(-0.9, 0.3) * half
      return .bars(rails + [(SIMD2(-half, y), SIMD2(half, y + tilt))], halfWidth: halfWidth)
    case 2:
      let angle = random.uniform(0.4, 1.2)
      let x = reach * cos(angle)
      let y = reach * sin(angle)
      let corners = [SIMD2(-x, -y), SIMD2(x, -y), SIMD2(x, y), SIMD2(-x, y), SIMD2(-x, -y)]
      return .bars(Array(zip(corners, corners.dropFirst())), halfWidth: halfWidth)
    case 3:
      let angle = random.uniform(0.4, 1.2)
      let period = max(5 * halfWidth, radius * random.uniform(0.15, 0.45))
      return .lattice(half: SIMD2(cos(angle), sin(angle)) * radius, period: SIMD2(period, period * random.uniform(0.8, 2)),
                      halfWidth: halfWidth, angle: random.chance(0.5) ? .pi / 4 : random.uniform(-0.2, 0.2))
    default:
      let bend = SIMD2(random.uniform(-0.2, 0.2) * reach, 0)
      let stem = [SIMD2(0, 0.9 * reach), bend, SIMD2(0, -0.9 * reach)]
      let twigs = (0..<random.integer(in: 3..<8)).map { _ -> (SIMD2<Double>, SIMD2<Double>) in
        let y = random.uniform(-0.8, 0.6) * reach
        let x = bend.x * (1 - abs(y) / (0.9 * reach))
        let length = random.uniform(0.15, 0.5) * reach * (random.chance(0.5) ? 1 : -1)
        return (SIMD2(x, y), SIMD2(x + length, y - abs(length) * random.uniform(0.3, 1)).clamped(to: 0.7 * reach))
      }
      return .bars(Array(zip(stem, stem.dropFirst())) + twigs, halfWidth: halfWidth * 0.8)
    }
  }
}

extension SIMD2<Double> {
  /// Each component limited to `-bound...bound`.
  fileprivate func clamped(to bound: Double) -> SIMD2<Double> {
    clamped(lowerBound: SIMD2(repeating: -bound), upperBound: SIMD2(repeating: bound))
  }
}
