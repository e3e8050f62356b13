import Base
import Tensors

/// Writes a zip archive as PyTorch does: members stored, their bytes aligned to 64, sizes behind them and in the table of contents.
///
/// - Source: PKWARE's APPNOTE 6.3.10, sections 4.3.7 to 4.3.16; the layout equals PyTorch 2.13's byte for byte.
struct ZipWriter {
  private(set) var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0
  /// The checksum of all members' checksums, and of their names.
  private(set) var contents = CyclicChecksum(.ieee)
  private(set) var names = CyclicChecksum(.castagnoli)

  static let alignment = 64
  /// Sizes and offsets have 32 bits.
  static let largestSize = 0xFFFF_FFFE

  /// - Precondition: the archive stays within `largestSize`.
  mutating func add(_ name: String, _ content: [UInt8]) {
    var checksum = CyclicChecksum(.ieee)
    content.withUnsafeBytes { checksum.update($0) }
    let crc = littleEndian(checksum.value)
    let size = littleEndian(UInt32(content.count))
    crc.withUnsafeBytes { contents.update($0) }
    Array(name.utf8).withUnsafeBytes { names.update($0) }
    let header = bytes.count
    let nameLength = littleEndian(UInt16(name.utf8.count))
    let padding = (Self.alignment - (header + 30 + name.utf8.count + 4) % Self.alignment) % Self.alignment
    // Flags (UTF-8 names; sizes follow the data, if there are any), method "stored", time, date.
    let flags: [UInt8] = [content.isEmpty ? 0 : 8, 8, 0, 0, 0, 0, 0, 0]
    let none = [UInt8](repeating: 0, count: 12)
    let filling = littleEndian(UInt16(padding)) + [UInt8](repeating: UInt8(ascii: "Z"), count: padding)
    bytes += Self.joined([0x50, 0x4B, 3, 4, 0, 0], flags, none, nameLength, littleEndian(UInt16(padding + 4)))
    bytes += Self.joined(Array(name.utf8), Array("FB".utf8), filling)
    bytes += content
    if !content.isEmpty { bytes += Self.joined([0x50, 0x4B, 7, 8], crc, size, size) }
    directory += Self.joined([0x50, 0x4B, 1, 2, 0, 0, 0, 0], flags, crc, size, size, nameLength, none)
    directory += Self.joined(littleEndian(UInt32(header)), Array(name.utf8))
    count += 1
  }

  /// The whole archive, with its table of contents in both forms of the end record.
  var archive: [UInt8] {
    let start = bytes.count
    let size = directory.count
    let number = littleEndian(UInt64(count))
    let wide = Self.joined([0x50, 0x4B, 6, 6, 0x2C, 0, 0, 0, 0, 0, 0, 0, 0x1E, 3, 0x2D, 0], [UInt8](repeating: 0, count: 8), number, number,
                           littleEndian(UInt64(size)), littleEndian(UInt64(start)))
    let locator = Self.joined([0x50, 0x4B, 6, 7, 0, 0, 0, 0], littleEndian(UInt64(start + size)), [1, 0, 0, 0])
    let short = littleEndian(UInt16(min(count, 0xFFFF)))
    let end = Self.joined([0x50, 0x4B, 5, 6, 0, 0, 0, 0], short, short, littleEndian(UInt32(size)), littleEndian(UInt32(start)), [0, 0])
    return Self.joined(bytes, directory, wide, locator, end)
  }

  private static func joined(_ parts: [UInt8]...) -> [UInt8] { parts.flatMap { $0 } }
}
