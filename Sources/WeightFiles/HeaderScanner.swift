import Base
import Tensors

/// A strict reader of the little JSON that safetensors headers are made of: objects, strings and whole numbers.
///
/// Written out because a general JSON reader hides duplicate keys.
/// - Source: RFC 8259.
struct HeaderScanner {
  private let bytes: ArraySlice<UInt8>
  private var place: Int
  private let file: String

  init(_ bytes: ArraySlice<UInt8>, file: String) {
    self.bytes = bytes
    self.file = file
    place = bytes.startIndex
  }

  func failure(_ problem: String) -> Failure {
    Failure(.badData, at: file, "safetensors header, byte \(place - bytes.startIndex): \(problem)")
  }

  private var next: UInt8? { place < bytes.endIndex ? bytes[place] : nil }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { place += 1 }
  }

  /// Consumes `character` after white space, if it is there.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard take(character) else {
      throw failure("expected '\(character)', found \(next.map { "'\(Unicode.Scalar($0))'" } ?? "the end")")
    }
  }

  /// `{"key": value, ...}`; `value` reads what follows each key.
  mutating func object(_ value: (inout HeaderScanner, _ key: String) throws -> Void) throws {
    try expect("{")
    if take("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try value(&self, key)
    } while take(",")
    try expect("}")
  }

  /// `[1, 2, ...]`, none negative, at most a hundred.
  mutating func integers() throws -> [Int] {
    try expect("[")
    if take("]") { return [] }
    var values: [Int] = []
    repeat {
      guard values.count < 100 else { throw failure("a list of more than 100 numbers") }
      values.append(try integer())
    } while take(",")
    try expect("]")
    return values
  }

  private mutating func integer() throws -> Int {
    skipSpace()
    let start = place
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place += 1 }
    let text = String(decoding: bytes[start..<place], as: UTF8.self)
    guard !text.isEmpty, text == "0" || !text.hasPrefix("0"), let value = Int(text) else {
      throw failure("expected a whole number from 0 to \(Int.max), found '\(text)'")
    }
    return value
  }

  mutating func string() throws -> String {
    try expect("\"")
    var text: [UInt8] = []
    while true {
      guard let byte = next else { throw failure("a string does not end") }
      place += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else { throw failure("a string is not UTF-8") }
        return string
      case UInt8(ascii: "\\"): text += try escape()
      case 0..<0x20: throw failure("a control character inside a string")
      default: text.append(byte)
      }
    }
  }

  /// The character that an escape after a backslash stands for, in UTF-8.
  private mutating func escape() throws -> [UInt8] {
    guard let byte = next else { throw failure("a string does not end") }
    place += 1
    switch Unicode.Scalar(byte) {
    case "\"", "\\", "/": return [byte]
    case "b": return [0x08]
    case "f": return [0x0C]
    case "n": return [0x0A]
    case "r": return [0x0D]
    case "t": return [0x09]
    case "u": return try unicodeEscape()
    default: throw failure("unknown escape '\\\(Unicode.Scalar(byte))' in a string")
    }
  }

  private mutating func unicodeEscape() throws -> [UInt8] {
    var units = [try hexadecimal()]
    if (0xD800..<0xDC00).contains(units[0]), bytes[place...].starts(with: Array("\\u".utf8)) {
      place += 2
      units.append(try hexadecimal())
    }
    guard let text = String(validating: units, as: UTF16.self) else { throw failure("half of a surrogate pair in a string") }
    return Array(text.utf8)
  }

  private mutating func hexadecimal() throws -> UInt16 {
    let digits = String(decoding: bytes[place..<min(place + 4, bytes.endIndex)], as: UTF8.self)
    guard digits.utf8.count == 4, !digits.hasPrefix("+"), let unit = UInt16(digits, radix: 16) else {
      throw failure("expected four hexadecimal digits after \\u")
    }
    place += 4
    return unit
  }

  /// Only white space may follow.
  mutating func end() throws {
    skipSpace()
    if next != nil { throw failure("more text after the end of the header's object") }
  }
}
