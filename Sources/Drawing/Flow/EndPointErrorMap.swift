import Foundation
import Vision

/// The end-point error as a picture: dark blue is right, over violet, red and orange to pale yellow.
///
/// The scale is logarithmic, so that errors of half a pixel and of twenty can both be told apart.
public enum EndPointErrorMap {
  /// The colour of an error (px); NaN is grey.
  public static func color(of error: Float, maximum: Float) -> RGB {
    error.isNaN ? .midGrey : ColorMap.ember.color(at: position(of: error, maximum: maximum))
  }

  /// The share of the scale, 0...1, at which an error stands: `log(1 + 2e) / log(1 + 2 · maximum)`, e in px.
  private static func position(of error: Float, maximum: Float) -> Float {
    min(1, Float(log(1 + 2 * Double(max(0, error))) / log(1 + 2 * Double(max(maximum, 0.1)))))
  }

  /// The error of `predicted` at every pixel; grey where the truth is unknown.
  /// - Parameter maximum: the error (px) that gets the last colour, as do all larger ones.
  public static func image(predicted: FlowField, truth: FlowField, maximum: Float = 20) -> Image {
    let errors = EndPointError.map(predicted: predicted, truth: truth)
    var picture = Image(height: truth.height, width: truth.width, channels: 3)
    for (pixel, error) in errors.enumerated() { picture[rgb: pixel] = color(of: error, maximum: maximum) }
    return picture
  }

  /// A colour bar with its values in px.
  public static func legend(width: Int, maximum: Float = 20) -> ColorBar {
    let values = [0, 1, 3, 5, 10, 20, 50, 100].filter { Float($0) <= maximum }
    let ticks = values.map { value in
      ColorBar.Tick(Double(position(of: Float(value), maximum: maximum)), Float(value) == maximum ? "\(value)+" : "\(value)")
    }
    return ColorBar(.ember, ticks: ticks, label: "px", width: Double(max(120, width)))
  }

  /// The map above its colour bar.
  /// - Parameter width: the width of the picture; by default that of the fields.
  public static func figure(predicted: FlowField, truth: FlowField, maximum: Float = 20, width: Int? = nil) -> FigureGrid {
    let picture = image(predicted: predicted, truth: truth, maximum: maximum).fitted(width: width ?? truth.width)
    return FigureGrid([.init(ImageFigure(picture)), .init(legend(width: picture.width, maximum: maximum))], columns: 1, gap: 5, margin: 0)
  }
}
