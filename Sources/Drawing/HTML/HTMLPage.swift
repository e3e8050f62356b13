import Base

/// A page in one file: its style and pictures inside, no scripts, no request to anywhere; for light and dark screens from 400 pixels on.
///
/// ```swift
/// var page = HTMLPage(title: "raft/demo")
/// page.section("Metrics") { page in
///   page.table(table)
///   try page.chart(plot)
///   try page.foldable("Config") { $0.preformatted(yaml) }
/// }
/// try page.write(to: "report.html")
/// ```
/// The same calls give the same bytes. Every text is escaped.
public struct HTMLPage: Sendable {
  /// The heading of the page and the name of its tab.
  public let title: String
  /// A line below the heading.
  public var subtitle: HTML
  private var body = ""
  /// The sections for the line of links above them.
  private var links: [(title: String, id: String)] = []
  private var depth = 0
  private var chartCount = 0
  private var ids: Set<String> = []

  public init(title: String, subtitle: HTML = .empty) {
    self.title = title
    self.subtitle = subtitle
  }

  // MARK: Parts

  public mutating func add(_ html: HTML) { body += html.markup + "\n" }

  /// A heading with what belongs to it. Those of the first level are linked to from the top of the page.
  /// - Parameter content: adds to the page it is given.
  /// - Returns: the section's name for links to it.
  @discardableResult
  public mutating func section(_ title: String, _ content: (inout HTMLPage) throws -> Void) rethrows -> String {
    let id = identifier(for: title)
    if depth == 0 { links.append((title, id)) }
    depth += 1
    body += HTML.opening("section", ["id": id]) + "\n"
    add(depth == 1 ? .element("h2", [:], HTML(title)) : .element("h3", [:], HTML(title)))
    try content(&self)
    body += HTML.closing("section") + "\n"
    depth -= 1
    return id
  }

  /// Content that shows when its heading is opened.
  public mutating func foldable(_ title: HTML, isOpen: Bool = false, _ content: (inout HTMLPage) throws -> Void) rethrows {
    body += HTML.opening("details", isOpen ? ["open": "open"] : [:]) + HTML.element("summary", [:], title).markup + "\n"
    try content(&self)
    body += HTML.closing("details") + "\n"
  }

  public mutating func paragraph(_ content: HTML) { add(.element("p", [:], content)) }

  public mutating func list(_ items: [HTML]) {
    guard !items.isEmpty else { return }
    add(.element("ul", [:], items.map { .element("li", [:], $0) }.joined()))
  }

  public mutating func table(_ table: HTMLTable) { add(table.html) }

  /// Terms with what is to be said about them.
  public mutating func definitions(_ entries: [(term: HTML, definition: HTML)]) {
    guard !entries.isEmpty else { return }
    add(.element("dl", [:], entries.map { .element("dt", [:], $0.term) + .element("dd", [:], $0.definition) }.joined(separator: .lineEnd)))
  }

  /// The figures that matter most, large: the value and what it is.
  public mutating func highlights(_ entries: [(value: HTML, meaning: HTML)]) {
    guard !entries.isEmpty else { return }
    let boxes = entries.map { HTML.element("div", [:], .element("b", [:], $0.value) + .element("span", [:], $0.meaning)) }
    add(.element("div", ["class": "highlights"], boxes.joined(separator: .lineEnd)))
  }

  /// Text of several lines as it is: a config, a command.
  public mutating func preformatted(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let last = lines.last?.isEmpty == true ? lines.dropLast() : lines
    add(.element("pre", ["tabindex": "0"], last.map { HTML($0) }.joined(separator: .lineEnd)))
  }

  /// Something the reader must know before trusting the page.
  public mutating func warning(_ content: HTML) { add(.element("p", ["class": "notice"], content)) }

  // MARK: Pictures

  /// Pictures side by side, as many in a row as there is room for.
  /// - Parameters:
  ///   - description: for those who do not see them.
  ///   - arePaired: shrunk so far that two stand side by side on a wide screen, to be compared.
  public mutating func pictures(_ pictures: [HTMLPicture], _ description: String, arePaired: Bool = false) {
    guard !pictures.isEmpty else { return }
    let figures = pictures.map { $0.html(description) }.joined(separator: .lineEnd)
    add(.element("div", ["class": arePaired ? "pictures paired" : "pictures"], figures))
  }

  /// A chart as vectors: one drawing for wide screens and one for narrow ones, its title set above as text.
  /// - Throws: the failures of drawing.
  public mutating func chart(_ chart: some PageChart) throws { add(try drawing(chart)) }

  /// Charts side by side, as many in a row as there is room for.
  /// - Throws: the failures of drawing.
  public mutating func charts(_ charts: [any PageChart]) throws {
    guard !charts.isEmpty else { return }
    add(.element("div", ["class": "charts"], try charts.map { try drawing($0) }.joined(separator: .lineEnd)))
  }

  /// The width of the drawings for narrow screens, in pixels.
  static let narrowWidth = 350.0

  private mutating func drawing(_ chart: some PageChart) throws -> HTML {
    var chart = chart
    let title = chart.title
    chart.title = ""
    let caption = title.isEmpty ? HTML.empty : HTML.element("figcaption", [:], HTML(title))
    let style = "width: \(Int(chart.width.rounded(.up)))px"
    guard chart.width > Self.narrowWidth else {
      return .element("figure", ["class": "chart", "style": style], caption + (try vectors(chart, title)))
    }
    let wide = HTML.element("div", ["class": "wide"], try vectors(chart, title))
    chart.width = Self.narrowWidth
    let narrow = HTML.element("div", ["class": "narrow"], try vectors(chart, title))
    return .element("figure", ["class": "chart", "style": style], caption + wide + narrow)
  }

  /// Any figure as vectors, shrunk to the width of the screen where it is wider.
  /// - Throws: the failures of drawing.
  public mutating func figure(_ figure: some Figure, _ description: String) throws {
    add(.element("figure", ["class": "chart"], try vectors(figure, description)))
  }

  private mutating func vectors(_ figure: some Figure, _ description: String) throws -> HTML {
    chartCount += 1
    return .trusted(try figure.inlineSVG(names: "c\(chartCount)-", description: HTML.escaped(description)))
  }

  // MARK: The file

  /// Letters, digits and hyphens of a title, once in the page.
  private mutating func identifier(for title: String) -> String {
    let words = title.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    let name = "s-" + words.joined(separator: "-")
    var id = name
    var number = 1
    while !ids.insert(id).inserted {
      number += 1
      id = "\(name)-\(number)"
    }
    return id
  }

  /// The whole file.
  public var html: String {
    // The browser itself refuses every request then.
    let policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    let entries = links.count > 1 ? links.map { HTML.link($0.title, toSection: $0.id) } : []
    let navigation = entries.isEmpty ? HTML.empty : HTML.element("nav", [:], entries.joined(separator: .lineEnd)) + .lineEnd
    let line = subtitle == .empty ? HTML.empty : HTML.element("p", ["class": "subtitle"], subtitle) + .lineEnd
    return """
      <!DOCTYPE html>
      <html lang="en" xmlns="http://www.w3.org/1999/xhtml">
      <head>
      <meta charset="utf-8"/>
      <meta http-equiv="Content-Security-Policy" content="\(policy)"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <link rel="icon" href="data:,"/>
      <title>\(HTML.escaped(title))</title>
      <style>
      \(HTMLStyle.text)</style>
      </head>
      <body>
      <header>
      <h1>\(HTML.escaped(title))</h1>
      \(line.markup)\(navigation.markup)</header>
      <main>
      \(body)</main>
      </body>
      </html>

      """
  }

  /// - Throws: the failures of writing.
  public func write(to path: String) throws { try AtomicFile.write(html, to: path) }
}

/// A figure that can be drawn for the width of a screen.
public protocol PageChart: Figure {
  var title: String { get set }
  /// In pixels.
  var width: Double { get set }
}

extension LinePlot: PageChart {}
extension BarPlot: PageChart {}
