import Base
import Vision

/// A panoptic map over its picture: every segment in a colour with its outline and its name, and the categories below.
///
/// Things of one category have shades of its colour in turn, so that neighbours differ; void pixels show the picture.
public struct PanopticPicture: Figure {
  public struct Category: Sendable {
    public var id: Int
    public var name: String

    public init(id: Int, name: String) {
      self.id = id
      self.name = name
    }
  }

  public var image: Image
  public var map: PanopticMap
  public var segments: [PanopticSegment]
  /// In the order of their colours.
  public var categories: [Category]
  /// Opacity of the colours, 0...1.
  public var opacity = 0.55
  /// The picture's width on the sheet.
  public var width: Int

  /// - Precondition: the map has the size of the image.
  public init(_ image: Image, map: PanopticMap, segments: [PanopticSegment], categories: [Category], width: Int? = nil) {
    require(map.height == image.height && map.width == image.width,
            "PanopticPicture: a map of \(map.height)x\(map.width) over a picture of \(image.height)x\(image.width)")
    self.image = image
    self.map = map
    self.segments = segments
    self.categories = categories
    self.width = width ?? image.width
  }

  private var overlay: Overlay { Overlay(self) }

  private func sheet(_ overlay: Overlay) -> FigureGrid {
    let present = Set(segments.map(\.category))
    let entries = categories.enumerated().filter { present.contains($0.element.id) }
      .map { Legend.Entry($0.element.name, Palette.color($0.offset)) }
    return FigureGrid([.init(overlay), .init(Legend(entries, width: Double(max(width, 120))))], columns: 1, gap: 5, margin: 0)
  }

  public func size(_ typeface: Typeface) -> Size { sheet(overlay).size(typeface) }

  public func draw(on canvas: Canvas) { sheet(overlay).draw(on: canvas) }
}

/// The picture without its legend.
private struct Overlay: Figure {
  private let picture: AnnotatedPicture
  /// Names with the middle of their segments, in pixels of the image.
  private let names: [(name: String, at: Point, room: Double)]
  private let zoom: Point

  init(_ figure: PanopticPicture) {
    let index = Dictionary(figure.categories.enumerated().map { ($0.element.id, $0.offset) }) { first, _ in first }
    var counts: [Int: Int] = [:]
    var masks: [ColoredMask] = []
    var names: [(String, Point, Double)] = []
    for segment in figure.segments {
      guard let category = index[segment.category] else { continue }
      let number = counts[category, default: 0]
      counts[category] = number + 1
      let mask = figure.map.mask(of: segment.id)
      let shade = Palette.color(category).rgb.mixed(with: number % 2 == 0 ? .white : .black, share: [0, 0.3, 0.5, 0.45][number % 4])
      masks.append(ColoredMask(mask, color: Color(shade), opacity: figure.opacity))
      if let middle = Self.middle(of: mask) { names.append((figure.categories[category].name, middle.at, middle.room)) }
    }
    picture = AnnotatedPicture(figure.image, masks: masks, width: figure.width)
    self.names = names
    zoom = Point(repeating: Double(figure.width) / Double(max(1, figure.image.width)))
  }

  /// The pixel of a mask that is farthest from its edge, and that distance (in steps to a neighbour), in pixels.
  private static func middle(of mask: RunLengthMask) -> (at: Point, room: Double)? {
    let (height, width) = (mask.height, mask.width)
    var depths = mask.flags.map { $0 ? Int32.max - 1 : 0 }
    func depth(_ y: Int, _ x: Int) -> Int32 { (0..<height).contains(y) && (0..<width).contains(x) ? depths[y * width + x] : 0 }
    for y in 0..<height {
      for x in 0..<width where depths[y * width + x] > 0 { depths[y * width + x] = min(depth(y - 1, x), depth(y, x - 1)) + 1 }
    }
    var best: (pixel: Int, depth: Int32) = (0, 0)
    for pixel in depths.indices.reversed() where depths[pixel] > 0 {
      let (y, x) = pixel.quotientAndRemainder(dividingBy: width)
      depths[pixel] = min(depths[pixel], min(depth(y + 1, x), depth(y, x + 1)) + 1)
      if depths[pixel] > best.depth { best = (pixel, depths[pixel]) }
    }
    guard best.depth > 0 else { return nil }
    return (Point(Double(best.pixel % width) + 0.5, Double(best.pixel / width) + 0.5), Double(best.depth))
  }

  func size(_ typeface: Typeface) -> Size { picture.size(typeface) }

  func draw(on canvas: Canvas) {
    picture.draw(on: canvas)
    let style = TextStyle(size: 12)
    let bounds = picture.size(canvas.typeface)
    var taken: [Rectangle] = []
    for (name, at, room) in names where room * zoom.x > 7 {
      let width = canvas.typeface.width(of: name, style) + 8
      guard width < bounds.width else { continue }
      let left = min(max(0, at.x * zoom.x - width / 2), bounds.width - width)
      let top = min(max(0, at.y * zoom.y - style.lineHeight / 2), bounds.height - style.lineHeight)
      let chip = Rectangle(left: left, top: top, width: width, height: style.lineHeight)
      guard !taken.contains(where: { $0.overlaps(chip) }) else { continue }
      taken.append(chip)
      canvas.fill(chip, Color(.black, opacity: 0.6))
      canvas.text(name, at: Point(chip.left + 4, chip.top), TextStyle(size: 12, color: .white))
    }
  }
}
