import Base
import Vision

/// Attention maps over their picture, one for each chosen query: where a detection, or a point, looked.
public struct AttentionFigure: Figure {
  public struct Map: Sendable {
    /// The query: its number, what it found.
    public var caption: String
    /// `height · width` weights, row-major, of the feature map's cells.
    public var weights: [Float]
    public var height: Int
    public var width: Int
    /// What the query found, in pixels of the picture.
    public var object: PicturedObject?
    /// The point whose attention this is (of an encoder), in pixels of the picture.
    public var point: Point?

    /// - Precondition: `weights.count == height · width`.
    public init(_ caption: String, weights: [Float], height: Int, width: Int, object: PicturedObject? = nil, point: Point? = nil) {
      require(weights.count == height * width, "AttentionFigure: \(weights.count) weights for \(height)x\(width) cells")
      self.caption = caption
      self.weights = weights
      self.height = height
      self.width = width
      self.object = object
      self.point = point
    }
  }

  public var image: Image
  public var maps: [Map]
  public var title: String
  /// The width of the whole in pixels.
  public var width: Int

  public init(_ image: Image, maps: [Map], title: String = "", width: Int = 1000) {
    self.image = image
    self.maps = maps
    self.title = title
    self.width = width
  }

  private var grid: FigureGrid {
    let columns = max(1, min(maps.count, max(1, (width - 10) / 185)))
    let own = max(60, (width - 10 * (columns + 1)) / columns)
    let cells = maps.map { map in
      FigureGrid.Cell(map.caption, note: note(map), AttentionPanel(image: image, map: map, width: own))
    }
    var grid = FigureGrid(cells, columns: columns, title: title)
    grid.captionWidth = Double(own)
    return grid
  }

  /// The largest weight beside that of even attention.
  private func note(_ map: Map) -> String {
    guard let largest = map.weights.max(), largest.isFinite else { return "no weights" }
    let sum = map.weights.reduce(0, +)
    let factor = sum > 0 ? Double(largest / sum) * Double(map.weights.count) : 0
    return "peak \(Int(factor.rounded())) times the mean"
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}

/// One map over the picture; its own largest weight has the last colour.
private struct AttentionPanel: Figure {
  let image: Image
  let map: AttentionFigure.Map
  let width: Int

  private var overlay: Image {
    let picture = image.rgb().fitted(width: width)
    let rows = ResamplingAxis(resizing: map.height, by: Double(picture.height) / Double(map.height))
    let columns = ResamplingAxis(resizing: map.width, by: Double(picture.width) / Double(map.width))
    let values = BilinearGrid(rows: rows, columns: columns, sourceWidth: map.width, channels: 1).values(of: map.weights) { $0 }
    let largest = map.weights.filter(\.isFinite).max() ?? 0
    // A dim grey picture lets the colours stand out.
    var dim = picture
    for pixel in 0..<picture.height * picture.width {
      let grey = UInt8((0.6 * Double(picture.grey(pixel))).rounded())
      dim[rgb: pixel] = picture[rgb: pixel].mixed(with: RGB(grey, grey, grey), share: 0.6)
    }
    return Heatmap(values, height: picture.height, width: picture.width, label: "", range: 0...max(largest, 1e-30), over: dim).colors
  }

  func size(_ typeface: Typeface) -> Size {
    let picture = image.fitted(width: width)
    return Size(width: Double(picture.width), height: Double(picture.height))
  }

  func draw(on canvas: Canvas) {
    let zoom = Double(width) / Double(max(1, image.width))
    var picture = AnnotatedPicture(overlay)
    if let object = map.object {
      let box = object.box
      let place = Rectangle(left: box.x * zoom, top: box.y * zoom, width: box.width * zoom, height: box.height * zoom)
      picture.boxes = [LabeledBox(place, label: object.label, color: Palette.color(object.category))]
    }
    picture.draw(on: canvas)
    if let point = map.point {
      canvas.circle(center: point * zoom, radius: 4, fill: .white, stroke: Stroke(.ink, width: 1.5))
    }
  }
}

extension Image {
  /// The luma of a pixel, 0...255.
  fileprivate func grey(_ pixel: Int) -> Float {
    let color = SIMD3<Float>(self[rgb: pixel])
    return 0.299 * color.x + 0.587 * color.y + 0.114 * color.z
  }
}
