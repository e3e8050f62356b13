import Base

/// A coloured texture with opacity: uniform cubic B-spline coefficients (red, green, blue 0...255; opacity 0...1 last).
///
/// Both frames evaluate the same smooth function at real coordinates, so a point keeps its colour while it moves. The spline's own
/// low-pass (standard deviation 0.58 texels) is the blur of a good lens.
package struct Texture: Sendable {
  package let height: Int
  package let width: Int
  /// Row-major with a rim of periodic copies: one row above and two below, one column left and two right.
  private let texels: [SIMD4<Float>]
  private var stride: Int { width + 3 }

  /// - Parameter texels: `height · width`, row-major.
  package init(height: Int, width: Int, texels core: [SIMD4<Float>]) {
    guard core.count == height * width else { stop("Texture: \(height)x\(width) needs \(height * width) texels, got \(core.count)") }
    self.height = height
    self.width = width
    texels = [SIMD4<Float>](unsafeUninitializedCapacity: (height + 3) * (width + 3)) { padded, count in
      for row in 0..<height + 3 {
        let source = (row + height - 1) % height * width
        let target = row * (width + 3)
        padded[target] = core[source + width - 1]
        for x in 0..<width { padded[target + 1 + x] = core[source + x] }
        padded[target + 1 + width] = core[source]
        padded[target + 2 + width] = core[source + 1 % width]
      }
      count = (height + 3) * (width + 3)
    }
  }

  /// Evaluates a line of points `start + i · step`, i = 0..<count, and hands each value to `body`.
  /// - Parameter wraps: true: the texture repeats; false: points outside are skipped.
  @inline(__always)
  func forEach(from start: SIMD2<Float>, step: SIMD2<Float>, count: Int, wraps: Bool, _ body: (Int, SIMD4<Float>) -> Void) {
    texels.withUnsafeBufferPointer { texels in
      guard let base = texels.baseAddress else { return }
      let size = SIMD2(Float(width), Float(height))
      let inside = wraps ? 0..<count : indicesInside(start, step, count)
      var origin = start
      for index in inside {
        var p = origin + step * Float(index)
        if wraps, p.x < 0 || p.y < 0 || p.x >= size.x || p.y >= size.y {
          let turns = SIMD2((p.x / size.x).rounded(.down), (p.y / size.y).rounded(.down)) * size
          origin -= turns
          p -= turns
        }
        body(index, value(inside: p, base))
      }
    }
  }

  /// The spline at a point of the texture's own area; a rounding error beyond its border is pulled back.
  @inline(__always)
  private func value(inside p: SIMD2<Float>, _ base: UnsafePointer<SIMD4<Float>>) -> SIMD4<Float> {
    let x = min(max(Int32(p.x), 0), Int32(width - 1))
    let y = min(max(Int32(p.y), 0), Int32(height - 1))
    let wx = Texture.weights(p.x - Float(x))
    let wy = Texture.weights(p.y - Float(y))
    let first = base + (Int(y) * stride + Int(x))
    let second = first + stride
    let third = second + stride
    let fourth = third + stride
    let upper: SIMD4<Float> = Texture.sum(first, wx) * wy[0] + Texture.sum(second, wx) * wy[1]
    let lower: SIMD4<Float> = Texture.sum(third, wx) * wy[2] + Texture.sum(fourth, wx) * wy[3]
    return upper + lower
  }

  @inline(__always)
  private static func sum(_ row: UnsafePointer<SIMD4<Float>>, _ w: SIMD4<Float>) -> SIMD4<Float> {
    let left: SIMD4<Float> = row[0] * w[0] + row[1] * w[1]
    let right: SIMD4<Float> = row[2] * w[2] + row[3] * w[3]
    return left + right
  }

  /// The indices of the points of a line that lie on the texture.
  private func indicesInside(_ start: SIMD2<Float>, _ step: SIMD2<Float>, _ count: Int) -> Range<Int> {
    var low: Float = 0
    var high = Float(count - 1)
    for axis in 0..<2 {
      let size = Float(axis == 0 ? width : height)
      let from = start[axis]
      let pace = step[axis]
      if abs(pace) < 1e-6 {
        if from < 0 || from > size { return 0..<0 }
      } else {
        let ends = (-from / pace, (size - from) / pace)
        low = max(low, min(ends.0, ends.1))
        high = min(high, max(ends.0, ends.1))
      }
    }
    guard low <= high else { return 0..<0 }
    let first = Int(low.rounded(.up))
    let last = Int(high.rounded(.down))
    return first..<max(first, last + 1)
  }

  /// The value at one point; nil outside a texture that does not repeat.
  @inline(__always)
  func value(at point: SIMD2<Float>, wraps: Bool) -> SIMD4<Float>? {
    let size = SIMD2(Float(width), Float(height))
    var p = point
    if p.x < 0 || p.y < 0 || p.x > size.x || p.y > size.y {
      guard wraps else { return nil }
      p -= SIMD2((p.x / size.x).rounded(.down), (p.y / size.y).rounded(.down)) * size
    }
    return texels.withUnsafeBufferPointer { texels in texels.baseAddress.map { value(inside: p, $0) } }
  }

  /// The texture at half the resolution: each texel the mean of 2x2; the point p of this texture is (p - ½) / 2 of that one. Both sizes
  /// must be even.
  package func halved() -> Texture {
    let (rows, columns) = (height / 2, width / 2)
    let means = [SIMD4<Float>](unsafeUninitializedCapacity: rows * columns) { means, count in
      for y in 0..<rows {
        for x in 0..<columns {
          let first = (2 * y + 1) * stride + 2 * x + 1
          let second = first + stride
          let upper: SIMD4<Float> = texels[first] + texels[first + 1]
          let lower: SIMD4<Float> = texels[second] + texels[second + 1]
          means[y * columns + x] = (upper + lower) * 0.25
        }
      }
      count = rows * columns
    }
    return Texture(height: rows, width: columns, texels: means)
  }

  /// The texture at 1/2, 1/4, ... of its resolution, as often as both sizes can be halved, `count` times at most.
  package func reductions(_ count: Int) -> [Texture] {
    var result: [Texture] = []
    var last = self
    while result.count < count, last.height % 2 == 0, last.width % 2 == 0, min(last.height, last.width) >= 8 {
      last = last.halved()
      result.append(last)
    }
    return result
  }

  /// The value at one point of the repeating texture.
  package func value(at point: SIMD2<Float>) -> SIMD4<Float> {
    var result = SIMD4<Float>()
    forEach(from: point, step: SIMD2(0, 0), count: 1, wraps: true) { result = $1 }
    return result
  }

  /// The four cubic B-spline weights at the fraction `t` of a cell.
  @inline(__always)
  private static func weights(_ t: Float) -> SIMD4<Float> {
    let s = 1 - t
    let t2 = t * t
    let s2 = s * s
    return SIMD4(s2 * s, 4 - 3 * t2 * (2 - t), 4 - 3 * s2 * (2 - s), t2 * t) * (1 / 6)
  }
}

extension SIMD4<Float> {
  /// Limited to `low...high` lane by lane, in two instructions.
  @inline(__always)
  func limited(_ low: SIMD4<Float>, _ high: SIMD4<Float>) -> SIMD4<Float> {
    let raised = replacing(with: low, where: self .< low)
    return raised.replacing(with: high, where: raised .> high)
  }
}
