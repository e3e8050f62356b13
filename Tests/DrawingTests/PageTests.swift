import Drawing
import Foundation
import FoundationXML
import Testing
import Vision

@Suite struct PageTests {
  private static let hostile = "<script>alert(1)</script>\" onload=\"x&y\u{202E}\u{0}\n'"

  /// A page with every part, each of whose texts is hostile.
  private func page() throws -> HTMLPage {
    let name = Self.hostile
    let text = HTML(name)
    var page = HTMLPage(title: name, subtitle: text)
    page.highlights([(text, text)])
    try page.section(name) { page in
      page.paragraph(text + .strong(name) + .code(name) + .note(name) + .badge(name, .good))
      page.list([text])
      page.warning(text)
      page.table(HTMLTable([.text(text), .number(text)], rows: [.init([text, text], isMarked: true)]))
      page.definitions([(text, text)])
      try page.foldable(text) { page in
        page.preformatted(name)
        try page.section(name) { try $0.chart(Self.bars(name)) }
      }
    }
    try page.section(name) { page in
      let image = Image(height: 2, width: 3, channels: 3)
      page.pictures([HTMLPicture(png: image, text), HTMLPicture(jpeg: image, .empty)], name)
      try page.charts([LinePlot(title: name, xLabel: name, yLabel: name), Self.bars(name)])
    }
    return page
  }

  private static func bars(_ name: String) -> BarPlot { BarPlot(title: name, label: name, bars: [.init(name, 2, error: 1)]) }

  /// The elements of a page with their attributes, read by an XML parser, and the texts between them.
  private func parsed(_ html: String) -> Elements {
    let elements = Elements()
    let parser = XMLParser(data: Data(html.utf8))
    parser.delegate = elements
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "") in line \(parser.lineNumber)")
    return elements
  }

  private final class Elements: NSObject, XMLParserDelegate {
    var all: [(name: String, attributes: [String: String])] = []
    var text = ""

    func parser(_: XMLParser, didStartElement name: String, namespaceURI _: String?, qualifiedName _: String?,
                attributes: [String: String]) { all.append((name, attributes)) }

    func parser(_: XMLParser, foundCharacters string: String) { text += string }

    func values(of attribute: String) -> [String] { all.compactMap { $0.attributes[attribute] } }
  }

  @Test("A page of hostile texts is well formed and holds them as texts only")
  func escapes() throws {
    let elements = parsed(try page().html)
    #expect(!elements.all.contains { $0.name == "script" || $0.attributes.keys.contains { $0.hasPrefix("on") } })
    #expect(elements.text.contains("<script>alert(1)</script>"))
    #expect(!elements.text.contains("\u{202E}") && elements.text.contains("\\u{202E}"))
  }

  @Test("Names of parts are unique, and every reference leads to one")
  func names() throws {
    let elements = parsed(try page().html)
    let ids = elements.values(of: "id")
    #expect(Set(ids).count == ids.count)
    let references = elements.values(of: "xlink:href") + elements.all.filter { $0.name == "a" }.compactMap { $0.attributes["href"] }
    #expect(references.count > 20)
    #expect(references.allSatisfy { $0.hasPrefix("#") && ids.contains(String($0.dropFirst())) })
  }

  @Test("Nothing of a page leads to another file or server")
  func isSelfContained() throws {
    let html = try page().html
    let elements = parsed(html)
    for attribute in ["src", "href", "xlink:href", "data", "srcset", "action", "poster"] {
      #expect(elements.values(of: attribute).allSatisfy { $0.hasPrefix("#") || $0.hasPrefix("data:") }, "\(attribute)")
    }
    #expect(!html.contains("url(http") && !html.contains("@import"))
    #expect(elements.values(of: "content").contains { $0.hasPrefix("default-src 'none'") })
  }

  @Test("The same page gives the same bytes")
  func isStable() throws { #expect(try page().html == page().html) }

  @Test("A chart is drawn for wide and for narrow screens, its title above it in full")
  func chartWidths() throws {
    var page = HTMLPage(title: "p")
    let title = "A title that is far too long for a screen of three hundred and fifty pixels, as titles of experiments may be"
    try page.chart(BarPlot(title: title, label: "EPE", bars: [.init("a", 1)]))
    let elements = parsed(page.html)
    #expect(elements.all.filter { $0.name == "svg" }.compactMap { $0.attributes["width"] } == ["640px", "350px"])
    #expect(elements.values(of: "style").contains("width: 640px"), "its words take no more room than it does")
    #expect(elements.text.contains(title))
  }

  @Test("A picture that no browser shows is refused")
  func unknownPicture() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID()).png").path
    try Data("P6 nothing".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect { _ = try HTMLPicture(file: path, .empty) } throws: { "\($0)".contains("neither PNG nor JPEG") }
  }
}
