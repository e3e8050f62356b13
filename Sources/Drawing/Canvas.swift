import Base
import CCairo
import Vision

/// A white sheet of so many pixels, drawn upon through Cairo: pixels or SVG from the same calls.
///
/// A `Figure` draws on the canvas it is given; `Figure.image` and `Figure.svg` make and finish one. Everything is clipped at the border.
/// Belongs to one thread.
public final class Canvas {
  public let size: Size
  public let typeface: Typeface
  let context: OpaquePointer
  private let surface: OpaquePointer
  /// The file as Cairo writes it; nil on a canvas of pixels.
  private let sink: SVGSink?
  /// The texts drawn so far with their positions, for the searchable layer of an SVG file.
  private(set) var texts: [SVGDocument.Text] = []

  /// The largest side that Cairo can draw, in pixels.
  static let largestSide = 32_767

  /// A canvas of pixels.
  /// - Parameter scale: pixels of the picture for one of the canvas.
  /// - Throws: `.cannotCreate` if a side is not in 1...32767 pixels, or without memory.
  convenience init(size: Size, scale: Int, typeface: Typeface) throws {
    let (width, height) = try Self.pixels(size, scale: scale)
    let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height)
    try self.init(size: size, typeface: typeface, surface: surface, scale: scale, sink: nil)
  }

  /// A canvas of vectors.
  /// - Throws: as the other initialiser.
  convenience init(vectorsOf size: Size, typeface: Typeface) throws {
    let (width, height) = try Self.pixels(size, scale: 1)
    let sink = SVGSink()
    let context = Unmanaged.passUnretained(sink).toOpaque()
    let surface = cairo_svg_surface_create_for_stream(SVGSink.append, context, Double(width), Double(height))
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX)
    try self.init(size: size, typeface: typeface, surface: surface, scale: 1, sink: sink)
  }

  private init(size: Size, typeface: Typeface, surface: OpaquePointer?, scale: Int, sink: SVGSink?) throws {
    guard let surface, let context = cairo_create(surface) else {
      throw Failure(.cannotCreate, at: "picture", "no memory for \(size.width) x \(size.height) pixels")
    }
    self.size = size
    self.typeface = typeface
    self.surface = surface
    self.context = context
    self.sink = sink
    try check()
    cairo_scale(context, Double(scale), Double(scale))
    fill(Rectangle(left: 0, top: 0, width: size.width, height: size.height), .white)
  }

  deinit {
    cairo_destroy(context)
    cairo_surface_destroy(surface)
  }

  private static func pixels(_ size: Size, scale: Int) throws -> (width: Int32, height: Int32) {
    let width = size.width.rounded(.up) * Double(scale)
    let height = size.height.rounded(.up) * Double(scale)
    guard width >= 1, height >= 1, width <= Double(largestSide), height <= Double(largestSide) else {
      throw Failure(.cannotCreate, at: "picture", "\(size.width) x \(size.height) pixels, expected 1 to \(largestSide) on each side",
                    remedy: "Draw fewer or smaller parts on one sheet.")
    }
    return (Int32(width), Int32(height))
  }

  /// - Throws: `.cannotCreate` with Cairo's message if a call since the beginning has failed.
  private func check() throws {
    for status in [cairo_status(context), cairo_surface_status(surface)] where status != CAIRO_STATUS_SUCCESS {
      throw Failure(.cannotCreate, at: "picture", "Cairo cannot draw it: \(String(cString: cairo_status_to_string(status)))")
    }
  }

  /// The finished picture: RGB.
  func image() throws -> Image {
    cairo_surface_flush(surface)
    try check()
    let width = Int(cairo_image_surface_get_width(surface))
    let height = Int(cairo_image_surface_get_height(surface))
    let stride = Int(cairo_image_surface_get_stride(surface))
    guard let data = cairo_image_surface_get_data(surface) else {
      throw Failure(.cannotCreate, at: "picture", "Cairo has no pixels of it")
    }
    var image = Image(height: height, width: width, channels: 3)
    image.pixels.withUnsafeMutableBufferPointer { pixels in
      for y in 0..<height {
        UnsafeRawPointer(data + y * stride).withMemoryRebound(to: UInt32.self, capacity: width) { row in
          for x in 0..<width {
            let at = 3 * (y * width + x)
            pixels[at] = UInt8(truncatingIfNeeded: row[x] >> 16)
            pixels[at + 1] = UInt8(truncatingIfNeeded: row[x] >> 8)
            pixels[at + 2] = UInt8(truncatingIfNeeded: row[x])
          }
        }
      }
    }
    return image
  }

  /// The finished file: the same bytes whenever the same is drawn.
  /// - Parameter prefix: of the names of its parts.
  func svg(names prefix: String = "") throws -> [UInt8] {
    cairo_surface_finish(surface)
    try check()
    return SVGDocument(cairo: sink?.bytes ?? [], texts: texts, names: prefix).bytes
  }

  /// Keeps the state of the context for the time of `body`.
  private func preserving(_ body: () -> Void) {
    cairo_save(context)
    body()
    cairo_restore(context)
  }

  /// Draws with the origin moved to `point`.
  public func translated(to point: Point, _ body: () -> Void) {
    preserving {
      cairo_translate(context, point.x, point.y)
      body()
    }
  }

  /// Draws what falls within a rectangle.
  public func clipped(to rectangle: Rectangle, _ body: () -> Void) {
    preserving {
      path(rectangle)
      cairo_clip(context)
      body()
    }
  }

  /// A whole figure, its upper left corner at `point`.
  public func draw(_ figure: some Figure, at point: Point) { translated(to: point) { figure.draw(on: self) } }

  func setSource(_ color: Color) {
    cairo_set_source_rgba(context, Double(color.rgb.x) / 255, Double(color.rgb.y) / 255, Double(color.rgb.z) / 255, color.opacity)
  }

  func path(_ rectangle: Rectangle) { cairo_rectangle(context, rectangle.left, rectangle.top, rectangle.width, rectangle.height) }

  func remember(_ text: String, at point: Point, _ style: TextStyle) {
    guard sink != nil else { return }
    var x = point.x
    var y = point.y
    cairo_user_to_device(context, &x, &y)
    texts.append(SVGDocument.Text(text: text, x: x, y: y, style: style))
  }
}
