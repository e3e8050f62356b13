import Base

/// A piece of a page as markup. Texts become markup by escaping alone, so that no name of a file or a run can change the page.
///
/// ```swift
/// let cell: HTML = .strong("best") + " of 3, seed " + .code(seed)
/// ```
public struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// Well-formed XHTML.
  public let markup: String

  private init(markup: String) { self.markup = markup }

  /// A text on one line, escaped; control characters and marks that turn the direction of writing are spelt out.
  public init(_ text: some StringProtocol) { markup = Self.escaped(text) }

  /// A text, escaped as all others.
  public init(stringLiteral text: String) { self.init(text) }

  public static let empty = HTML(markup: "")

  /// An element with its content.
  /// - Parameters:
  ///   - name: of the element: a constant of the program, never a text from outside.
  ///   - attributes: values are escaped.
  public static func element(_ name: StaticString, _ attributes: KeyValuePairs<String, String> = [:], _ content: HTML = .empty) -> HTML {
    HTML(markup: opening(name, attributes) + content.markup + closing(name))
  }

  /// An element without content, such as an image.
  static func void(_ name: StaticString, _ attributes: KeyValuePairs<String, String>) -> HTML {
    HTML(markup: opening(name, attributes).dropLast() + "/>")
  }

  public static func strong(_ text: String) -> HTML { element("strong", [:], HTML(text)) }
  public static func code(_ text: String) -> HTML { element("code", [:], HTML(text)) }
  /// Text of less importance.
  public static func note(_ text: String) -> HTML { element("small", [:], HTML(text)) }
  /// A link to a place of the same page.
  public static func link(_ text: String, toSection id: String) -> HTML { element("a", ["href": "#" + id], HTML(text)) }
  /// A short word in a frame, such as the state of a run.
  public static func badge(_ text: String, _ tone: Tone = .plain) -> HTML {
    element("span", ["class": "badge \(tone.rawValue)"], HTML(text))
  }

  /// Markup that was made elsewhere, such as an SVG of ours.
  static func trusted(_ markup: String) -> HTML { HTML(markup: markup) }

  public static func + (a: HTML, b: HTML) -> HTML { HTML(markup: a.markup + b.markup) }

  /// What a badge or a row says by its colour, beside its words.
  public enum Tone: String, Sendable { case plain, good, warning, bad }

  static func opening(_ name: StaticString, _ attributes: KeyValuePairs<String, String> = [:]) -> String {
    "<\(name)" + attributes.map { " \($0.key)=\"\(escaped($0.value))\"" }.joined() + ">"
  }

  static func closing(_ name: StaticString) -> String { "</\(name)>" }

  /// Bytes of one text, at most.
  private static let longest = 100_000

  static func escaped(_ text: some StringProtocol) -> String {
    var result = ""
    for scalar in text.printable(limit: longest).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"  // no characters of XML
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension [HTML] {
  public func joined(separator: HTML = .empty) -> HTML { HTML.trusted(map(\.markup).joined(separator: separator.markup)) }
}
