import Base
import Drawing
import Foundation
import FoundationXML
import Testing
import Vision

/// A figure as pixels and as the elements of its SVG file, to be asked what stands where.
struct RenderedFigure {
  /// One line of text: what, and the box that its letters stand in.
  struct Text {
    let text: String
    let box: Rectangle
  }

  let image: Image
  let svg: [UInt8]
  let texts: [Text]
  let size: Size

  init(_ figure: some Figure) throws {
    let typeface = Typeface()
    size = figure.size(typeface)
    image = try figure.image(typeface: typeface)
    svg = try figure.svg(typeface: typeface)
    let reader = TextReader()
    let parser = XMLParser(data: Foundation.Data(svg))
    parser.delegate = reader
    let isWellFormed = parser.parse()
    #expect(isWellFormed, "the SVG file is XML: \(String(describing: parser.parserError))")
    texts = reader.found.map { found in
      let style = TextStyle(size: found.size, weight: found.isBold ? .bold : .regular)
      // Capitals stand 0.73 of the size above the base line, descenders 0.24 below.
      return Text(text: found.text, box: Rectangle(left: found.x, top: found.y - 0.75 * found.size,
                                                   width: typeface.width(of: found.text, style), height: found.size))
    }
  }

  /// The places of a text that contains `part`.
  func boxes(of part: String) -> [Rectangle] { texts.filter { $0.text.contains(part) }.map(\.box) }

  func pixel(_ x: Int, _ y: Int) -> RGB { image[rgb: y * image.width + x] }

  /// How many pixels of a rectangle are of this colour, exactly.
  func count(_ color: RGB, in rectangle: Rectangle? = nil) -> Int { pixels(in: rectangle).count { image[rgb: $0] == color } }

  /// How many pixels of a rectangle are darker than a middle grey.
  func darkCount(in rectangle: Rectangle) -> Int { pixels(in: rectangle).count { Color(image[rgb: $0]).luminance < 0.3 } }

  private func pixels(in rectangle: Rectangle?) -> [Int] {
    let box = rectangle ?? Rectangle(left: 0, top: 0, width: size.width, height: size.height)
    let rows = max(0, Int(box.top))..<min(image.height, Int(box.bottom.rounded(.up)))
    let columns = max(0, Int(box.left))..<min(image.width, Int(box.right.rounded(.up)))
    return rows.flatMap { y in columns.map { y * image.width + $0 } }
  }

  /// What must hold for every figure: its texts lie on the canvas, apart from each other, and are really there in ink.
  func checkTexts(mayOverlap: Bool = false, _ name: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
    for (index, text) in texts.enumerated() {
      #expect(text.box.left >= -0.5 && text.box.right <= size.width + 0.5 && text.box.top >= 0 && text.box.bottom <= size.height + 0.5,
              "\(name): '\(text.text)' at \(text.box) lies on the canvas of \(size)", sourceLocation: sourceLocation)
      guard !mayOverlap else { continue }
      #expect(darkCount(in: text.box) > 0, "\(name): '\(text.text)' is drawn at \(text.box)", sourceLocation: sourceLocation)
      for other in texts[(index + 1)...] {
        #expect(!text.box.overlaps(other.box), "\(name): '\(text.text)' and '\(other.text)' overlap", sourceLocation: sourceLocation)
      }
    }
  }
}

/// Collects the `text` elements of an SVG file.
private final class TextReader: NSObject, XMLParserDelegate {
  struct Found {
    var text = ""
    var x = 0.0
    var y = 0.0
    var size = 0.0
    var isBold = false
  }

  var found: [Found] = []
  private var isInside = false

  func parser(_ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
              attributes: [String: String]) {
    guard name == "text" else { return }
    isInside = true
    func number(_ key: String) -> Double { attributes[key].flatMap(Double.init) ?? .nan }
    found.append(Found(x: number("x"), y: number("y"), size: number("font-size"), isBold: attributes["font-weight"] == "bold"))
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    if isInside { found[found.count - 1].text += text }
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    if name == "text" { isInside = false }
  }
}
