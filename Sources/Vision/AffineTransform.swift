import Base

/// An affine map of the plane, in pixels: `p ↦ a·p.x + b·p.y + t`.
public struct AffineTransform: Sendable, Equatable {
  /// The images of the unit vectors.
  public var a: SIMD2<Double>
  public var b: SIMD2<Double>
  /// The image of the origin.
  public var t: SIMD2<Double>

  public init(a: SIMD2<Double>, b: SIMD2<Double>, t: SIMD2<Double>) {
    self.a = a
    self.b = b
    self.t = t
  }

  /// The map that takes three points to three others. Of points on a line its numbers are not finite.
  public init(from source: [SIMD2<Double>], to target: [SIMD2<Double>]) {
    let (p, q) = (source[1] - source[0], source[2] - source[0])
    let (u, v) = (target[1] - target[0], target[2] - target[0])
    let determinant = p.x * q.y - p.y * q.x
    a = (u * q.y - v * p.y) / determinant
    b = (v * p.x - u * q.x) / determinant
    t = target[0] - a * source[0].x - b * source[0].y
  }

  public func callAsFunction(_ p: SIMD2<Double>) -> SIMD2<Double> { a * p.x + b * p.y + t }

  public var inverse: AffineTransform {
    let factor = 1 / (a.x * b.y - b.x * a.y)
    let column = SIMD2(b.y, -a.y) * factor
    let other = SIMD2(-b.x, a.x) * factor
    return AffineTransform(a: column, b: other, t: -(column * t.x + other * t.y))
  }

  public var isFinite: Bool { [a, b, t].allSatisfy { $0.x.isFinite && $0.y.isFinite } }
}

extension Image {
  /// The picture under an affine map, bilinear, black outside, with the fixed-point rule of OpenCV's `warpAffine`: places are rounded to
  /// 1/32 px, products to the nearest level. Equal to OpenCV 4.10 but for places at the middle between two thirty-seconds.
  /// - Parameter transform: from this picture to the new one.
  public func warped(by transform: AffineTransform, width newWidth: Int, height newHeight: Int) -> Image {
    let back = transform.inverse
    var result = Image(height: newHeight, width: newWidth, channels: channels)
    guard back.isFinite, width > 0, height > 0 else { return result }
    // Coordinates in 1/1024 px, then with half a thirty-second added, cut to 1/32 px.
    func fixed(_ value: Double) -> Int { Int((value.clamped(to: -2e6...2e6) * 1024).rounded(.toNearestOrEven)) }
    let columns = (0..<newWidth).map { (x: fixed(back.a.x * Double($0)), y: fixed(back.a.y * Double($0))) }
    let (h, w, c) = (height, width, channels)
    pixels.withUnsafeBufferPointer { source in
      result.pixels.withUnsafeMutableBufferPointer { target in
        for y in 0..<newHeight {
          let startX = fixed(back.b.x * Double(y) + back.t.x) + 16
          let startY = fixed(back.b.y * Double(y) + back.t.y) + 16
          for x in 0..<newWidth {
            let (px, py) = ((startX + columns[x].x) >> 5, (startY + columns[x].y) >> 5)
            let (left, top) = (px >> 5, py >> 5)
            guard left >= -1, top >= -1, left < w, top < h else { continue }
            let (fx, fy) = (px & 31, py & 31)
            let weights = ((32 - fx) * (32 - fy), fx * (32 - fy), (32 - fx) * fy, fx * fy)
            let (hasLeft, hasRight, hasTop, hasBottom) = (left >= 0, left + 1 < w, top >= 0, top + 1 < h)
            let first = (top * w + left) * c
            for k in 0..<c {
              var sum = 512
              if hasTop && hasLeft { sum += weights.0 * Int(source[first + k]) }
              if hasTop && hasRight { sum += weights.1 * Int(source[first + c + k]) }
              if hasBottom && hasLeft { sum += weights.2 * Int(source[first + w * c + k]) }
              if hasBottom && hasRight { sum += weights.3 * Int(source[first + (w + 1) * c + k]) }
              target[(y * newWidth + x) * c + k] = UInt8(sum >> 10)
            }
          }
        }
      }
    }
    return result
  }

  /// Left and right exchanged.
  public func mirrored() -> Image {
    var result = self
    let (h, w, c) = (height, width, channels)
    result.pixels.withUnsafeMutableBufferPointer { target in
      pixels.withUnsafeBufferPointer { source in
        for y in 0..<h {
          for x in 0..<w {
            for k in 0..<c { target[(y * w + x) * c + k] = source[(y * w + w - 1 - x) * c + k] }
          }
        }
      }
    }
    return result
  }
}
