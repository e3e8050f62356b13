import Foundation
import Vision

/// The colour wheel of the Middlebury benchmark: hue is the direction of a flow vector, saturation its length.
///
/// 55 hues in six ramps (red 15 yellow 6 green 4 cyan 11 blue 13 magenta 6 red). A vector of length 1 (after division by the
/// maximum) has the full colour, shorter ones fade to white, longer ones are darkened by a quarter.
///
/// - Source: Baker, Scharstein, Lewis, Roth, Black, Szeliski, "A database and evaluation methodology for optical flow", IJCV 2011.
public enum FlowColorWheel {
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
      picture[rgb: pixel] = color(u: flow.vectors[2 * pixel] * scale, v: flow.vectors[2 * pixel + 1] * scale)
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
        let u = (Float(x) - radius) / (radius - 0.5)
        let v = (Float(y) - radius) / (radius - 0.5)
        let length = (u * u + v * v).squareRoot()
        let inside = min(1, max(0, (1 - length) * radius + 0.5))
        let color = color(u: u / max(1, length), v: v / max(1, length))
        if inside > 0 { picture[rgb: y * side + x] = RGB.white.mixed(with: color, share: inside) }
      }
    }
    return picture
  }

  /// A flow field in colours above a strip with the wheel and the length that its rim stands for.
  /// - Parameters:
  ///   - flow: height x width vectors.
  ///   - maximum: the length (px) that gets the full colour; by default the longest known vector.
  ///   - width: the width of the picture; by default that of the field.
  public static func figure(of flow: FlowField, maximum: Float? = nil, width: Int? = nil) -> FigureGrid {
    let limit = maximum ?? flow.largestMagnitude
    let picture = image(of: flow, maximum: limit).fitted(width: width ?? flow.width)
    return FigureGrid([.init(ImageFigure(picture)), .init(FlowLegend(maximum: limit, of: flow))],
                      columns: 1, gap: 5, margin: 0)
  }
}

/// The colour wheel, the length of flow at its rim, and how to read it.
public struct FlowLegend: Figure {
  /// The length (px) that the rim stands for.
  public var maximum: Float
  /// Whether to say what black is, and what dark colours are.
  public var hasUnknown: Bool
  public var hasLonger: Bool

  public init(maximum: Float, hasUnknown: Bool = false, hasLonger: Bool = false) {
    self.maximum = maximum
    self.hasUnknown = hasUnknown
    self.hasLonger = hasLonger
  }

  /// The legend of a field in colours.
  public init(maximum: Float, of flow: FlowField) {
    self.init(maximum: maximum, hasUnknown: flow.isValid.contains(false), hasLonger: flow.largestMagnitude > maximum * 1.001)
  }

  private static let side = 53

  private var lines: [(text: String, style: TextStyle)] {
    let first = ("max flow \(String(format: "%.1f", maximum)) px", TextStyle.caption)
    return [first, ("at the rim; white: 0", .note)] + (hasUnknown ? [("black: unknown", .note)] : [])
      + (hasLonger ? [("darker: longer", .note)] : [])
  }

  public func size(_ typeface: Typeface) -> Size {
    let textWidth = lines.map { typeface.width(of: $0.text, $0.style) }.max() ?? 0
    return Size(width: (Double(Self.side) + 14 + textWidth).rounded(.up), height: Double(Self.side) + 6)
  }

  public func draw(on canvas: Canvas) {
    let side = Double(Self.side)
    canvas.image(FlowColorWheel.wheel(side: Self.side), at: Point(3, 3))
    canvas.circle(center: Point(3 + side / 2, 3 + side / 2), radius: side / 2 - 0.5, stroke: Stroke(.frame))
    var top = 3 + side / 2 - lines.map { $0.style.lineHeight }.reduce(0, +) / 2
    for (text, style) in lines {
      canvas.text(text, at: Point(side + 11, top), style)
      top += style.lineHeight
    }
  }
}
