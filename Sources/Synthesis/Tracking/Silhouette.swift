import Base
import Foundation
import Vision

/// The pixels that layers cover if nothing hides them, inside and outside of the frame.
struct Silhouette {
  /// Pixels.
  let area: Int
  /// Share of them in the frame, 0...1.
  let shareInside: Double
  /// The box around them in pixels from 0: the pixel in column x reaches from x to x + 1.
  let box: BoundingBox

  /// - Returns: nil if nothing is covered.
  init?(_ layers: [SceneLayer], height: Int, width: Int) {
    let bounds = layers.map(Self.bounds)
    guard let first = bounds.first else { return nil }
    let low = bounds.reduce(first.low) { pointwiseMin($0, $1.low) }
    let high = bounds.reduce(first.high) { pointwiseMax($0, $1.high) }
    let origin = SIMD2(Int(low.x.rounded(.down)), Int(low.y.rounded(.down)))
    let (columns, rows) = (Int(high.x.rounded(.up)) - origin.x + 1, Int(high.y.rounded(.up)) - origin.y + 1)
    var isCovered = [Bool](repeating: false, count: rows * columns)
    let shift = Homography.shift(SIMD2(-Double(origin.x), -Double(origin.y)))
    for layer in layers {
      ProjectedLayer(layer.texture, at: shift.after(layer.placement)).visit(height: rows, width: columns) { pixel, value, _ in
        if value.w >= 0.5 { isCovered[pixel] = true }
      }
    }
    var (x, y) = ((least: Int.max, most: Int.min), (least: Int.max, most: Int.min))
    var (area, inside) = (0, 0)
    for row in 0..<rows {
      for column in 0..<columns where isCovered[row * columns + column] {
        area += 1
        let place = SIMD2(origin.x + column, origin.y + row)
        (x, y) = ((min(x.least, place.x), max(x.most, place.x)), (min(y.least, place.y), max(y.most, place.y)))
        if (0..<width).contains(place.x), (0..<height).contains(place.y) { inside += 1 }
      }
    }
    guard area > 0 else { return nil }
    self.area = area
    shareInside = Double(inside) / Double(area)
    box = BoundingBox(x0: Double(x.least), y0: Double(y.least), x1: Double(x.most + 1), y1: Double(y.most + 1))
  }

  /// The rectangle around a layer's texture, px.
  static func bounds(_ layer: SceneLayer) -> (low: SIMD2<Double>, high: SIMD2<Double>) {
    let size = SIMD2(Double(layer.texture.width), Double(layer.texture.height))
    let corners = [SIMD2(0, 0), SIMD2(size.x, 0), SIMD2(0, size.y), size].map { layer.placement($0) }
    return (corners.reduce(corners[0], pointwiseMin), corners.reduce(corners[0], pointwiseMax))
  }
}
