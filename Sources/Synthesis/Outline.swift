import Base
import Foundation

/// The outline of an object as the signed distance to its edge.
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
    /// The hull of two discs: a limb from one joint to the next, thicker at one end.
    case capsule(SIMD2<Double>, SIMD2<Double>, radii: (Double, Double))
    /// A rectangle (half sides) of crossing bars at equal distances, turned by an angle: trellises, fences, grids.
    case lattice(half: SIMD2<Double>, period: SIMD2<Double>, halfWidth: Double, angle: Double)
  }

  var form: Form
  /// A part cut out of the form, through which one looks at what lies behind.
  var hole: Form?
  /// Half the width and height of the rectangle around the centre that holds the form, px.
  var reach: SIMD2<Double>

  /// Distance to the edge in px on a grid around the object's centre: positive inside, negative outside.
  /// - Parameters:
  ///   - height, width: rows and columns of the grid.
  ///   - cell: px between neighbours.
  func distances(height: Int, width: Int, cell: Double = 1) -> [Double] {
    let grid = (height: height, width: width, cell: cell)
    let outer = Outline.distances(to: form, grid)
    guard let hole else { return outer }
    return zip(outer, Outline.distances(to: hole, grid)).map { min($0, -$1) }
  }

  private typealias Grid = (height: Int, width: Int, cell: Double)

  private static func distances(to form: Form, _ grid: Grid) -> [Double] {
    switch form {
    case .ellipse(let axes):
      // First-order distance f·(1 - f) / |∇f| of the implicit form f = |p / axes|: exact at the edge, which is where it is used.
      return map(grid) { p in
        let scaled = p / axes
        let f = (scaled * scaled).sum().squareRoot()
        let gradient = ((scaled / axes) * (scaled / axes)).sum().squareRoot()
        return gradient < 1e-9 ? min(axes.x, axes.y) : f * (1 - f) / gradient
      }
    case .blob(let radius, let harmonics):
      return harmonics.withUnsafeBufferPointer { harmonics in map(grid) { blobDistance(radius, harmonics, at: $0) } }
    case .polygon(let corners, let rounding):
      return corners.withUnsafeBufferPointer { corners in map(grid) { polygonDistance(corners, at: $0) + rounding } }
    case .bars(let bars, let halfWidth):
      return bars.withUnsafeBufferPointer { bars in
        map(grid) { p in
          var nearest = Double.infinity
          for bar in bars { nearest = min(nearest, segmentDistance(bar.0, bar.1, at: p)) }
          return halfWidth - nearest
        }
      }
    case .capsule(let a, let b, let radii): return map(grid) { capsuleDistance(a, b, radii, at: $0) }
    case .lattice(let half, let period, let halfWidth, let angle):
      let turn = SIMD2(cos(angle), sin(angle))
      return map(grid) { p in
        let inside = min(half.x - abs(p.x), half.y - abs(p.y))
        let q = SIMD2(turn.x * p.x + turn.y * p.y, turn.x * p.y - turn.y * p.x) / period
        let away = SIMD2(abs(q.x - q.x.rounded()), abs(q.y - q.y.rounded())) * period
        return min(inside, halfWidth - min(away.x, away.y))
      }
    }
  }

  @inline(__always)
  private static func map(_ grid: Grid, _ distance: (SIMD2<Double>) -> Double) -> [Double] {
    [Double](unsafeUninitializedCapacity: grid.height * grid.width) { values, count in
      let middle = SIMD2(Double(grid.width), Double(grid.height)) / 2
      for y in 0..<grid.height {
        for x in 0..<grid.width { values[y * grid.width + x] = distance((SIMD2(Double(x), Double(y)) - middle) * grid.cell) }
      }
      count = grid.height * grid.width
    }
  }

  private static func blobDistance(_ radius: Double, _ harmonics: UnsafeBufferPointer<SIMD2<Double>>, at p: SIMD2<Double>) -> Double {
    // e^(ikθ) by repeated multiplication, so that no angle is needed.
    let rho = max(1e-9, (p * p).sum().squareRoot())
    let turn = p / rho
    var power = turn
    var r = 1.0
    var slope = 0.0
    for (index, harmonic) in harmonics.enumerated() {
      power = SIMD2(power.x * turn.x - power.y * turn.y, power.x * turn.y + power.y * turn.x)
      r += harmonic.x * power.x - harmonic.y * power.y
      slope -= Double(index + 2) * (harmonic.x * power.y + harmonic.y * power.x)
    }
    return (radius * r - rho) / (1 + slope * slope / (r * r)).squareRoot()
  }

  @inline(__always)
  private static func segmentDistance(_ a: SIMD2<Double>, _ b: SIMD2<Double>, at p: SIMD2<Double>) -> Double {
    let edge = b - a
    let offset = p - a
    let share = min(1, max(0, (offset * edge).sum() / max(1e-12, (edge * edge).sum())))
    let away = offset - edge * share
    return (away * away).sum().squareRoot()
  }

  /// Exact but where one disc holds the other.
  private static func capsuleDistance(_ a: SIMD2<Double>, _ b: SIMD2<Double>, _ radii: (Double, Double), at p: SIMD2<Double>) -> Double {
    let axis = b - a
    let length = (axis * axis).sum().squareRoot()
    let offset = p - a
    let slope = length > 0 ? (radii.0 - radii.1) / length : 2
    guard abs(slope) < 1 else {
      let center = radii.0 > radii.1 ? offset : p - b
      return max(radii.0, radii.1) - (center * center).sum().squareRoot()
    }
    let along = (offset * axis).sum() / length
    let across = abs(offset.x * axis.y - offset.y * axis.x) / length
    let steep = (1 - slope * slope).squareRoot()
    let place = steep * along - slope * across
    if place < 0 { return radii.0 - (offset * offset).sum().squareRoot() }
    if place > steep * length { return radii.1 - ((p - b) * (p - b)).sum().squareRoot() }
    return radii.0 - (steep * across + slope * along)
  }

  /// Distance to the nearest edge; inside by the even-odd rule.
  private static func polygonDistance(_ corners: UnsafeBufferPointer<SIMD2<Double>>, at p: SIMD2<Double>) -> Double {
    var nearest = Double.infinity
    var isInside = false
    var a = corners[corners.count - 1]
    for b in corners {
      nearest = min(nearest, segmentDistance(a, b, at: p))
      if (a.y > p.y) != (b.y > p.y), p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x) { isInside.toggle() }
      a = b
    }
    return isInside ? nearest : -nearest
  }
}
