/// A coloured texture with opacity: uniform cubic B-spline coefficients (red, green, blue 0...255; opacity 0...1 last).
///
/// Both frames evaluate the same smooth function at real coordinates, so a point keeps its colour while it moves. The spline's own
/// low-pass (standard deviation 0.58 texels) is the blur of a good lens.
struct Texture: Sendable {
  let height: Int
  let width: Int
  /// Row-major with a rim of periodic copies: one row above and two below, one column left and two right.
  private let texels: [SIMD4<Float>]
  private var stride: Int { width + 3 }

  /// - Parameter texels: `height · width`, row-major.
  init(height: Int, width: Int, texels core: [SIMD4<Float>]) {
    guard core.count == height * width else { fatalError("Texture: \(height)x\(width) needs \(height * width) texels, got \(core.count)") }
    self.height = height
    self.width = width
    texels = [SIMD4<Float>](unsafeUninitializedCapacity: (height + 3) * (width + 3)) { padded, count in
      for row in 0..<height + 3 {
        let source = (row + height - 1) % height * width, target = row * (width + 3)
        padded[target] = core[source + width - 1]
        for x in 0..<width { padded[target + 1 + x] = core[source + x] }
        padded[target + 1 + width] = core[source]
        padded[target + 2 + width] = core[source + 1 % width]
      }
      count = (height + 3) * (width + 3)
    }
  }

  /// Evaluates a line of points `start + i · step`, i = 0..<count, and hands each value to `body`.
  /// - Parameter wraps: whether the texture repeats; otherwise points outside are skipped.
  @inline(__always)
  func forEach(from start: SIMD2<Float>, step: SIMD2<Float>, count: Int, wraps: Bool, _ body: (Int, SIMD4<Float>) -> Void) {
    texels.withUnsafeBufferPointer { texels in
      guard let base = texels.baseAddress else { return }
      let size = SIMD2(Float(width), Float(height))
      for index in 0..<count {
        var p = start + step * Float(index)
        if wraps {
          p -= (p / size).rounded(.down) * size
        }
        guard p.x >= 0, p.y >= 0, p.x <= size.x, p.y <= size.y else { continue }
        let cell = SIMD2<Int32>(truncatingIfNeeded: p.rounded(.down), limit: SIMD2(Int32(width - 1), Int32(height - 1)))
        let wx = Texture.weights(p.x - Float(cell.x)), wy = Texture.weights(p.y - Float(cell.y))
        var row = base + Int(cell.y) * stride + Int(cell.x)
        var value = SIMD4<Float>()
        for k in 0..<4 {
          let sum = row[0] * wx[0] + row[1] * wx[1] + (row[2] * wx[2] + row[3] * wx[3])
          value += sum * wy[k]
          row += stride
        }
        body(index, value)
      }
    }
  }

  /// The value at one point of the repeating texture.
  func value(at point: SIMD2<Float>) -> SIMD4<Float> {
    var result = SIMD4<Float>()
    forEach(from: point, step: SIMD2(0, 0), count: 1, wraps: true) { result = $1 }
    return result
  }

  /// The four cubic B-spline weights at the fraction `t` of a cell.
  @inline(__always)
  private static func weights(_ t: Float) -> SIMD4<Float> {
    let s = 1 - t, t2 = t * t, s2 = s * s
    return SIMD4(s2 * s, 4 - 3 * t2 * (2 - t), 4 - 3 * s2 * (2 - s), t2 * t) * (1 / 6)
  }
}

extension SIMD2<Int32> {
  /// Whole-number floats as integers, at most `limit`.
  @inline(__always)
  fileprivate init(truncatingIfNeeded value: SIMD2<Float>, limit: SIMD2<Int32>) {
    self = pointwiseMin(SIMD2(Int32(value.x), Int32(value.y)), limit)
  }
}
