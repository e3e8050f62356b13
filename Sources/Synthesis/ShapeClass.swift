import Base
import Foundation

/// The classes of objects in generated scenes for detection: shapes, whatever their surface.
public enum ShapeClass: String, Sendable, CaseIterable {
  case disc, square, triangle, star, ring, cross, ellipse, crescent

  /// The id in COCO files. Like those of COCO itself they leave gaps, so that nobody takes an id for an index.
  public var categoryID: Int {
    switch self {
    case .disc: 1
    case .square: 3
    case .triangle: 4
    case .star: 7
    case .ring: 9
    case .cross: 12
    case .ellipse: 13
    case .crescent: 17
    }
  }

  /// An outline of this class within a circle about the centre, with proportions that vary a little.
  /// - Parameter radius: of the circle, px.
  func outline(radius: Double, _ random: inout Random) -> Outline {
    let reach = SIMD2(radius, radius)
    switch self {
    case .disc: return Outline(form: .ellipse(reach), reach: reach)
    case .square: return Outline(form: .polygon(Self.corners(4, radius), rounding: 0), reach: reach)
    case .triangle: return Outline(form: .polygon(Self.corners(3, radius), rounding: 0), reach: reach)
    case .star: return Outline(form: .polygon(Self.star(radius, inner: random.uniform(0.4, 0.5)), rounding: 0), reach: reach)
    case .ring: return Outline(form: .ellipse(reach), hole: .ellipse(reach * random.uniform(0.5, 0.65)), reach: reach)
    case .cross: return Outline(form: .polygon(Self.cross(radius, share: random.uniform(0.24, 0.36)), rounding: 0), reach: reach)
    case .ellipse: return Outline(form: .ellipse(SIMD2(radius, radius * random.uniform(0.4, 0.6))), reach: reach)
    case .crescent: return Outline(form: .polygon(Self.crescent(radius, bite: random.uniform(0.3, 0.45)), rounding: 0), reach: reach)
    }
  }

  /// The corners of a regular polygon.
  private static func corners(_ count: Int, _ radius: Double) -> [SIMD2<Double>] {
    (0..<count).map { direction(2 * .pi * Double($0) / Double(count)) * radius }
  }

  /// Five points, with the corners between them at the share `inner` of the radius.
  private static func star(_ radius: Double, inner: Double) -> [SIMD2<Double>] {
    (0..<10).map { direction(.pi * Double($0) / 5) * (radius * ($0 % 2 == 0 ? 1 : inner)) }
  }

  /// Two crossing bars, whose half width is `share` of the half length.
  private static func cross(_ radius: Double, share: Double) -> [SIMD2<Double>] {
    let long = radius / (1 + share * share).squareRoot()
    let short = long * share
    // The corners of one arm, turned four times.
    return (0..<4).flatMap { quarter -> [SIMD2<Double>] in
      let turn = direction(.pi / 2 * Double(quarter))
      return [SIMD2(long, -short), SIMD2(long, short), SIMD2(short, short)].map { p in
        SIMD2(turn.x * p.x - turn.y * p.y, turn.y * p.x + turn.x * p.y)
      }
    }
  }

  /// A disc less another of the same size, whose centre lies 2 · `bite` · radius beside.
  private static func crescent(_ radius: Double, bite: Double) -> [SIMD2<Double>] {
    // The circles meet at ± this angle about either centre.
    let meeting = acos(bite)
    let steps = 24
    let outer = (0...steps).map { step in
      direction(meeting + (2 * .pi - 2 * meeting) * Double(step) / Double(steps)) * radius
    }
    let inner = (1..<steps).map { step in
      let angle = .pi + meeting - 2 * meeting * Double(step) / Double(steps)
      return direction(angle) * radius + SIMD2(2 * bite * radius, 0)
    }
    return outer + inner
  }

  private static func direction(_ angle: Double) -> SIMD2<Double> { SIMD2(cos(angle), sin(angle)) }
}

/// The kinds of background in generated scenes for panoptic segmentation.
public enum StuffClass: String, Sendable, CaseIterable {
  case ground, sky

  /// The id in COCO files.
  public var categoryID: Int {
    switch self {
    case .ground: 21
    case .sky: 24
    }
  }
}

extension Outline {
  /// The pixels that the outline covers where nothing hides it.
  var area: Int {
    let size = SIMD2((2 * reach.x).rounded(.up), (2 * reach.y).rounded(.up)) + 2
    return distances(height: Int(size.y), width: Int(size.x)).count { $0 > 0 }
  }
}
