import Base
import Foundation

/// The change of a box from one frame to another, by the box's own size: `Δx / w, Δy / h` of the centre, and `Δ log w, Δ log h`.
///
/// - Source: the targets of box regression, Girshick et al. 2014 (R-CNN), between the boxes of two frames.
public struct BoxDisplacement: Sendable, Equatable {
  /// The four numbers in this order.
  public var values: SIMD4<Double>

  public init(_ values: SIMD4<Double>) { self.values = values }

  /// - Precondition: both boxes have an area.
  public init(from first: BoundingBox, to second: BoundingBox) {
    require(!first.isEmpty && !second.isEmpty, "BoxDisplacement: from \(first) to \(second)")
    let (a, b) = (first.center, second.center)
    let growth = SIMD2(log(second.width / first.width), log(second.height / first.height))
    values = SIMD4((b.x - a.x) / first.width, (b.y - a.y) / first.height, growth.x, growth.y)
  }
}

extension BoundingBox {
  public var center: SIMD2<Double> { SIMD2(x + width / 2, y + height / 2) }

  /// The box after a displacement; nothing moves farther than ten sizes or grows more than tenfold at once.
  public func moved(by displacement: BoxDisplacement) -> BoundingBox {
    let d = displacement.values.replacing(with: 0, where: displacement.values .!= displacement.values)
    let (w, h) = (width * exp(d.z.clamped(to: -2.3...2.3)), height * exp(d.w.clamped(to: -2.3...2.3)))
    let middle = center + SIMD2(width * d.x.clamped(to: -10...10), height * d.y.clamped(to: -10...10))
    return BoundingBox(x: middle.x - w / 2, y: middle.y - h / 2, width: w, height: h)
  }
}
