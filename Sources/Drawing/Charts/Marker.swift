/// A small shape at the points of a curve.
public enum Marker: Sendable {
  case circle, square, triangle, diamond

  func draw(on canvas: Canvas, at point: Point, _ color: Color) {
    let corners: [Point] = switch self {
    case .circle: []
    case .square: [Point(-3, -3), Point(3, -3), Point(3, 3), Point(-3, 3)]
    case .triangle: [Point(0, -4.2), Point(4, 3), Point(-4, 3)]
    case .diamond: [Point(0, -4.4), Point(4.4, 0), Point(0, 4.4), Point(-4.4, 0)]
    }
    if corners.isEmpty {
      canvas.circle(center: point, radius: 3.2, fill: color)
    } else {
      canvas.polygon(corners.map { point + $0 }, color)
    }
  }
}
