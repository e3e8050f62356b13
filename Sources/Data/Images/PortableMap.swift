import Base
import Vision

/// The binary 8-bit portable maps of Netpbm: P6 (PPM, RGB) and P5 (PGM, grey).
///
/// - Source: Netpbm manual, "ppm" and "pgm": magic number, width, height, maximum, separated by white space or comments from `#` to
///   the end of the line, then one white-space character and the samples.
public enum PortableMap {
  /// Decodes one picture; bytes after it (a second picture of the same file) are ignored.
  /// - Parameter place: the file's name, for error messages.
  /// - Throws: `.badData` if the header is malformed, the maximum is not 255, or samples are missing.
  public static func decode(_ bytes: [UInt8], place: String) throws -> Image {
    guard bytes.count >= 2, bytes[0] == UInt8(ascii: "P"), bytes[1] == UInt8(ascii: "5") || bytes[1] == UInt8(ascii: "6") else {
      throw Failure(.badData, at: place, "this is no binary portable map, expected a file that begins with P5 or P6")
    }
    let channels = bytes[1] == UInt8(ascii: "5") ? 1 : 3
    var header = Header(bytes: bytes, place: place)
    let width = try header.number("the width")
    let height = try header.number("the height")
    let maximum = try header.number("the largest sample")
    guard maximum == 255 else {
      throw Failure(.badData, at: place, "the largest sample is declared as \(maximum), expected 255 (8 bits a sample)")
    }
    let count = try Codec.pixelCount(height: height, width: width, place: place) * channels
    let start = try header.samplesStart()
    guard bytes.count - start >= count else {
      throw Failure(.badData, at: place,
                    "truncated: \(bytes.count) bytes found, \(start + count) expected for \(width) x \(height) pixels of \(channels) bytes")
    }
    return Image(height: height, width: width, channels: channels, pixels: Array(bytes[start..<start + count]))
  }

  /// Encodes grey as P5, everything else as P6 without alpha.
  public static func encode(_ image: Image) -> [UInt8] {
    let image = image.channels == 1 ? image : image.rgb()
    return Array("\(image.channels == 1 ? "P5" : "P6")\n\(image.width) \(image.height)\n255\n".utf8) + image.pixels
  }

  /// Reads the numbers behind the magic number.
  private struct Header {
    let bytes: [UInt8]
    let place: String
    var position = 2

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    mutating func number(_ what: String) throws -> Int {
      let before = position
      skipSpaceAndComments()
      guard position > before else { throw malformed(what) }
      let digits = bytes[position...].prefix(10).prefix { (0x30...0x39).contains($0) }
      guard (1...9).contains(digits.count) else { throw malformed(what) }
      position += digits.count
      return digits.reduce(0) { 10 * $0 + Int($1 - 0x30) }
    }

    /// The place behind the single white-space character that ends the header.
    func samplesStart() throws -> Int {
      guard position < bytes.count, Header.isSpace(bytes[position]) else { throw malformed("one white-space character") }
      return position + 1
    }

    private mutating func skipSpaceAndComments() {
      while position < bytes.count {
        if bytes[position] == UInt8(ascii: "#") {
          while position < bytes.count, bytes[position] != 0x0A, bytes[position] != 0x0D { position += 1 }
        } else if Header.isSpace(bytes[position]) {
          position += 1
        } else {
          return
        }
      }
    }

    private func malformed(_ what: String) -> Failure {
      Failure(.badData, at: place, "malformed portable map: expected \(what) at byte \(position)")
    }
  }
}
