import Foundation

/// A reader of JSON that takes values one after another as the caller asks for them, without a tree in between: for files of hundreds of
/// megabytes. Failures name the file, line and column and the way to the value, such as `annotations[12].bbox`.
///
/// ```swift
/// let sum = try JSONScanner.read("boxes.json") { json in
///   var sum = 0.0
///   try json.object { json, key in
///     if key == "sizes" { try json.array { sum += try $0.number() } } else { try json.skip() }
///   }
///   return sum
/// }
/// ```
/// - Note: beyond RFC 8259, `NaN`, `Infinity` and `-Infinity` are numbers, for Python writes them.
package struct JSONScanner {
  /// What is wrong, where in the bytes, and the way there.
  private struct Problem: Error {
    let text: String
    let place: Int
    var path = ""
  }

  /// Values in values, at most.
  private static let depthLimit = 100

  private let bytes: [UInt8]
  /// The next byte.
  package private(set) var place = 0
  private var depth = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads a whole file, which holds one value.
  /// - Throws: the failures of `File.bytes`; `.badData` with the place if it is no JSON, or not what `body` expects.
  package static func read<Result>(_ path: String, _ body: (inout JSONScanner) throws -> Result) throws -> Result {
    try read(File.bytes(at: path, limit: 1 << 33), path: path, body)
  }

  /// Reads the bytes of a file.
  package static func read<Result>(_ bytes: [UInt8], path: String, _ body: (inout JSONScanner) throws -> Result) throws -> Result {
    var scanner = JSONScanner(bytes)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { scanner.place = 3 }
    guard scanner.hasNext, "{[\"-0123456789tfnNI".utf8.contains(scanner.next ?? 0) else {
      throw Failure.unrecognized(bytes, at: path, expected: "a JSON text")
    }
    do {
      let result = try body(&scanner)
      if scanner.hasNext { throw scanner.problem("more text after the end") }
      return result
    } catch let problem as Problem {
      let way = problem.path.hasPrefix(".") ? String(problem.path.dropFirst()) : problem.path
      throw Failure(.badData, at: scanner.name(of: problem.place, in: path), (way.isEmpty ? "" : "\(way): ") + problem.text)
    }
  }

  /// `path:line:column`, both from 1, columns in bytes.
  private func name(of place: Int, in path: String) -> String {
    let before = bytes.prefix(place)
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return "\(path):\(line):\(place - start + 1)"
  }

  /// An error at the next byte, or at `place`.
  package func problem(_ text: String, at place: Int? = nil) -> any Error { Problem(text: text, place: place ?? self.place) }

  // MARK: Values

  /// `{"key": value, ...}`; `value` takes what follows each key.
  package mutating func object(_ value: (inout JSONScanner, _ key: String) throws -> Void) throws {
    try enter("{", "an object")
    defer { depth -= 1 }
    if take("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try within(".\(key)") { try value(&$0, key) }
    } while take(",")
    try expect("}")
  }

  /// `[value, ...]`; `value` takes each one.
  package mutating func array(_ value: (inout JSONScanner) throws -> Void) throws {
    try enter("[", "a list")
    defer { depth -= 1 }
    if take("]") { return }
    var index = 0
    repeat {
      try within("[\(index)]", value)
      index += 1
    } while take(",")
    try expect("]")
  }

  /// `[number, ...]`.
  package mutating func numbers() throws -> [Double] {
    var numbers: [Double] = []
    try array { numbers.append(try $0.number()) }
    return numbers
  }

  package mutating func integer() throws -> Int {
    let start = placeOfNext
    let number = try number()
    guard let integer = Int(exactly: number) else { throw problem("the number \(number), expected a whole one", at: start) }
    return integer
  }

  /// True or false, or 1 or 0.
  package mutating func flag() throws -> Bool {
    if takeWord("true") { return true }
    if takeWord("false") { return false }
    let start = placeOfNext
    let number = try integer()
    guard number == 0 || number == 1 else { throw problem("the number \(number), expected 0 or 1", at: start) }
    return number == 1
  }

  /// Passes over `null`, if it is next.
  package mutating func takeNull() -> Bool { takeWord("null") }

  /// Whether a list is next.
  package mutating func nextIsList() -> Bool { hasNext && next == UInt8(ascii: "[") }

  /// Whether a text is next.
  package mutating func nextIsString() -> Bool { hasNext && next == UInt8(ascii: "\"") }

  /// Passes over a value of any kind.
  package mutating func skip() throws {
    guard hasNext, let byte = next else { throw unexpected("a value") }
    switch Unicode.Scalar(byte) {
    case "{": try object { json, _ in try json.skip() }
    case "[": try array { try $0.skip() }
    case "\"": try skipString()
    case "t", "f", "n":
      if !(takeWord("true") || takeWord("false") || takeWord("null")) { throw unexpected("a value") }
    default: _ = try number()
    }
  }

  /// Goes back to a place passed before, takes a value there, and returns here.
  package mutating func revisit<Result>(_ earlier: Int, _ body: (inout JSONScanner) throws -> Result) rethrows -> Result {
    let here = place
    place = earlier
    defer { place = here }
    return try body(&self)
  }

  private mutating func within(_ step: @autoclosure () -> String, _ body: (inout JSONScanner) throws -> Void) throws {
    do {
      try body(&self)
    } catch var problem as Problem {
      problem.path = step() + problem.path
      throw problem
    }
  }
}

// MARK: Numbers and texts

extension JSONScanner {
  package mutating func number() throws -> Double {
    guard hasNext else { throw unexpected("a number") }
    let start = place
    var digits: UInt64 = 0
    var count = 0
    var scale = 0
    let isNegative = next == UInt8(ascii: "-")
    if isNegative { place += 1 }
    if let word = try specialNumber(isNegative) { return word }
    var hasPoint = false
    while let byte = next {
      if 0x30...0x39 ~= byte {
        if count < 19 { digits = digits * 10 + UInt64(byte - 0x30) }
        count += 1
        if hasPoint { scale -= 1 }
      } else if byte == UInt8(ascii: "."), !hasPoint, count > 0 {
        hasPoint = true
      } else {
        break
      }
      place += 1
    }
    guard count > 0 else { throw unexpected("a number", at: start) }
    if let byte = next, byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
      place += 1
      while let byte = next, 0x30...0x39 ~= byte || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { place += 1 }
    } else if count < 19, digits < 1 << 53, scale >= -22 {
      // Both are exact, so that one division rounds as a reader of texts does.
      let value = Double(digits) / Self.powers[-scale]
      return isNegative ? -value : value
    }
    let text = String(decoding: bytes[start..<place], as: UTF8.self)
    guard let value = Double(text) else { throw problem("'\(text.printable(limit: 40))' is no number", at: start) }
    return value
  }

  private static let powers: [Double] = (0...22).map { pow(10, Double($0)) }

  /// `NaN` or `Infinity`, if it is next.
  private mutating func specialNumber(_ isNegative: Bool) throws -> Double? {
    if takeWord("NaN") { return .nan }
    if takeWord("Infinity") { return isNegative ? -.infinity : .infinity }
    return nil
  }

  package mutating func string() throws -> String {
    guard hasNext, next == UInt8(ascii: "\"") else { throw unexpected("a text in quotes") }
    let start = place
    try skipString()
    let body = bytes[start + 1..<place - 1]
    // Texts with escapes are rare; Foundation knows them all.
    let text = body.contains(UInt8(ascii: "\\"))
      ? try? JSONSerialization.jsonObject(with: Data(bytes[start..<place]), options: .fragmentsAllowed) as? String
      : String(validating: body, as: UTF8.self)
    guard let text else { throw problem("a text that is not UTF-8, or with a wrong escape", at: start) }
    return text
  }

  private mutating func skipString() throws {
    let start = place
    place += 1
    while let byte = next {
      place += 1
      if byte == UInt8(ascii: "\"") { return }
      if byte == UInt8(ascii: "\\") { place += 1 }
      if byte < 0x20 { throw problem("a control character in a text", at: place - 1) }
    }
    throw problem("a text without end", at: start)
  }

  // MARK: Bytes

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  /// Passes over white space; false at the end of the file.
  private var hasNext: Bool {
    mutating get {
      while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
      return place < bytes.count
    }
  }

  /// The place of the next value.
  package var placeOfNext: Int {
    mutating get {
      _ = hasNext
      return place
    }
  }

  private mutating func enter(_ character: Unicode.Scalar, _ what: String) throws {
    guard take(character) else { throw unexpected(what) }
    depth += 1
    guard depth <= Self.depthLimit else { throw problem("more than \(Self.depthLimit) values in each other") }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard hasNext, next == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func takeWord(_ word: StaticString) -> Bool {
    guard hasNext, place + word.utf8CodeUnitCount <= bytes.count else { return false }
    for offset in 0..<word.utf8CodeUnitCount where bytes[place + offset] != word.utf8Start[offset] { return false }
    place += word.utf8CodeUnitCount
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard take(character) else { throw unexpected("'\(character)'") }
  }

  private func unexpected(_ expected: String, at start: Int? = nil) -> any Error {
    let place = start ?? self.place
    guard place < bytes.count else { return problem("the file ends where \(expected) is expected") }
    let found = String(decoding: bytes[place...].prefix(20), as: UTF8.self)
    return problem("found \(found.printable()), expected \(expected)", at: place)
  }
}
