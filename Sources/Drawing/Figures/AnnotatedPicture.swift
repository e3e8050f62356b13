import Vision

/// A box on a picture, in pixels of that picture.
public struct LabeledBox: Sendable {
  public var rectangle: Rectangle
  /// Class, score, track; empty: no text.
  public var label: String
  public var color: Color
  /// Dashed boxes are the truth beside the estimate.
  public var isDashed: Bool

  public init(_ rectangle: Rectangle, label: String = "", color: Color, isDashed: Bool = false) {
    self.rectangle = rectangle
    self.label = label
    self.color = color
    self.isDashed = isDashed
  }
}

/// The pixels of an object on a picture of the same size.
public struct ColoredMask: Sendable {
  public var mask: RunLengthMask
  public var color: Color
  /// Opacity of the colour within the mask, 0...1; its outline is opaque.
  public var opacity: Double

  public init(_ mask: RunLengthMask, color: Color, opacity: Double = 0.45) {
    self.mask = mask
    self.color = color
    self.opacity = opacity
  }
}

/// Joints of one body on a picture, and the limbs between them.
public struct PicturedSkeleton: Sendable {
  /// A line between the joints of these two indices.
  public struct Limb: Sendable {
    public var from: Int
    public var to: Int
    public var color: Color

    public init(_ from: Int, _ to: Int, _ color: Color) {
      self.from = from
      self.to = to
      self.color = color
    }
  }

  /// In pixels of the picture; nil: not seen, and neither are its limbs.
  public var joints: [Point?]
  public var limbs: [Limb]

  public init(joints: [Point?], limbs: [Limb]) {
    self.joints = joints
    self.limbs = limbs
  }
}

/// A line through points of a picture.
public struct ColoredPath: Sendable {
  /// In pixels of the picture.
  public var points: [Point]
  public var color: Color

  public init(_ points: [Point], color: Color) {
    self.points = points
    self.color = color
  }
}

/// A picture with masks, lines, boxes and skeletons over it.
public struct AnnotatedPicture: Figure {
  public var image: Image
  public var masks: [ColoredMask]
  public var boxes: [LabeledBox]
  public var skeletons: [PicturedSkeleton]
  public var paths: [ColoredPath] = []
  /// The picture's width on the sheet, to which it and what is drawn on it are shrunk or enlarged.
  public var width: Int

  public init(
    _ image: Image, masks: [ColoredMask] = [], boxes: [LabeledBox] = [], skeletons: [PicturedSkeleton] = [], width: Int? = nil
  ) {
    self.image = image
    self.masks = masks
    self.boxes = boxes
    self.skeletons = skeletons
    self.width = width ?? image.width
  }

  public func size(_ typeface: Typeface) -> Size {
    let picture = image.fitted(width: width)
    return Size(width: Double(picture.width), height: Double(picture.height))
  }

  public func draw(on canvas: Canvas) {
    let picture = image.fitted(width: width)
    let bounds = Rectangle(left: 0, top: 0, width: Double(picture.width), height: Double(picture.height))
    let zoom = Point(bounds.width / Double(max(1, image.width)), bounds.height / Double(max(1, image.height)))
    canvas.image(picture, at: Point(0, 0))
    canvas.clipped(to: bounds) {
      for mask in masks { draw(mask, zoom, on: canvas) }
      for path in paths { canvas.polyline(path.points.map { $0 * zoom }, Stroke(path.color, width: 2)) }
      for box in boxes { outline(box, zoom, on: canvas) }
      for skeleton in skeletons { draw(skeleton, zoom, on: canvas) }
      drawLabels(bounds, zoom, on: canvas)
    }
  }

  private func scaled(_ rectangle: Rectangle, _ zoom: Point) -> Rectangle {
    Rectangle(left: rectangle.left * zoom.x, top: rectangle.top * zoom.y,
              width: rectangle.width * zoom.x, height: rectangle.height * zoom.y)
  }

  /// The box in its colour within a thin dark border, so that it is seen on any picture.
  private func outline(_ box: LabeledBox, _ zoom: Point, on canvas: Canvas) {
    let rectangle = scaled(box.rectangle, zoom)
    canvas.outline(rectangle, Stroke(Color(.black, opacity: 0.5), width: 4))
    canvas.outline(rectangle, Stroke(box.color, width: 2, dash: box.isDashed ? [6, 4] : []))
  }

  private func draw(_ mask: ColoredMask, _ zoom: Point, on canvas: Canvas) {
    for polygon in mask.mask.polygons {
      let corners = stride(from: 0, to: polygon.count, by: 2).map { Point(polygon[$0], polygon[$0 + 1]) * zoom }
      canvas.polygon(corners, Color(mask.color.rgb, opacity: mask.opacity))
    }
    for outline in mask.mask.outlines {
      canvas.polyline((outline + outline.prefix(1)).map { $0 * zoom }, Stroke(mask.color, width: 1.5))
    }
  }

  private func draw(_ skeleton: PicturedSkeleton, _ zoom: Point, on canvas: Canvas) {
    func joint(_ index: Int) -> Point? { skeleton.joints.indices.contains(index) ? skeleton.joints[index].map { $0 * zoom } : nil }
    for isBorder in [true, false] {
      for limb in skeleton.limbs {
        guard let from = joint(limb.from), let to = joint(limb.to) else { continue }
        canvas.line(from: from, to: to, isBorder ? Stroke(Color(.black, opacity: 0.5), width: 5) : Stroke(limb.color, width: 3))
      }
    }
    for case let point? in skeleton.joints {
      canvas.circle(center: point * zoom, radius: 3, fill: .white, stroke: Stroke(.ink, width: 1.2))
    }
  }

  /// Labels above their boxes, or below or inside where there is no room or another label stands.
  private func drawLabels(_ bounds: Rectangle, _ zoom: Point, on canvas: Canvas) {
    let style = TextStyle(size: 12)
    let height = style.lineHeight + 1
    var taken: [Rectangle] = []
    for box in boxes where !box.label.isEmpty {
      let rectangle = scaled(box.rectangle, zoom)
      let textWidth = min(canvas.typeface.width(of: box.label, style), bounds.width - 8)
      let width = textWidth + 8
      let left = min(max(0, rectangle.left - 1), bounds.width - width)
      let places = [rectangle.top - height, rectangle.top, rectangle.bottom, rectangle.bottom - height]
        .map { Rectangle(left: left, top: min(max(0, $0), bounds.height - height), width: width, height: height) }
      let chip = places.first { place in !taken.contains { $0.overlaps(place) } } ?? places[0]
      taken.append(chip)
      canvas.fill(chip, box.color)
      canvas.text(box.label, at: Point(chip.left + 4, chip.top), TextStyle(size: 12, color: box.color.readableInk), limit: textWidth + 0.5)
    }
  }
}
