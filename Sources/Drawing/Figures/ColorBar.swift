import Vision

/// A horizontal bar with the colours of a `ColorMap` and its values below.
public struct ColorBar: Figure {
  /// A mark at a share 0...1 of the bar's length.
  public struct Tick: Sendable {
    public var position: Double
    public var label: String

    public init(_ position: Double, _ label: String) {
      self.position = position
      self.label = label
    }
  }

  public var map: ColorMap
  public var ticks: [Tick]
  /// Name of the values, with their unit, to the right of the bar.
  public var label: String
  /// The width of the whole, in pixels.
  public var width: Double

  public init(_ map: ColorMap, ticks: [Tick], label: String, width: Double) {
    self.map = map
    self.ticks = ticks
    self.label = label
    self.width = width
  }

  private static let barHeight = 11.0
  private static let inset = 6.0

  public func size(_ typeface: Typeface) -> Size { Size(width: width, height: Self.barHeight + 8 + TextStyle.note.lineHeight) }

  public func draw(on canvas: Canvas) {
    let labelWidth = min(canvas.typeface.width(of: label, .note) + 8, width / 2)
    let length = max(8, (width - 2 * Self.inset - labelWidth).rounded(.down))
    var strip = Image(height: Int(Self.barHeight), width: Int(length), channels: 3)
    for x in 0..<strip.width {
      let color = map.color(at: (Float(x) + 0.5) / Float(strip.width))
      for y in 0..<strip.height {
        for channel in 0..<3 { strip.pixels[3 * (y * strip.width + x) + channel] = color[channel] }
      }
    }
    canvas.image(strip, at: Point(Self.inset, 3))
    canvas.text(label, at: Point(Self.inset + length + 8, 1), .note, limit: labelWidth - 8 + 0.5)
    // The texts at both ends always stand; others where they have room.
    func box(_ tick: Tick) -> (left: Double, right: Double) {
      let textWidth = canvas.typeface.width(of: tick.label, .note)
      let left = min(max(0, Self.inset + tick.position * (length - 1) - textWidth / 2), width - textWidth)
      return (left, left + textWidth)
    }
    let end = ticks.last.map { box($0).left } ?? 0
    var lastRight = -Double.infinity
    for (index, tick) in ticks.enumerated() {
      let x = (Self.inset + tick.position * (length - 1)).rounded(.down) + 0.5
      let (left, right) = box(tick)
      guard left >= lastRight + 4, index == ticks.count - 1 || right <= end - 4 else { continue }
      canvas.line(from: Point(x, 3 + Self.barHeight), to: Point(x, 6 + Self.barHeight), Stroke(.ink))
      canvas.text(tick.label, at: Point(left, 7 + Self.barHeight), .note)
      lastRight = right
    }
  }
}
