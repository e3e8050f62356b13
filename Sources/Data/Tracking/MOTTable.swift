import Base
import Vision

/// The rows of a text file of the MOTChallenge: numbers between commas, the same number of columns in every row.
///
/// Blanks around numbers, CRLF line ends, empty lines and a comma at the end of a row are accepted. Every number is finite.
struct MOTTable {
  let path: String
  /// Columns of every row; 0 if there is no row.
  private(set) var columns = 0
  /// Line of each row in the file, from 1.
  private(set) var lines: [Int] = []
  /// `[rows, columns]`.
  private(set) var values: [Double] = []

  /// Bytes of a file, at most: the longest sequences have some 30 MB.
  static let fileLimit = 1 << 30

  /// - Parameter names: of the columns; the file may have more.
  /// - Throws: `.missingInput` or `.inputOutput` if it cannot be read; `.badData` with the line for rows that are broken.
  init(contentsOf path: String, names: [String]) throws {
    try self.init(Array(File.text(at: path, limit: Self.fileLimit).utf8), path: path, names: names)
  }

  init(_ bytes: [UInt8], path: String, names: [String]) throws {
    self.path = path
    var line = 0
    for content in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      line += 1
      let row = Self.trimmed(content)
      if !row.isEmpty { try add(row, line: line, names) }
    }
  }

  var count: Int { lines.count }

  func value(_ row: Int, _ column: Int) -> Double { values[row * columns + column] }

  /// A failure at a row.
  func failure(_ row: Int, _ problem: String, remedy: String = "") -> Failure {
    Failure(.badData, at: "\(path):\(lines[row])", problem, remedy: remedy)
  }

  private mutating func add(_ row: ArraySlice<UInt8>, line: Int, _ names: [String]) throws {
    var fields = row.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    if let last = fields.last, Self.trimmed(last).isEmpty { fields.removeLast() }
    if lines.isEmpty { columns = fields.count }
    guard fields.count == columns else {
      throw Failure(.badData, at: "\(path):\(line)", "\(fields.count) columns, expected \(columns) as in line \(lines[0])",
                    remedy: "The row is broken, or the file is cut off.")
    }
    for (column, field) in fields.enumerated() {
      let name = column < names.count ? " (\(names[column]))" : ""
      let text = Self.trimmed(field)
      guard let value = Self.number(text) else {
        let expected = fields.count == 1 && names.count > 1 ? "numbers between commas" : "a number"
        throw Failure(.badData, at: "\(path):\(line)", "column \(column + 1)\(name) is '\(Self.text(text))', expected \(expected)")
      }
      guard value.isFinite else {
        throw Failure(.badData, at: "\(path):\(line)", "column \(column + 1)\(name) is '\(Self.text(text))', expected a finite number",
                      remedy: "NaN and infinity are no coordinates: look at what wrote the file.")
      }
      values.append(value)
    }
    lines.append(line)
  }

  // MARK: Text

  private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    var text = text
    while let first = text.first, isBlank(first) { text.removeFirst() }
    while let last = text.last, isBlank(last) { text.removeLast() }
    return text
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self).printable(limit: 60) }

  private static let powersOfTen = (0...15).map { power in (0..<power).reduce(1.0) { value, _ in value * 10 } }

  /// The number of a field; nil if it is none. Words such as `nan` and `inf` are numbers that are not finite.
  private static func number(_ text: ArraySlice<UInt8>) -> Double? {
    // Up to 15 digits and the power of ten are exact, so that their quotient is the nearest number.
    var digits = 0
    var fraction = 0
    var whole = 0
    var isAfterPoint = false
    var rest = text
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest.removeFirst() }
    for byte in rest {
      switch byte {
      case 0x30...0x39:
        digits += 1
        if isAfterPoint { fraction += 1 }
        guard digits <= 15 else { return general(text) }
        whole = 10 * whole + Int(byte - 0x30)
      case UInt8(ascii: ".") where !isAfterPoint: isAfterPoint = true
      default: return general(text)
      }
    }
    guard digits > 0 else { return nil }
    let value = Double(whole) / powersOfTen[fraction]
    return isNegative ? -value : value
  }

  private static func general(_ text: ArraySlice<UInt8>) -> Double? {
    let word = String(decoding: text, as: UTF8.self).lowercased()
    // Hexadecimal numbers are none here.
    return word.contains("x") ? nil : Double(word)
  }
}

// MARK: What all files have in common

extension MOTTable {
  /// Frames of a sequence whose length is not known, at most: days of video.
  static let frameLimit = 10_000_000

  /// The frame of a row, from 1.
  /// - Parameter length: of the sequence in frames; nil if it is not known.
  /// - Throws: `.badData` with the line for a frame that is no whole number, or outside of the sequence.
  func frame(_ row: Int, length: Int?) throws -> Int {
    let value = value(row, 0)
    guard let frame = Int(exactly: value) else { throw failure(row, "the frame is \(value), expected a whole number") }
    guard frame >= 1 else { throw failure(row, "the frame is \(frame), expected 1 or more", remedy: "Frames count from 1.") }
    if let length, frame > length {
      throw failure(row, "the frame is \(frame), but the sequence has \(length)", remedy: "Look at seqLength in its seqinfo.ini.")
    }
    guard frame <= Self.frameLimit else { throw failure(row, "the frame is \(frame), expected at most \(Self.frameLimit)") }
    return frame
  }

  /// The identity of a row: a whole number of 0 or more, that may be written as `12.0`.
  func id(_ row: Int) throws -> Int {
    let value = value(row, 1)
    guard let id = Int(exactly: value), value <= 0x1p53 else {
      throw failure(row, "the id is \(value), expected a whole number", remedy: "Ids may be written as 12 or 12.0.")
    }
    guard id >= 0 else { throw failure(row, "the id is \(id), expected 0 or more", remedy: "Only files of detections have the id -1.") }
    return id
  }

  func box(_ row: Int) throws -> BoundingBox {
    let box = BoundingBox(x: value(row, 2), y: value(row, 3), width: value(row, 4), height: value(row, 5))
    guard !box.isEmpty else {
      throw failure(row, "the box is \(box.width) x \(box.height) pixels, expected a width and a height above 0")
    }
    return box
  }

  /// Frames of the sequence: its length if known, else the last frame of the file.
  func frameCount(length: Int?) throws -> Int {
    try length ?? lines.indices.reduce(0) { max($0, try frame($1, length: nil)) }
  }

  /// Requires that no identity has two boxes in a frame.
  func requireUnique(_ entries: [(frame: Int, id: Int)]) throws {
    struct Key: Hashable {
      let frame: Int
      let id: Int
    }
    var rows = [Key: Int](minimumCapacity: entries.count)
    for (row, entry) in entries.enumerated() {
      if let other = rows.updateValue(row, forKey: Key(frame: entry.frame, id: entry.id)) {
        throw failure(row, "the id \(entry.id) is in frame \(entry.frame) already, in line \(lines[other])",
                      remedy: "An identity has one box in a frame: remove one of the lines.")
      }
    }
  }

  /// Requires a number of columns.
  func require(columns allowed: ClosedRange<Int>, _ names: [String]) throws {
    guard count > 0, !allowed.contains(columns) else { return }
    throw failure(0, "\(columns) columns, expected \(allowed.lowerBound) to \(allowed.upperBound): \(names.joined(separator: ", "))")
  }
}
