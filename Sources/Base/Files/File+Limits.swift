extension File {
  /// All bytes of a file that may have so many.
  /// - Throws: as `bytes(at:)`; `.badData` with the limit if there are more, or without end (`/dev/zero`).
  package static func bytes(at path: String, limit: Int) throws -> [UInt8] {
    let bytes = try bytes(at: path, upTo: limit + 1)
    guard bytes.count <= limit else {
      throw Failure(.badData, at: path, "the file is longer than \(limit) bytes, more than is read",
                    remedy: "Check that this is the file you mean.")
    }
    return bytes
  }

  /// Bytes of a text file, at most: far above any config or list, far below what a wrong path (`/dev/zero`, a video) can hold.
  public static let textLimit = 64 << 20

  /// A text file in UTF-8, without the byte-order mark that some editors put in front.
  /// - Parameters:
  ///   - limit: bytes that are read at most.
  ///   - kind: of the failure if this is no text in UTF-8, or too much of it.
  /// - Throws: as `bytes(at:)`; `kind` with the line and column of the first byte that is not UTF-8, or with the limit.
  public static func text(at path: String, limit: Int = textLimit, kind: Failure.Kind = .badData) throws -> String {
    let bytes = try bytes(at: path, upTo: limit + 1)
    guard bytes.count <= limit else {
      throw Failure(kind, at: path, "the text is longer than \(limit) bytes, more than is read",
                    remedy: "Check that this is the file you mean.")
    }
    return try text(of: bytes, at: path, kind: kind)
  }

  /// The text that a file's bytes are in UTF-8, without a byte-order mark.
  package static func text(of bytes: [UInt8], at path: String, kind: Failure.Kind) throws -> String {
    let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    if let text = String(validating: body, as: UTF8.self) { return text }
    if let found = FileKind(of: bytes) {
      throw Failure(kind, at: path, "this is \(found.name), not a text file in UTF-8", remedy: found.remedy)
    }
    let (line, column, byte) = firstInvalid(body)
    throw Failure(kind, at: "\(path):\(line):\(column)", "the byte \(Path.hexadecimal([byte])) is not UTF-8",
                  remedy: "Save the file in UTF-8, for instance: iconv -f latin1 -t utf-8 OLD > NEW")
  }

  /// Line and column, from 1 and in characters, of the first byte that begins no character.
  private static func firstInvalid(_ bytes: ArraySlice<UInt8>) -> (line: Int, column: Int, byte: UInt8) {
    var decoder = UTF8()
    var rest = bytes.makeIterator()
    var line = 1
    var column = 1
    var place = bytes.startIndex
    while true {
      switch decoder.decode(&rest) {
      case .scalarValue(let scalar):
        place += UTF8.width(scalar)
        if scalar == "\n" { (line, column) = (line + 1, 1) } else { column += 1 }
      case .error: return (line, column, place < bytes.endIndex ? bytes[place] : 0)
      case .emptyInput: return (line, column, 0)
      }
    }
  }
}
