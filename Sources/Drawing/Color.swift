import Foundation
import Vision

/// A colour with opacity, for everything that is laid over a canvas.
public struct Color: Sendable, Equatable {
  public var rgb: RGB
  /// 0 (invisible) ... 1 (covers what is below).
  public var opacity: Double

  public init(_ rgb: RGB, opacity: Double = 1) {
    self.rgb = rgb
    self.opacity = opacity
  }

  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { self.init(RGB(red, green, blue)) }

  public static let black = Color(.black)
  public static let white = Color(.white)
  /// Text: nearly black, contrast 16 : 1 on white.
  public static let ink = Color(33, 37, 41)
  /// Secondary text: contrast 7 : 1 on white.
  public static let faintInk = Color(84, 90, 96)
  /// Frames of pictures.
  public static let frame = Color(176, 180, 184)
  /// Grid lines behind curves and bars.
  public static let gridLine = Color(226, 228, 230)

  /// Relative luminance 0 ... 1 after WCAG 2.1: linear red, green and blue weighted by what the eye takes for bright.
  public var luminance: Double {
    func linear(_ value: UInt8) -> Double {
      let share = Double(value) / 255
      return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear(rgb.x) + 0.7152 * linear(rgb.y) + 0.0722 * linear(rgb.z)
  }

  /// Black or white, whichever can be read better on this colour.
  public var readableInk: Color {
    // Contrast is (lighter + 0.05) / (darker + 0.05); both are equal at a luminance of √(1.05 · 0.05) - 0.05.
    luminance > 0.179 ? .black : .white
  }
}
