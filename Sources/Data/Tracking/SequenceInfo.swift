import Base

/// What `seqinfo.ini` says about a sequence; of samples only the length may be there.
///
///     [Sequence]
///     name=MOT17-09-FRCNN
///     imDir=img1
///     frameRate=30
///     seqLength=525
///     imWidth=1920
///     imHeight=1080
///     imExt=.jpg
public struct SequenceInfo: Sendable, Equatable {
  public var name: String?
  /// Frames.
  public var length: Int
  /// Frames a second.
  public var frameRate: Double?
  /// Size of the pictures in pixels.
  public var width: Int?
  public var height: Int?
  /// Folder of the pictures below that of the sequence.
  public var imageFolder = "img1"
  /// Extension of the pictures, with its dot.
  public var imageExtension = ".jpg"

  public init(name: String? = nil, length: Int) { (self.name, self.length) = (name, length) }

  /// - Throws: `.missingInput` or `.inputOutput` if it cannot be read; `.badData` with the line for a broken line, a key that is there
  ///   twice or a value that is not allowed, and if the section or `seqLength` is missing.
  public init(contentsOf path: String) throws {
    try self.init(File.text(at: path, limit: 1 << 20), path: path)
  }

  init(_ text: String, path: String) throws {
    let entries = try Self.entries(text, path)
    func value<Value>(_ key: String, _ expected: String, _ convert: (String) -> Value?) throws -> Value? {
      guard let entry = entries[key.lowercased()] else { return nil }
      guard let value = convert(entry.value) else {
        throw Failure(.badData, at: "\(path):\(entry.line)", "\(key) is '\(entry.value.printable(limit: 60))', expected \(expected)")
      }
      return value
    }
    func positive(_ key: String) throws -> Int? {
      try value(key, "a whole number of 1 to \(MOTTable.frameLimit)") {
        Int($0).flatMap { (1...MOTTable.frameLimit).contains($0) ? $0 : nil }
      }
    }
    func word(_ key: String) throws -> String? { try value(key, "a text") { $0.isEmpty ? nil : $0 } }
    guard let length = try positive("seqLength") else {
      throw Failure(.badData, at: path, "there is no seqLength in the section [Sequence]",
                    remedy: "Add the number of frames: seqLength=525")
    }
    self.length = length
    name = try word("name")
    frameRate = try value("frameRate", "a number above 0") { Double($0).flatMap { $0 > 0 && $0.isFinite ? $0 : nil } }
    width = try positive("imWidth")
    height = try positive("imHeight")
    imageFolder = try word("imDir") ?? imageFolder
    imageExtension = try word("imExt") ?? imageExtension
  }

  private typealias Entry = (value: String, line: Int)

  /// The entries of the section `[Sequence]`, by keys in lower case.
  private static func entries(_ text: String, _ path: String) throws -> [String: Entry] {
    var entries: [String: Entry] = [:]
    var section: String?
    for (index, content) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let line = content.trimmed
      let place = "\(path):\(index + 1)"
      if line.isEmpty || line.hasPrefix(";") || line.hasPrefix("#") { continue }
      if line.hasPrefix("["), line.hasSuffix("]") {
        section = line.dropFirst().dropLast().trimmed
        continue
      }
      guard let section else {
        throw Failure(.badData, at: place, "'\(line.printable(limit: 60))' stands before the section [Sequence]")
      }
      guard section == "Sequence" else { continue }
      guard let equals = line.firstIndex(of: "="), equals > line.startIndex else {
        throw Failure(.badData, at: place, "'\(line.printable(limit: 60))' is no line of the form key=value")
      }
      let key = line[..<equals].trimmed
      let entry = (value: line[line.index(after: equals)...].trimmed, line: index + 1)
      if let other = entries.updateValue(entry, forKey: key.lowercased()) {
        throw Failure(.badData, at: place, "the key \(key.printable(limit: 60)) is there already, in line \(other.line)")
      }
    }
    return entries
  }
}

extension StringProtocol {
  /// The text without blanks at its ends.
  fileprivate var trimmed: String {
    let start = drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
