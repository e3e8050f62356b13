import Foundation
import SystemPackage

extension File {
  /// Bytes of any file, at most: the memory of this machine.
  static let wholeLimit = Int(clamping: ProcessInfo.processInfo.physicalMemory)

  /// Bytes of a file that is read without a look at its beginning first.
  private static let shortLimit = 16 << 20

  /// All bytes of a regular file that may have so many. One that is too long is refused before it is read.
  /// - Parameter check: given the first bytes of a long file; what it throws spares reading the rest.
  /// - Throws: as `bytes(at:)`; `.badData` with its size and the limit if there are more; what `check` throws.
  package static func bytes(
    at path: String, limit: Int, checkingBeginning check: (_ head: [UInt8]) throws -> Void = { _ in }
  ) throws -> [UInt8] {
    let (descriptor, size) = try opened(path)
    defer { try? descriptor.close() }  // nothing was written
    if size > min(shortLimit, limit) {
      try check(bytes(of: descriptor, size, upTo: FileKind.headSize, path))
      try rewind(descriptor, path)
    }
    guard size <= limit else { throw tooLong(path, "has \(size) bytes", limit) }
    let bytes = try bytes(of: descriptor, size, upTo: limit < Int.max ? limit + 1 : limit, path)
    guard bytes.count <= limit else { throw tooLong(path, "has over \(limit) bytes", limit) }
    return bytes
  }

  private static func rewind(_ descriptor: FileDescriptor, _ path: String) throws {
    do {
      try descriptor.seek(offset: 0, from: .start)
    } catch let error as Errno {
      throw unreadable(path, error)
    }
  }

  private static func tooLong(_ path: String, _ found: String, _ limit: Int) -> Failure {
    Failure(.badData, at: path, "the file \(found), more than the \(limit) that are read", remedy: "Check that this is the file you mean.")
  }

  /// Bytes of a text file, at most: far above any config or list, far below what a wrong path (a video) can hold.
  public static let textLimit = 64 << 20

  /// A text file in UTF-8, without the byte-order mark that some editors put in front.
  /// - Parameters:
  ///   - limit: bytes that are read at most.
  ///   - kind: of the failure if this is no text in UTF-8, or too much of it.
  /// - Throws: as `bytes(at:)`; `kind` with the line and column of the first byte that is not UTF-8, or with the limit.
  public static func text(at path: String, limit: Int = textLimit, kind: Failure.Kind = .badData) throws -> String {
    do {
      return try text(of: bytes(at: path, limit: limit), at: path, kind: kind)
    } catch let failure as Failure where failure.kind == .badData {
      throw failure.told(kind: kind)
    }
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
