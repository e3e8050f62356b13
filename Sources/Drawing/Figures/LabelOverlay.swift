import Base
import Vision

/// A map of class labels laid over a picture, with the names of the classes that occur in it.
public struct LabelOverlay: Figure {
  public struct Class: Sendable {
    public var name: String
    public var color: Color

    public init(_ name: String, _ color: Color) {
      self.name = name
      self.color = color
    }
  }

  public var image: Image
  /// `height · width` indices into `classes`, row-major; others, such as 255 for "ignore", stay uncoloured.
  public var labels: [Int]
  public var classes: [Class]
  /// Opacity of the colours, 0...1.
  public var opacity: Float
  public var width: Int

  /// - Parameter width: the picture's width on the sheet; by default its own.
  public init(_ image: Image, labels: [Int], classes: [Class], opacity: Float = 0.55, width: Int? = nil) {
    require(labels.count == image.height * image.width,
            "LabelOverlay: \(labels.count) labels for a picture of \(image.height)x\(image.width)")
    self.image = image
    self.labels = labels
    self.classes = classes
    self.opacity = opacity
    self.width = width ?? image.width
  }

  /// The picture with the colours over it, in its own size.
  public var overlaid: Image {
    var picture = image.rgb()
    for (pixel, label) in labels.enumerated() where classes.indices.contains(label) {
      picture[rgb: pixel] = picture[rgb: pixel].mixed(with: classes[label].color.rgb, share: opacity)
    }
    return picture
  }

  private var grid: FigureGrid {
    let picture = overlaid.fitted(width: width)
    let present = Set(labels)
    let entries = classes.enumerated().filter { present.contains($0.offset) }.map { Legend.Entry($0.element.name, $0.element.color) }
    return FigureGrid([.init(ImageFigure(picture)), .init(Legend(entries, width: Double(max(picture.width, 120))))],
                      columns: 1, gap: 5, margin: 0)
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}
