import Base
import Data
import Testing
import TestSupport
import Vision

/// Orientation tags are counted, never obeyed.
@Suite struct OrientationTests {
  /// TIFF data with one directory: a tag before, and the orientation.
  private static func tiff(_ value: UInt8, isLittle: Bool) -> [UInt8] {
    func number(_ value: Int, _ size: Int) -> [UInt8] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return isLittle ? bytes : bytes.reversed()
    }
    func entry(_ tag: Int, _ value: Int) -> [UInt8] { number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + [0, 0] }
    return Array((isLittle ? "II" : "MM").utf8) + number(42, 2) + number(8, 4) + number(2, 2) + entry(256, 640) + entry(274, Int(value)) + [0, 0, 0, 0]
  }

  static func jpeg(_ value: UInt8, isLittle: Bool = true) -> [UInt8] {
    let plain = JPEG.encode(Image.noise(height: 8, width: 16)), body = Array("Exif\u{0}\u{0}".utf8) + tiff(value, isLittle: isLittle)
    let segment: [UInt8] = [0xFF, 0xE1, 0, UInt8(body.count + 2)] + body
    let first = 4 + Int(plain[4]) * 256 + Int(plain[5])  // behind the JFIF segment
    return Array(plain[..<first]) + segment + plain[first...]
  }

  private static func png(_ value: UInt8) -> [UInt8] {
    let plain = PNG.encode(Image.noise(height: 8, width: 16)), body = Array("eXIf".utf8) + tiff(value, isLittle: false)
    var checksum = CyclicChecksum(.ieee)
    body.withUnsafeBytes { checksum.update($0) }
    func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    return Array(plain[..<33]) + big(UInt32(body.count - 4)) + body + big(checksum.value) + plain[33...]
  }

  @Test func isFoundInBothFormatsAndByteOrders() {
    #expect(Orientation.tag(in: Self.jpeg(6)) == 6 && Orientation.tag(in: Self.jpeg(3, isLittle: false)) == 3)
    #expect(Orientation.tag(in: Self.png(8)) == 8)
    #expect(Orientation.tag(in: Self.jpeg(1)) == nil && Orientation.tag(in: Self.jpeg(9)) == nil)
    #expect(Orientation.tag(in: JPEG.encode(Image.noise(height: 8, width: 8))) == nil && Orientation.tag(in: []) == nil)
  }

  /// The stored pixels are taken.
  @Test func changesNoPixel() throws {
    #expect(try JPEG.decode(Self.jpeg(6), place: "") == JPEG.decode(Self.jpeg(1), place: ""))
    #expect(try PNG.decode(Self.png(6), place: "") == Image.noise(height: 8, width: 16))
  }

  @Test func damagedTagsAreNone() {
    for index in 0..<2000 { _ = Orientation.tag(in: Mutation.copy(index, of: Self.jpeg(6), head: 80)) }
    for index in 0..<2000 { _ = Orientation.tag(in: Mutation.copy(index, of: Self.png(6), head: 80)) }
  }

  @Test func filesAreCounted() throws {
    try withTemporaryFolder { folder in
      for (index, bytes) in [Self.jpeg(6), Self.jpeg(1), Self.png(3)].enumerated() { try AtomicFile.write(bytes, to: "\(folder)/\(index)") }
      #expect(Orientation.taggedCount(among: ["\(folder)/0", "\(folder)/1", "\(folder)/2", "\(folder)/none"]) == 2)
    }
  }
}
