import Base

/// The orientation that cameras note in a picture's EXIF data: how it is to be turned to stand upright.
///
/// The stored pixels are taken as they are, in every format and by every command, because flow, boxes and keypoints of data sets count
/// stored pixels. Whoever wants upright pictures turns them first; a warning says so.
///
/// - Source: CIPA DC-008 (Exif 2.32), tag 274; PNG's chunk `eXIf`.
package enum Orientation {
  /// The first bytes of a file that are searched; cameras write the tag within the first few hundred.
  static let headSize = 4096

  /// The number of the orientation, 2...8, of a JPEG or PNG file that begins with these bytes; nil if it stands upright or says nothing.
  package static func tag(in head: [UInt8]) -> Int? {
    let exif = head.starts(with: PNG.magic) ? pngExif(head) : head.starts(with: JPEG.magic) ? jpegExif(head) : nil
    return exif.flatMap(orientation).flatMap { (2...8).contains($0) ? $0 : nil }
  }

  /// The number of these files that are to be turned. Files that cannot be read count as upright: reading them tells what is wrong.
  package static func taggedCount(among files: [String]) -> Int {
    files.count { path in (try? File.bytes(at: path, upTo: headSize)).flatMap(tag) != nil }
  }

  /// Says once how many of the files are to be turned, if any.
  static func warn(about files: [String], in place: String) {
    let count = taggedCount(among: files)
    guard count > 0 else { return }
    Warning.emit("\(place): \(count) of \(files.count) pictures have an EXIF orientation; their pixels are taken as they are stored. "
      + "To turn them first: mogrify -auto-orient FILES")
  }

  /// The EXIF data of a JPEG: the segment APP1 that begins with `Exif`.
  private static func jpegExif(_ head: [UInt8]) -> ArraySlice<UInt8>? {
    var place = 2
    while place + 4 <= head.count, head[place] == 0xFF {
      let marker = head[place + 1]
      let length = 256 * Int(head[place + 2]) + Int(head[place + 3])
      guard marker != 0xDA, marker != 0xD9, length >= 2 else { return nil }  // from here on there are only pixels
      let body = head[place + 4..<min(max(place + 2 + length, place + 4), head.count)]
      if marker == 0xE1, body.starts(with: Array("Exif\u{0}\u{0}".utf8)) { return body.dropFirst(6) }
      place += 2 + length
    }
    return nil
  }

  private static func pngExif(_ head: [UInt8]) -> ArraySlice<UInt8>? {
    var place = PNG.magic.count
    while place + 8 <= head.count {
      let length = head[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = place + 8 + length
      if head[place + 4..<place + 8].elementsEqual("eXIf".utf8) { return head[place + 8..<min(end, head.count)] }
      place = end + 4
    }
    return nil
  }

  /// The value of tag 274 in the first directory of TIFF data.
  private static func orientation(_ tiff: ArraySlice<UInt8>) -> Int? {
    let isLittle = tiff.starts(with: Array("II".utf8))
    guard isLittle || tiff.starts(with: Array("MM".utf8)) else { return nil }
    func number(_ offset: Int, _ size: Int) -> Int? {
      guard offset >= 0, offset <= tiff.count - size else { return nil }
      let bytes = tiff[(tiff.startIndex + offset)...].prefix(size)
      return isLittle ? bytes.reversed().reduce(0) { $0 << 8 | Int($1) } : bytes.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
    for index in 0..<count {
      guard let tag = number(directory + 2 + 12 * index, 2) else { return nil }
      if tag == 274 { return number(directory + 2 + 12 * index + 8, 2) }
    }
    return nil
  }
}
