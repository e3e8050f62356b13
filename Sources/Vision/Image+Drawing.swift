/// A colour: red, green, blue, each 0...255.
public typealias RGB = SIMD3<UInt8>

extension RGB {
  public static let white = RGB(255, 255, 255), black = RGB(0, 0, 0), midGrey = RGB(128, 128, 128)

  /// Mixes two colours: `share` 0 gives `self`, 1 gives `other`; rounded to nearest.
  public func mixed(with other: RGB, share: Float) -> RGB {
    let a = SIMD3<Float>(self), b = SIMD3<Float>(other)
    return RGB(clamping: SIMD3<Int32>((a + (b - a) * share + 0.5).rounded(.down)))
  }
}

/// Drawing on three-channel images. Everything is clipped at the border of the picture.
extension Image {
  /// A three-channel image of one colour.
  public init(height: Int, width: Int, color: RGB) {
    var pixels = [UInt8](repeating: 0, count: height * width * 3)
    for index in 0..<height * width {
      for channel in 0..<3 { pixels[3 * index + channel] = color[channel] }
    }
    self.init(height: height, width: width, channels: 3, pixels: pixels)
  }

  /// Lays `color` over the pixel at row `y`, column `x`, with the given opacity 0...1.
  public mutating func dot(y: Int, x: Int, _ color: RGB, opacity: Float = 1) {
    requireRGB("dot")
    guard y >= 0, y < height, x >= 0, x < width, opacity > 0 else { return }
    let at = 3 * (y * width + x)
    let old = RGB(pixels[at], pixels[at + 1], pixels[at + 2])
    let new = opacity >= 1 ? color : old.mixed(with: color, share: opacity)
    for channel in 0..<3 { pixels[at + channel] = new[channel] }
  }

  /// Fills a rectangle.
  public mutating func fill(top: Int, left: Int, height: Int, width: Int, _ color: RGB) {
    for y in max(0, top)..<max(0, top, min(self.height, top + height)) {
      for x in max(0, left)..<max(0, left, min(self.width, left + width)) { dot(y: y, x: x, color) }
    }
  }

  /// Copies `image` (of any channel count) so that its first pixel lands at (`top`, `left`).
  public mutating func blit(_ image: Image, top: Int, left: Int) {
    requireRGB("blit")
    let source = image.rgb()
    let first = max(0, -left), last = min(source.width, width - left)
    guard first < last else { return }
    for y in max(0, -top)..<max(0, -top, min(source.height, height - top)) {
      let from = 3 * (y * source.width + first), to = 3 * ((top + y) * width + left + first)
      pixels.replaceSubrange(to..<to + 3 * (last - first), with: source.pixels[from..<from + 3 * (last - first)])
    }
  }

  /// A straight anti-aliased line between two points; pixel centres have integer coordinates.
  public mutating func line(from a: SIMD2<Float>, to b: SIMD2<Float>, _ color: RGB, thickness: Float = 1) {
    let radius = thickness / 2 + 1
    let low = pointwiseMin(a, b) - radius, high = pointwiseMax(a, b) + radius
    guard low.x.isFinite, low.y.isFinite, high.x.isFinite, high.y.isFinite else { return }
    let direction = b - a
    let squaredLength = max((direction * direction).sum(), 1e-12)
    let columns = max(0, Int(max(low.x, -1)))..<max(0, Int(max(low.x, -1)), min(width, Int(min(high.x, Float(width))) + 1))
    for y in max(0, Int(max(low.y, -1)))..<max(0, Int(max(low.y, -1)), min(height, Int(min(high.y, Float(height))) + 1)) {
      for x in columns {
        let p = SIMD2(Float(x), Float(y)) - a
        let share = min(1, max(0, (p * direction).sum() / squaredLength))
        let offset = p - direction * share
        let distance = (offset * offset).sum().squareRoot()
        dot(y: y, x: x, color, opacity: min(1, max(0, thickness / 2 + 0.5 - distance)))
      }
    }
  }

  /// Writes one line of text with its upper left corner at (`top`, `left`); see `BitmapFont`.
  public mutating func write(_ text: String, top: Int, left: Int, _ color: RGB, scale: Int = 1) {
    for (index, character) in text.enumerated() {
      for (row, bits) in BitmapFont.rows(of: character).enumerated() {
        for column in 0..<BitmapFont.glyphWidth where bits & (0x10 >> UInt8(column)) != 0 {
          fill(top: top + row * scale, left: left + (index * BitmapFont.advance + column) * scale, height: scale, width: scale, color)
        }
      }
    }
  }

  private func requireRGB(_ operation: String) {
    guard channels == 3 else { fatalError("Image.\(operation): needs 3 channels, has \(channels); use rgb() first") }
  }
}
