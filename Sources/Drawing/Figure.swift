import Base
import Data
import Foundation
import Vision

/// Something to look at: a picture with its legend, a chart, a sheet of both. One description gives pixels and vectors.
///
/// ```swift
/// let plot = LinePlot(title: "End-point error", xLabel: "step", yLabel: "EPE", series: [.init(name: "validation", points: points)])
/// try plot.write(to: "curves.png")
/// try plot.write(to: "curves.svg")
/// ```
public protocol Figure: Sendable {
  /// The size in pixels, with texts set in `typeface`.
  func size(_ typeface: Typeface) -> Size

  /// Draws the figure with its upper left corner at the canvas's origin, within `size`.
  func draw(on canvas: Canvas)
}

extension Figure {
  /// The figure in pixels: RGB on white.
  /// - Parameters:
  ///   - scale: pixels of the picture for one of the figure; 2 for dense screens and print.
  ///   - typeface: the font of its texts.
  /// - Throws: `.cannotCreate` if a side has more than 32767 pixels, or without memory.
  public func image(scale: Int = 1, typeface: Typeface = Typeface()) throws -> Image {
    let canvas = try Canvas(size: size(typeface), scale: scale, typeface: typeface)
    draw(on: canvas)
    return try canvas.image()
  }

  /// The figure as an SVG file: outlines, images inside, no dates. The same figure gives the same bytes.
  /// - Throws: as `image`.
  public func svg(typeface: Typeface = Typeface()) throws -> [UInt8] {
    let canvas = try Canvas(vectorsOf: size(typeface), typeface: typeface)
    draw(on: canvas)
    return try canvas.svg()
  }

  /// The figure as an element of a page.
  /// - Parameters:
  ///   - prefix: of the names of its parts, another one for each figure of the page.
  ///   - description: for those who do not see it, as the value of an attribute.
  func inlineSVG(names prefix: String, description: String) throws -> String {
    let typeface = Typeface()
    let canvas = try Canvas(vectorsOf: size(typeface), typeface: typeface)
    draw(on: canvas)
    let file = String(decoding: try canvas.svg(names: prefix), as: UTF8.self)
    guard let start = file.range(of: "<svg ") else { throw Failure(.cannotCreate, at: "picture", "Cairo wrote no SVG") }
    return "<svg role=\"img\" aria-label=\"\(description)\" " + file[start.upperBound...].trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Writes the figure in the format of the path's extension: `.svg`, or one of those of `Image.write`.
  /// - Throws: as `image`, and the failures of writing.
  public func write(to path: String) throws {
    if Path.fileExtension(path) == "svg" { return try AtomicFile.write(svg(), to: path) }
    try image().write(to: path)
  }

  /// Writes `STEM.svg` and `STEM.png`.
  /// - Throws: as `write(to:)`.
  public func writeBothForms(to stem: String) throws {
    for form in ["svg", "png"] { try write(to: "\(stem).\(form)") }
  }
}
