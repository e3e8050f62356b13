import Foundation
import Tensors

/// The outline of an object: where it is solid, told by the signed distance to its edge.
struct Outline: Sendable {
  /// The families of outlines.
  enum Form: Sendable {
    /// Half axes in px.
    case ellipse(SIMD2<Double>)
    /// A smooth closed curve `r(θ) = radius · (1 + Σ x_k cos kθ - y_k sin kθ)`, k = 2, 3, …
    case blob(radius: Double, harmonics: [SIMD2<Double>])
    /// Corners in order, with edges rounded by `rounding` px.
    case polygon([SIMD2<Double>], rounding: Double)
    /// Bars of the given half width between pairs of points: legs, rails, wires, frames.
    case bars([(SIMD2<Double>, SIMD2<Double>)], halfWidth: Double)
  }

  var form: Form
  /// A part cut out of the form, through which one looks at what lies behind.
  var hole: Form?

  /// Distance to the edge in px on a square grid around the object's centre: positive inside, negative outside.
  /// - Parameters:
  ///   - side: rows and columns of the grid.
  ///   - cell: px between neighbours.
  func distances(side: Int, cell: Double = 1) -> [Double] {
    let outer = Outline.distances(to: form, side: side, cell: cell)
    guard let hole else { return outer }
    return zip(outer, Outline.distances(to: hole, side: side, cell: cell)).map { min($0, -$1) }
  }

  private static func distances(to form: Form, side: Int, cell: Double) -> [Double] {
    switch form {
    case .ellipse(let axes):
      // First-order distance f·(1 - f) / |∇f| of the implicit form f = |p / axes|: exact at the edge, which is where it is used.
      return map(side, cell) { p in
        let scaled = p / axes
        let f = (scaled * scaled).sum().squareRoot()
        let gradient = ((scaled / axes) * (scaled / axes)).sum().squareRoot()
        return gradient < 1e-9 ? min(axes.x, axes.y) : f * (1 - f) / gradient
      }
    case .blob(let radius, let harmonics):
      return harmonics.withUnsafeBufferPointer { harmonics in map(side, cell) { blobDistance(radius, harmonics, at: $0) } }
    case .polygon(let corners, let rounding):
      return corners.withUnsafeBufferPointer { corners in map(side, cell) { polygonDistance(corners, at: $0) + rounding } }
    case .bars(let bars, let halfWidth):
      return bars.withUnsafeBufferPointer { bars in
        map(side, cell) { p in
          var nearest = Double.infinity
          for bar in bars { nearest = min(nearest, segmentDistance(bar.0, bar.1, at: p)) }
          return halfWidth - nearest
        }
      }
    }
  }

  @inline(__always)
  private static func map(_ side: Int, _ cell: Double, _ distance: (SIMD2<Double>) -> Double) -> [Double] {
    [Double](unsafeUninitializedCapacity: side * side) { values, count in
      let middle = Double(side) / 2
      for y in 0..<side {
        for x in 0..<side { values[y * side + x] = distance(SIMD2(Double(x) - middle, Double(y) - middle) * cell) }
      }
      count = side * side
    }
  }

  private static func blobDistance(_ radius: Double, _ harmonics: UnsafeBufferPointer<SIMD2<Double>>, at p: SIMD2<Double>) -> Double {
    // e^(ikθ) by repeated multiplication, so that no angle is needed.
    let rho = max(1e-9, (p * p).sum().squareRoot())
    let turn = p / rho
    var power = turn
    var r = 1.0, slope = 0.0
    for (index, harmonic) in harmonics.enumerated() {
      power = SIMD2(power.x * turn.x - power.y * turn.y, power.x * turn.y + power.y * turn.x)
      r += harmonic.x * power.x - harmonic.y * power.y
      slope -= Double(index + 2) * (harmonic.x * power.y + harmonic.y * power.x)
    }
    return (radius * r - rho) / (1 + slope * slope / (r * r)).squareRoot()
  }

  @inline(__always)
  private static func segmentDistance(_ a: SIMD2<Double>, _ b: SIMD2<Double>, at p: SIMD2<Double>) -> Double {
    let edge = b - a, offset = p - a
    let share = min(1, max(0, (offset * edge).sum() / max(1e-12, (edge * edge).sum())))
    let away = offset - edge * share
    return (away * away).sum().squareRoot()
  }

  /// Distance to the nearest edge; inside by the even-odd rule.
  private static func polygonDistance(_ corners: UnsafeBufferPointer<SIMD2<Double>>, at p: SIMD2<Double>) -> Double {
    var nearest = Double.infinity, isInside = false
    var a = corners[corners.count - 1]
    for b in corners {
      nearest = min(nearest, segmentDistance(a, b, at: p))
      if (a.y > p.y) != (b.y > p.y), p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x) { isInside.toggle() }
      a = b
    }
    return isInside ? nearest : -nearest
  }
}

extension Outline {
  /// Draws an outline that fits into a circle of the given radius (px).
  static func random(radius: Double, _ random: inout Random) -> Outline {
    switch random.uniform() {
    case ..<0.18:
      return Outline(form: .ellipse(SIMD2(radius, radius * random.uniform(0.35, 1))), hole: randomHole(radius, &random))
    case ..<0.45:
      let harmonics = (0..<5).map { index in
        let amplitude = 0.28 / Double(index + 1) * random.normal().clamped(to: -1...1), phase = random.uniform(0, 2 * .pi)
        return SIMD2(cos(phase), sin(phase)) * amplitude
      }
      let reach = 1 + harmonics.reduce(0) { $0 + ($1 * $1).sum().squareRoot() }
      return Outline(form: .blob(radius: radius / reach, harmonics: harmonics), hole: randomHole(radius / reach, &random))
    case ..<0.78:
      return Outline(form: randomPolygon(radius, &random), hole: nil)
    default:
      return Outline(form: randomBars(radius, &random), hole: nil)
    }
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
    if random.chance(0.33) {
      let angle = random.uniform(0.25, 1.3)
      let (x, y) = (reach * cos(angle), reach * sin(angle))
      return .polygon([SIMD2(-x, -y), SIMD2(x, -y), SIMD2(x, y), SIMD2(-x, y)], rounding: rounding)
    }
    let count = random.integer(in: 3..<10), isStar = random.chance(0.5), turn = random.uniform(0, 2 * .pi)
    let corners = (0..<count).map { index in
      let angle = turn + (Double(index) + random.uniform(-0.3, 0.3)) * 2 * .pi / Double(count)
      let length = reach * (isStar ? random.uniform(0.35, 1) : random.uniform(0.8, 1))
      return SIMD2(cos(angle), sin(angle)) * length
    }
    return .polygon(corners, rounding: rounding)
  }

  /// Thin structures: a zigzag branch, a set of rails with a cross bar, or a frame.
  private static func randomBars(_ radius: Double, _ random: inout Random) -> Form {
    let halfWidth = random.uniform(1.2, max(1.8, min(5, radius * 0.12)))
    let reach = radius - halfWidth
    switch random.integer(in: 0..<3) {
    case 0:
      let points = (0..<random.integer(in: 3..<7)).map { index in
        let angle = random.uniform(0, 2 * .pi)
        return SIMD2(cos(angle), sin(angle)) * reach * random.uniform(index == 0 ? 0.9 : 0.3, 1)
      }
      return .bars(Array(zip(points, points.dropFirst())), halfWidth: halfWidth)
    case 1:
      let count = random.integer(in: 2..<6), half = reach * 0.68, tilt = random.uniform(-0.3, 0.3) * half
      let rails = (0..<count).map { index in
        let x = half * (2 * Double(index) / Double(max(1, count - 1)) - 1)
        return (SIMD2(x * 0.9, -half), SIMD2(x + tilt * 0.3, half))
      }
      let y = random.uniform(-0.9, 0.3) * half
      return .bars(rails + [(SIMD2(-half, y), SIMD2(half, y + tilt))], halfWidth: halfWidth)
    default:
      let angle = random.uniform(0.4, 1.2)
      let x = reach * cos(angle), y = reach * sin(angle)
      let corners = [SIMD2(-x, -y), SIMD2(x, -y), SIMD2(x, y), SIMD2(-x, y), SIMD2(-x, -y)]
      return .bars(Array(zip(corners, corners.dropFirst())), halfWidth: halfWidth)
    }
  }
}

extension Double {
  func clamped(to range: ClosedRange<Double>) -> Double { Swift.min(Swift.max(self, range.lowerBound), range.upperBound) }
}
