/// A small fixed-width font of our own, for captions inside pictures: 5x7 dots and two rows for descenders,
/// in a cell of 6x11.
///
/// It covers printable ASCII; any other character is drawn as a box.
public enum BitmapFont {
  /// Dots from one character to the next, and from one line to the next, at scale 1.
  public static let advance = 6, lineHeight = 11
  /// Dots of a glyph at scale 1; letters stand on the seventh row.
  public static let glyphWidth = 5, glyphHeight = 9

  /// Width in pixels of one line of text (without the gap after the last character).
  public static func width(of text: String, scale: Int = 1) -> Int { max(0, text.count * advance - 1) * scale }

  /// The nine rows of a glyph, top first; bit 4 is the leftmost dot.
  public static func rows(of character: Character) -> [UInt8] {
    guard let code = character.asciiValue, code >= 32, code < 127 else { return [0x1F, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1F, 0, 0] }
    return glyphs[Int(code) - 32]
  }

  private static let glyphs: [[UInt8]] = compactRows.split(separator: " ").enumerated().map { index, word in
    let isDescending = descending.contains(Character(UnicodeScalar(UInt8(32 + index))))
    return isDescending ? [0, 0] + bytes(word) : bytes(word) + [0, 0]
  }

  /// Seven bytes from fourteen hexadecimal digits.
  private static func bytes(_ word: Substring) -> [UInt8] {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in word {
      let digit = UInt8(character.hexDigitValue ?? 0)
      if let upper = high {
        bytes.append(upper << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return bytes
  }

  /// The letters whose seven rows begin two rows lower.
  private static let descending: Set<Character> = ["g", "p", "q", "y"]

  /// One word of seven bytes per character, from the space (32) to the tilde (126), eight characters a line.
  private static let compactRows = """
    00000000000000 04040404040004 0A0A0A00000000 0A0A1F0A1F0A0A 040F140E051E04 18190204081303 0C12140815120D 04040800000000 \
    02040808080402 08040202020408 00150E1F0E1500 0004041F040400 00000000040408 0000001F000000 00000000000C0C 01010204081010 \
    0E11131519110E 040C040404040E 0E11010204081F 1F02040201110E 02060A121F0202 1F101E0101110E 0608101E11110E 1F010204080808 \
    0E11110E11110E 0E11110F01020C 000C0C000C0C00 000C0C000C0408 02040810080402 00001F001F0000 08040201020408 0E110102040004 \
    0E11171517100E 0E11111F111111 1E11111E11111E 0E11101010110E 1C12111111121C 1F10101E10101F 1F10101E101010 0E11101711110F \
    1111111F111111 0E04040404040E 0702020202120C 11121418141211 1010101010101F 111B1515111111 11191513111111 0E11111111110E \
    1E11111E101010 0E11111115120D 1E11111E141211 0F10100E01011E 1F040404040404 1111111111110E 11111111110A04 11111115151B11 \
    11110A040A1111 11110A04040404 1F01020408101F 0E08080808080E 10100804020101 0E02020202020E 040A1100000000 0000000000001F \
    08040200000000 00000E010F110F 10101E1111111E 00000F1010100F 01010F1111110F 00000E111F100E 06081E08080808 0F1111110F010E \
    10101E11111111 04000C0404040E 0200060202120C 10101214181412 0C04040404040E 00001A15151515 00001E11111111 00000E1111110E \
    1E1111111E1010 0F1111110F0101 00001619101010 00000F100E011E 08081E08080806 0000111111110F 00001111110A04 0000111115150A \
    0000110A040A11 111111110F010E 00001F0204081F 02040408040402 04040404040404 08040402040408 00000815020000
    """
}
