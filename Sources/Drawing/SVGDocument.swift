import CCairo

/// Receives the bytes of a file while Cairo writes it.
final class SVGSink {
  private(set) var bytes: [UInt8] = []

  /// Cairo's callback; its context is a sink.
  static let append: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<UInt8>?, UInt32) -> cairo_status_t = { context, bytes, count in
    guard let context else { return CAIRO_STATUS_WRITE_ERROR }
    let sink = Unmanaged<SVGSink>.fromOpaque(context).takeUnretainedValue()
    sink.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
    return CAIRO_STATUS_SUCCESS
  }
}

/// An SVG file as Cairo writes it, made the same in every process and searchable.
///
/// Cairo numbers its surfaces through the life of a process, and so do the names in its file: here they are counted from 0. It writes
/// letters as outlines, so that a file looks the same without the font; each text stands once more as a transparent `text` element, to be
/// searched, selected and read aloud.
struct SVGDocument {
  struct Text {
    let text: String
    /// The left end of the base line, in pixels.
    let x: Double
    let y: Double
    let style: TextStyle
  }

  let bytes: [UInt8]

  /// - Parameter prefix: stands before the names of the parts, which must differ where several documents stand in one page.
  init(cairo file: [UInt8], texts: [Text], names prefix: String = "") {
    let numbered = Self.renumbered(file, prefix: Array(prefix.utf8))
    let end = Array("</svg>".utf8)
    let cut = (0...max(0, numbered.count - end.count)).last { numbered[$0...].starts(with: end) } ?? numbered.count
    let layer = texts.isEmpty ? "" : "<g fill=\"none\" font-family=\"sans-serif\">\n" + texts.map(Self.element).joined() + "</g>\n"
    bytes = numbered[..<cut] + Array(layer.utf8) + numbered[cut...]
  }

  private static func element(_ text: Text) -> String {
    let weight = text.style.weight == .bold ? " font-weight=\"bold\"" : ""
    let place = "x=\"\(rounded(text.x))\" y=\"\(rounded(text.y))\""
    return "<text \(place) font-size=\"\(rounded(text.style.size))\"\(weight)>\(escaped(text.text))</text>\n"
  }

  private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      default: result.append(character)
      }
    }
    return result
  }

  /// The file with the names of its parts (`id="surface17"`) counted from 0 by their word.
  private static func renumbered(_ file: [UInt8], prefix: [UInt8]) -> [UInt8] {
    let mark = Array("id=\"".utf8)
    var names: [ArraySlice<UInt8>: [UInt8]] = [:]
    var counts: [ArraySlice<UInt8>: Int] = [:]
    for start in file.indices where file[start] == UInt8(ascii: "i") && file[start...].starts(with: mark) {
      let name = file[(start + mark.count)...].prefix { $0 != UInt8(ascii: "\"") }
      let word = name.prefix { $0 >= UInt8(ascii: "A") }
      let number = counts[word, default: 0]
      counts[word] = number + 1
      names[name] = prefix + word + Array(String(number).utf8)
    }
    // A name stands behind a quotation mark where it is given and behind a number sign where it is used.
    var result: [UInt8] = []
    result.reserveCapacity(file.count)
    var position = 0
    while position < file.count {
      result.append(file[position])
      let isGiven = file[position] == UInt8(ascii: "\"") && file[...position].suffix(mark.count).elementsEqual(mark)
      let isName = isGiven || file[position] == UInt8(ascii: "#")
      position += 1
      guard isName else { continue }
      let name = file[position...].prefix { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: ")") }
      if let new = names[name] {
        result += new
        position += name.count
      }
    }
    return result
  }
}
