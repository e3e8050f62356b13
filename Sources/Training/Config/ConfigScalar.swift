/// A leaf of a config: how it is read from a YAML scalar and written again.
///
/// Stricter than YAML 1.1: no sexagesimal, octal or binary numbers, no dates; a number is not silently taken for text.
protocol ConfigScalar: Decodable {
  /// The kind of value that is expected, for error messages: `a whole number`.
  static var expectation: String { get }
  /// Stands in for a value that could not be read, so that decoding goes on and finds the other errors.
  static var placeholder: Self { get }
  init?(configText text: String, plain: Bool)
  var configNode: ConfigNode { get }
}

extension Bool: ConfigScalar {
  static var expectation: String { "true or false" }
  static var placeholder: Bool { false }

  init?(configText text: String, plain: Bool) {
    guard plain else { return nil }
    switch text.lowercased() {
    case "true", "yes", "on": self = true
    case "false", "no", "off": self = false
    default: return nil
    }
  }

  var configNode: ConfigNode { ConfigNode(content: .scalar(description, plain: true), origin: .standard) }
}

extension String: ConfigScalar {
  static var expectation: String { "text" }
  static var placeholder: String { "" }

  init?(configText text: String, plain: Bool) {
    let isOther = ConfigNode.nullWords.contains(text) || Bool(configText: text, plain: true) != nil
      || Double(configText: text, plain: true) != nil
    guard !(plain && isOther) else { return nil }
    self = text
  }

  var configNode: ConfigNode { ConfigNode(content: .scalar(self, plain: false), origin: .standard) }
}

extension ConfigScalar where Self: FixedWidthInteger {
  static var expectation: String { isSigned ? "a whole number" : "a whole number, 0 or more" }
  static var placeholder: Self { 0 }

  init?(configText text: String, plain: Bool) {
    let digits = text.filter { $0 != "_" }
    guard plain, text.first != "_", let value = Self(digits) else { return nil }
    self = value
  }

  var configNode: ConfigNode { ConfigNode(content: .scalar(String(self), plain: true), origin: .standard) }
}

extension Int: ConfigScalar {}
extension Int32: ConfigScalar {}
extension Int64: ConfigScalar {}
extension UInt: ConfigScalar {}
extension UInt32: ConfigScalar {}
extension UInt64: ConfigScalar {}

extension ConfigScalar where Self: BinaryFloatingPoint & LosslessStringConvertible {
  static var expectation: String { "a number" }
  static var placeholder: Self { 0 }

  init?(configText text: String, plain: Bool) {
    guard plain, let first = text.first, first != "_" else { return nil }
    switch text.lowercased() {
    case ".inf", "+.inf": self = .infinity
    case "-.inf": self = -.infinity
    case ".nan": self = .nan
    default:
      // Swift also reads `inf`, `nan` and hexadecimal floats, which in YAML are text.
      guard text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE_".contains($0)) }),
            let value = Self(text.filter { $0 != "_" }) else { return nil }
      self = value
    }
  }

  var configNode: ConfigNode { ConfigNode(content: .scalar(yamlText, plain: true), origin: .standard) }

  /// The shortest text that reads back as the same number, with a point, so that YAML 1.1 readers see a number too.
  private var yamlText: String {
    if isNaN { return ".nan" }
    if isInfinite { return self < 0 ? "-.inf" : ".inf" }
    let text = String(self)
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }
}

extension Double: ConfigScalar {}
extension Float: ConfigScalar {}
