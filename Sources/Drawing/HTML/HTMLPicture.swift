import Base
import Data
import Foundation
import Vision

/// A picture inside a page, with its words.
public struct HTMLPicture: Sendable {
  /// The file: PNG or JPEG.
  let bytes: [UInt8]
  let type: String
  /// In pixels; nil: as the file says.
  let width: Int?
  let height: Int?
  public var caption: HTML
  /// Whether it keeps its size on a narrow screen and scrolls there: pictures with texts in them.
  public var keepsSize = false

  /// Pixels, stored without loss.
  public init(png image: Image, _ caption: HTML) {
    self.init(PNG.encode(image), "image/png", image, caption)
  }

  /// Pixels of a photograph, stored small.
  public init(jpeg image: Image, quality: Int = 85, _ caption: HTML) {
    self.init(JPEG.encode(image, quality: quality), "image/jpeg", image, caption)
  }

  /// A PNG or JPEG file as it is.
  /// - Throws: `.badData` if it is of another kind, and the failures of reading.
  public init(file path: String, _ caption: HTML) throws {
    let bytes = try File.bytes(at: path)
    let isPNG = bytes.starts(with: [0x89, 0x50, 0x4E, 0x47])
    guard isPNG || bytes.starts(with: [0xFF, 0xD8, 0xFF]) else {
      throw Failure(.badData, at: path, "neither PNG nor JPEG, so it cannot stand in a page")
    }
    self.init(bytes, isPNG ? "image/png" : "image/jpeg", nil, caption)
  }

  /// A picture file for a look at it: one of many bytes is stored anew as a JPEG, no wider than `width` pixels.
  /// - Throws: `.badData` if it is damaged or of another kind, and the failures of reading.
  public init(file path: String, atMost width: Int, _ caption: HTML) throws {
    let file = try HTMLPicture(file: path, caption)
    let image = try Image(contentsOf: path)  // damage must show here, not in the browser
    guard file.bytes.count > Self.mostBytes || image.width > width else {
      self = file
      return
    }
    self.init(jpeg: image.width > width ? image.fitted(width: width) : image, caption)
  }

  private static let mostBytes = 400_000

  private init(_ bytes: [UInt8], _ type: String, _ image: Image?, _ caption: HTML) {
    self.bytes = bytes
    self.type = type
    width = image?.width
    height = image?.height
    self.caption = caption
  }

  /// - Parameter description: for those who do not see it.
  func html(_ description: String) -> HTML {
    let source = "data:\(type);base64,\(Foundation.Data(bytes).base64EncodedString())"
    let size = zip([width, height], ["width", "height"]).map { number, name in number.map { " \(name)=\"\($0)\"" } ?? "" }.joined()
    // Written out rather than as an attribute of an element: escaping millions of letters that need none takes seconds.
    let image = HTML.trusted("<img alt=\"\(HTML.escaped(description))\"\(size) src=\"\(source)\"/>")
    let words = caption == .empty ? HTML.empty : HTML.element("figcaption", [:], caption)
    return .element("figure", ["class": keepsSize ? "picture sheet" : "picture"], image + words)
  }
}
