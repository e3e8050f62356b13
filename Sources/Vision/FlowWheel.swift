import Foundation

/// The colour wheel of the Middlebury benchmark: hue is the direction of a flow vector, saturation its length.
///
/// 55 hues in six ramps (red 15 yellow 6 green 4 cyan 11 blue 13 magenta 6 red). A vector of length 1 (after division by the
/// maximum) has the full colour, shorter ones fade to white, longer ones are darkened by a quarter.
///
/// - Source: Baker, Scharstein, Lewis, Roth, Black, Szeliski, "A database and evaluation methodology for optical flow", IJCV 2011.
public enum FlowWheel {
  /// The 55 hues, each channel 0...255.
  package static let hues: [SIMD3<Float>] = {
    // Each ramp moves one channel up or down over `length` steps, the other two stand at 0 or 255.
    func ramp(_ length: Int, _ color: (Float) -> SIMD3<Float>) -> [SIMD3<Float>] {
      (0..<length).map { color((255 * Float($0) / Float(length)).rounded(.down)) }
    }
    return ramp(15) { SIMD3(255, $0, 0) } + ramp(6) { SIMD3(255 - $0, 255, 0) } + ramp(4) { SIMD3(0, 255, $0) }
      + ramp(11) { SIMD3(0, 255 - $0, 255) } + ramp(13) { SIMD3($0, 0, 255) } + ramp(6) { SIMD3(255, 0, 255 - $0) }
  }()

  /// The colour of a vector whose length is given in units of the maximum.
  public static func color(u: Float, v: Float) -> RGB {
    let radius = (u * u + v * v).squareRoot()
    guard radius.isFinite else { return .black }
    let position = (Float(atan2(-Double(v), -Double(u)) / Double.pi) + 1) / 2 * Float(hues.count - 1)
    let lower = min(Int(position), hues.count - 1)
    let upper = (lower + 1) % hues.count
    let hue = (hues[lower] + (hues[upper] - hues[lower]) * (position - Float(lower))) / 255
    let shade = radius <= 1 ? 1 - radius * (1 - hue) : hue * 0.75
    return RGB(clamping: SIMD3<Int32>((255 * shade).rounded(.down)))
  }

  /// A flow field in colours; unknown vectors are black.
  /// - Parameters:
  ///   - flow: height x width vectors.
  ///   - maximum: the length (px) that gets the full colour; by default the longest known vector.
  /// - Returns: an RGB image of the same size.
  public static func image(of flow: FlowField, maximum: Float? = nil) -> Image {
    let scale = 1 / ((maximum ?? flow.largestMagnitude) + 1e-5)
    var picture = Image(height: flow.height, width: flow.width, channels: 3)
    for pixel in 0..<flow.height * flow.width where flow.isValid[pixel] {
      let color = color(u: flow.vectors[2 * pixel] * scale, v: flow.vectors[2 * pixel + 1] * scale)
      for channel in 0..<3 { picture.pixels[3 * pixel + channel] = color[channel] }
    }
    return picture
  }

  /// The wheel itself: the colour at an offset from its centre is the colour of the flow in that direction.
  /// - Parameter side: height and width in pixels; outside the disc the picture is white.
  public static func wheel(side: Int) -> Image {
    var picture = Image(height: side, width: side, color: .white)
    let radius = Float(side - 1) / 2
    for y in 0..<side {
      for x in 0..<side {
        let u = (Float(x) - radius) / (radius - 0.5), v = (Float(y) - radius) / (radius - 0.5)
        let length = (u * u + v * v).squareRoot()
        let inside = min(1, max(0, (1 - length) * radius + 0.5))
        if inside > 0 { picture.dot(y: y, x: x, color(u: u / max(1, length), v: v / max(1, length)), opacity: inside) }
      }
    }
    return picture
  }

  /// The flow in colours above a strip with the wheel and the length that its rim stands for.
  public static func annotatedImage(of flow: FlowField, maximum: Float? = nil) -> Image {
    let limit = maximum ?? flow.largestMagnitude
    let strip = legend(width: flow.width, maximum: limit)
    var picture = Image(height: flow.height + strip.height, width: max(flow.width, strip.width), color: .white)
    picture.blit(image(of: flow, maximum: limit), top: 0, left: 0)
    picture.blit(strip, top: flow.height, left: 0)
    return picture
  }

  /// The strip of `annotatedImage`: the wheel, the maximum in px and how to read it.
  public static func legend(width: Int, maximum: Float) -> Image {
    let side = 45
    let lines = ["max flow \(String(format: "%.1f", maximum)) px", "at the rim; white: 0"]
    let textWidth = lines.map { BitmapFont.width(of: $0) }.max() ?? 0
    var strip = Image(height: side + 6, width: max(width, side + 12 + textWidth), color: .white)
    strip.blit(wheel(side: side), top: 3, left: 2)
    for (row, line) in lines.enumerated() {
      strip.write(line, top: side / 2 - 7 + row * 12, left: side + 9, .black)
    }
    return strip
  }
}

extension FlowField {
  /// The length of the longest known vector, in px; 0 if none is known.
  public var largestMagnitude: Float {
    var largest: Float = 0
    for pixel in isValid.indices where isValid[pixel] {
      let (u, v) = (vectors[2 * pixel], vectors[2 * pixel + 1])
      largest = max(largest, u * u + v * v)
    }
    return largest.squareRoot()
  }
}
