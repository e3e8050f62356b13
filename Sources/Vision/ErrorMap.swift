import Foundation

/// The end-point error as a picture: dark blue is right, through cyan, green and yellow to red and dark red.
///
/// The scale is logarithmic, so that errors of half a pixel and of twenty can both be told apart.
public enum ErrorMap {
  private static let ramp: [RGB] = [
    RGB(13, 20, 80), RGB(32, 92, 190), RGB(60, 180, 200), RGB(120, 205, 110), RGB(245, 220, 70), RGB(235, 110, 40), RGB(150, 10, 30),
  ]

  /// The colour of an error (px); NaN is grey.
  public static func color(of error: Float, maximum: Float) -> RGB {
    guard !error.isNaN else { return .midGrey }
    let position = Self.position(of: error, maximum: maximum) * Float(ramp.count - 1)
    let lower = min(Int(position), ramp.count - 2)
    return ramp[lower].mixed(with: ramp[lower + 1], share: position - Float(lower))
  }

  /// Where an error stands on the scale, 0...1: `log(1 + 2e) / log(1 + 2 · maximum)`, e in px.
  private static func position(of error: Float, maximum: Float) -> Float {
    min(1, Float(log(1 + 2 * Double(max(0, error))) / log(1 + 2 * Double(max(maximum, 0.1)))))
  }

  /// The error of `predicted` at every pixel; grey where the truth is unknown.
  /// - Parameter maximum: the error (px) that gets the last colour, as do all larger ones.
  public static func image(predicted: FlowField, truth: FlowField, maximum: Float = 20) -> Image {
    let errors = EndPointError.map(predicted: predicted, truth: truth)
    var picture = Image(height: truth.height, width: truth.width, channels: 3)
    for (pixel, error) in errors.enumerated() {
      let color = color(of: error, maximum: maximum)
      for channel in 0..<3 { picture.pixels[3 * pixel + channel] = color[channel] }
    }
    return picture
  }

  /// A colour bar with its values in px.
  public static func legend(width: Int, maximum: Float = 20) -> Image {
    let barLeft = 4, barWidth = max(100, width - 44), barHeight = 10
    var strip = Image(height: 30, width: max(width, barWidth + 44), color: .white)
    for x in 0..<barWidth {
      let share = Double(x) / Double(barWidth - 1)
      let error = (exp(share * log(1 + 2 * Double(maximum))) - 1) / 2
      strip.fill(top: 5, left: barLeft + x, height: barHeight, width: 1, color(of: Float(error), maximum: maximum))
    }
    for error in [0, 1, 3, 5, 10, 20, 50] as [Float] where error <= maximum {
      let x = barLeft + Int((position(of: error, maximum: maximum) * Float(barWidth - 1)).rounded())
      let label = String(Int(error))
      strip.fill(top: 3, left: x, height: barHeight + 4, width: 1, .black)
      strip.write(label, top: 19, left: max(1, x - BitmapFont.width(of: label) / 2), .black)
    }
    strip.write("px EPE", top: 6, left: barLeft + barWidth + 4, .black)
    return strip
  }

  /// The map above its colour bar.
  public static func annotatedImage(predicted: FlowField, truth: FlowField, maximum: Float = 20) -> Image {
    let bar = legend(width: truth.width, maximum: maximum)
    var picture = Image(height: truth.height + bar.height, width: max(truth.width, bar.width), color: .white)
    picture.blit(image(predicted: predicted, truth: truth, maximum: maximum), top: 0, left: 0)
    picture.blit(bar, top: truth.height, left: 0)
    return picture
  }
}
