import Base
import Vision

/// A map of numbers in colours, over a picture if there is one, with its colour bar: joint heat maps, attention, scores.
public struct Heatmap: Figure {
  /// `height · width` numbers, row-major; those that are not finite are grey, or show the picture.
  public var values: [Float]
  public var height: Int
  public var width: Int
  /// The values of both ends of the colours.
  public var range: ClosedRange<Float>
  /// Name of the numbers, with their unit.
  public var label: String
  /// A picture below, of the same size.
  public var background: Image?
  /// Opacity of the colours at the upper end of the range, 0...1; towards the lower end the picture shows through.
  public var opacity: Float = 0.8
  /// The width on the sheet, in pixels.
  public var displayWidth: Int

  /// - Parameter range: by default from the least to the largest finite value.
  public init(
    _ values: [Float], height: Int, width: Int, label: String, range: ClosedRange<Float>? = nil, over background: Image? = nil,
    displayWidth: Int? = nil
  ) {
    require(values.count == height * width, "Heatmap: \(values.count) values for \(height)x\(width)")
    require(background.map { $0.height == height && $0.width == width } ?? true,
            "Heatmap: a map of \(height)x\(width) over a picture of another size; resize one of them")
    self.values = values
    self.height = height
    self.width = width
    self.label = label
    self.background = background
    self.displayWidth = displayWidth ?? width
    let finite = values.filter(\.isFinite)
    self.range = range ?? (finite.min() ?? 0)...(finite.max() ?? 1)
  }

  /// The colours in the map's own size.
  public var colors: Image {
    var picture = background?.rgb() ?? Image(height: height, width: width, color: .midGrey)
    let length = range.upperBound - range.lowerBound
    for (pixel, value) in values.enumerated() where value.isFinite {
      let share = length > 0 ? min(1, max(0, (value - range.lowerBound) / length)) : 0
      let color = ColorMap.ember.color(at: share)
      picture[rgb: pixel] = background == nil ? color : picture[rgb: pixel].mixed(with: color, share: opacity * (0.25 + 0.75 * share))
    }
    return picture
  }

  private var grid: FigureGrid {
    let picture = colors.fitted(width: displayWidth)
    let axis = Axis(values: [Double(range.lowerBound), Double(range.upperBound)], ticks: max(2, min(6, picture.width / 60)), isTight: true)
    let ticks = zip(axis.ticks, axis.labels).map { ColorBar.Tick(axis.share($0), $1) }
    let bar = ColorBar(.ember, ticks: ticks, label: label, width: Double(max(120, picture.width)))
    return FigureGrid([.init(ImageFigure(picture)), .init(bar)], columns: 1, gap: 5, margin: 0)
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}
