import Base

/// A picture of two values, 64 pixels a word, for filling simple shapes: a row of a shape costs a few operations.
struct HoleCanvas {
  let height: Int
  let width: Int
  private let stride: Int
  private var words: [UInt64]

  /// Without a hole.
  init(height: Int, width: Int) {
    self.height = height
    self.width = width
    stride = (width + 63) / 64
    words = Array(repeating: 0, count: height * stride)
  }

  /// Filled pixels.
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// What is filled is hole.
  var mask: InpaintingMask {
    var mask = InpaintingMask(height: height, width: width, isKnown: true)
    for y in 0..<height {
      for x in 0..<width where words[y * stride + x >> 6] >> UInt64(x & 63) & 1 == 1 { mask.known[y * width + x] = 0 }
    }
    return mask
  }

  /// Fills the pixels `first...last` of a row, as far as they lie in the picture.
  mutating func fill(row: Int, from first: Int, to last: Int) {
    let (first, last) = (max(first, 0), min(last, width - 1))
    guard row >= 0, row < height, first <= last else { return }
    let (low, high) = (first >> 6, last >> 6)
    let start = UInt64.max << UInt64(first & 63)
    let end = UInt64.max >> UInt64(63 - last & 63)
    let base = row * stride
    guard low < high else {
      words[base + low] |= start & end
      return
    }
    words[base + low] |= start
    for word in base + low + 1..<base + high { words[word] = .max }
    words[base + high] |= end
  }

  /// Fills the rectangle around a segment, its two short sides included.
  ///
  /// A pixel counts if its centre lies within (`thickness` - 1) / 2 of the segment, or half a pixel beside that in its row; upright and
  /// level strokes are so `thickness` pixels wide.
  mutating func fillSegment(from a: (x: Int, y: Int), to b: (x: Int, y: Int), thickness: Int) {
    let (dx, dy) = (Double(b.x - a.x), Double(b.y - a.y))
    let length = (dx * dx + dy * dy).squareRoot()
    guard length > 0 else { return fill(row: a.y, from: a.x, to: a.x) }
    let along = SIMD2(dx, dy) / length
    let half = Double(thickness - 1) / 2
    let reach = half * abs(along.x)
    let first = max(0, Int((Double(min(a.y, b.y)) - reach - 0.5).rounded(.up)))
    let last = min(height - 1, Int((Double(max(a.y, b.y)) + reach + 0.5).rounded(.down)))
    guard first <= last else { return }
    // Of the points (x, y) of a row, those with |across| <= half and 0 <= along <= length are an interval of x.
    for row in first...last {
      let y = Double(row - a.y)
      var low = -Double.infinity
      var high = Double.infinity
      func limit(_ slope: Double, _ offset: Double, _ least: Double, _ most: Double) {
        guard abs(slope) > 1e-12 else {
          if offset <= least - 0.5 || offset > most + 0.5 { (low, high) = (1, -1) }
          return
        }
        let ends = ((least - offset) / slope, (most - offset) / slope)
        low = max(low, min(ends.0, ends.1))
        high = min(high, max(ends.0, ends.1))
      }
      limit(-along.y, along.x * y, -half, half)
      limit(along.x, along.y * y, 0, length)
      guard low <= high, low.isFinite, high.isFinite else { continue }
      fill(row: row, from: Int((Double(a.x) + low - 0.5).rounded(.down)) + 1, to: Int((Double(a.x) + high + 0.5).rounded(.down)))
    }
  }

  /// Fills a disc of 2 · `radius` + 1 pixels across.
  mutating func fillDisc(at center: (x: Int, y: Int), radius: Int) {
    let square = (Double(radius) + 0.5) * (Double(radius) + 0.5)
    for offset in -radius...radius {
      let half = Int((square - Double(offset * offset)).squareRoot())
      fill(row: center.y + offset, from: center.x - half, to: center.x + half)
    }
  }

  /// Fills what is filled in another picture of the size, mirrored.
  mutating func unite(_ other: HoleCanvas, isUpsideDown: Bool, isMirrored: Bool) {
    for y in 0..<height {
      let source = (isUpsideDown ? height - 1 - y : y) * stride
      guard isMirrored else {
        for word in 0..<stride { words[y * stride + word] |= other.words[source + word] }
        continue
      }
      // The reversed row begins with the unused bits of its last word.
      let unused = UInt64(stride * 64 - width)
      for word in 0..<stride {
        let near = Self.reversed(other.words[source + stride - 1 - word])
        let far = word + 1 < stride ? Self.reversed(other.words[source + stride - 2 - word]) : 0
        words[y * stride + word] |= unused == 0 ? near : near >> unused | far << (64 - unused)
      }
    }
  }

  private static func reversed(_ word: UInt64) -> UInt64 {
    var x = word.byteSwapped
    x = (x >> 4) & 0x0F0F_0F0F_0F0F_0F0F | (x & 0x0F0F_0F0F_0F0F_0F0F) << 4
    x = (x >> 2) & 0x3333_3333_3333_3333 | (x & 0x3333_3333_3333_3333) << 2
    return (x >> 1) & 0x5555_5555_5555_5555 | (x & 0x5555_5555_5555_5555) << 1
  }
}
