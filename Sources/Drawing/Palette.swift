import Foundation
import Vision

/// Colours for things that have names and no order: curves, classes, people.
///
/// The first eight can be told apart with every common kind of colour vision.
///
/// - Source: Okabe and Ito, "Color Universal Design", 2008; black last and yellow darkened, so that all are seen on white.
public enum Palette {
  static let safe: [RGB] = [
    RGB(0, 114, 178), RGB(213, 94, 0), RGB(0, 158, 115), RGB(204, 121, 167),
    RGB(230, 159, 0), RGB(86, 180, 233), RGB(150, 140, 20), RGB(60, 60, 60),
  ]

  /// The colour of the item with this index, 0 or more.
  ///
  /// From the ninth on, hues turn by the golden section with three levels of brightness in turn: neighbours always differ in both.
  public static func color(_ index: Int) -> Color {
    guard index >= safe.count else { return Color(safe[max(0, index)]) }
    let turn = (Double(index) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1)
    let brightness = [0.9, 0.65, 0.45][index % 3]
    let saturation = [0.55, 0.75, 0.6][index % 3]
    /// One channel of hue, saturation and value as a piecewise linear function of the hue.
    func channel(_ offset: Double) -> UInt8 {
      let position = (offset + 6 * turn).truncatingRemainder(dividingBy: 6)
      let share = max(0, min(1, min(position, 4 - position)))
      return UInt8((255 * brightness * (1 - saturation * share)).rounded())
    }
    return Color(channel(5), channel(3), channel(1))
  }
}
