/// Size, weight and colour of a line of text.
public struct TextStyle: Sendable, Equatable {
  public enum Weight: Sendable { case regular, bold }

  /// Height of the letters with their ascent and descent, in pixels.
  public var size: Double
  public var weight: Weight
  public var color: Color

  public init(size: Double = 12, weight: Weight = .regular, color: Color = .ink) {
    self.size = size
    self.weight = weight
    self.color = color
  }

  /// The title of a sheet or a chart.
  public static let title = TextStyle(size: 15, weight: .bold)
  /// The name of a picture.
  public static let caption = TextStyle(size: 12, weight: .bold)
  public static let body = TextStyle()
  /// Secondary text: numbers, units, ticks.
  public static let note = TextStyle(size: 11, color: .faintInk)

  /// Pixels from one line to the next.
  public var lineHeight: Double { (size * 1.3).rounded(.up) }

  /// Pixels from the top of a line to the foot of its letters.
  var baseline: Double { (size * 1.03).rounded() }
}

/// The part of a text that stands at the given position.
public enum TextAlignment: Sendable { case left, center, right }
