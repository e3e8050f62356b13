import Base
import Vision

/// Random changes of brightness, contrast, saturation and hue, in random order, on 8-bit RGB pictures.
///
/// The arithmetic follows 8-bit picture libraries step by step, truncation included, because the published weights saw exactly that:
/// - brightness, contrast and saturation blend the picture with black, with the mean of its grey values, and with its grey values;
///   the blend `b + f · (x - b)` is clamped and truncated;
/// - grey is `(19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶` (ITU-R BT.601), the mean is rounded;
/// - hue turns the 8-bit H channel of an HSV picture by `trunc(255 h)` steps of 256.
///
/// - Source: documented behaviour of torchvision's `ColorJitter` on pictures of the Pillow library.
package struct ColorJitter: Sendable {
  /// One of the four changes, with its factor (hue: part of the circle).
  package enum Change: Sendable, Equatable {
    case brightness(Double), contrast(Double), saturation(Double), hue(Double)
  }

  /// The changes in the order in which they are applied.
  package let changes: [Change]

  package init(changes: [Change]) { self.changes = changes }

  /// Draws the four factors, `U(max(0, 1 - r), 1 + r)` and for the hue `U(-r, r)`, then their order.
  package init(brightness: Double, contrast: Double, saturation: Double, hue: Double, random: inout Random) {
    func factor(_ range: Double) -> Double { random.uniform(max(0, 1 - range), 1 + range) }
    let drawn: [Change] = [
      .brightness(factor(brightness)), .contrast(factor(contrast)), .saturation(factor(saturation)), .hue(random.uniform(-hue, hue)),
    ]
    changes = drawn.shuffled(using: &random)
  }

  package init(_ settings: FlowAugmentation, random: inout Random) {
    self.init(brightness: settings.brightness, contrast: settings.contrast, saturation: settings.saturation, hue: settings.hue,
              random: &random)
  }

  /// Changes pictures as if they were stacked to one: the mean grey of the contrast is common.
  package func apply(to images: inout [Image]) {
    for change in changes {
      switch change {
      case .brightness(let factor): ColorJitter.mapSamples(of: &images) { ColorJitter.blend(0, $0, factor) }
      case .contrast(let factor):
        let mean = ColorJitter.meanGrey(of: images)
        ColorJitter.mapSamples(of: &images) { ColorJitter.blend(mean, $0, factor) }
      case .saturation(let factor): ColorJitter.saturate(&images, by: Float(factor))
      case .hue(let turn): ColorJitter.turnHue(of: &images, by: turn)
      }
    }
  }

  /// `from + factor · (to - from)`, clamped and truncated.
  private static func blend(_ from: UInt8, _ to: UInt8, _ factor: Double) -> UInt8 { blend(from, to, Float(factor)) }

  private static func blend(_ from: UInt8, _ to: UInt8, _ factor: Float) -> UInt8 {
    UInt8(min(max(Float(from) + factor * Float(Int(to) - Int(from)), 0), 255))
  }

  private static func grey(_ r: UInt8, _ g: UInt8, _ b: UInt8) -> UInt8 {
    let sum: UInt32 = 19595 * UInt32(r) + 38470 * UInt32(g) + 7471 * UInt32(b)
    return UInt8((sum + 0x8000) >> 16)
  }

  private static func meanGrey(of images: [Image]) -> UInt8 {
    var sum = 0
    var count = 0
    for image in images {
      image.pixels.withUnsafeBufferPointer { pixels in
        for i in stride(from: 0, to: pixels.count, by: 3) { sum += Int(grey(pixels[i], pixels[i + 1], pixels[i + 2])) }
      }
      count += image.height * image.width
    }
    return UInt8(Double(sum) / Double(count) + 0.5)
  }

  /// Replaces every sample by a function of its value.
  private static func mapSamples(of images: inout [Image], _ change: (UInt8) -> UInt8) {
    let table = (0...255).map { change(UInt8($0)) }
    for i in images.indices {
      images[i].pixels.withUnsafeMutableBufferPointer { pixels in
        for k in pixels.indices { pixels[k] = table[Int(pixels[k])] }
      }
    }
  }

  private static func saturate(_ images: inout [Image], by factor: Float) {
    for i in images.indices {
      images[i].pixels.withUnsafeMutableBufferPointer { pixels in
        for k in stride(from: 0, to: pixels.count, by: 3) {
          let level = grey(pixels[k], pixels[k + 1], pixels[k + 2])
          for c in k..<k + 3 { pixels[c] = blend(level, pixels[c], factor) }
        }
      }
    }
  }

  private static func turnHue(of images: inout [Image], by turn: Double) {
    let steps = UInt8(truncatingIfNeeded: Int(turn * 255))
    for i in images.indices {
      images[i].pixels.withUnsafeMutableBufferPointer { pixels in
        for k in stride(from: 0, to: pixels.count, by: 3) {
          var color = HSV8(r: pixels[k], g: pixels[k + 1], b: pixels[k + 2])
          color.hue &+= steps
          (pixels[k], pixels[k + 1], pixels[k + 2]) = color.rgb
        }
      }
    }
  }
}
