/// The CRC-32C checksum (Castagnoli): reflected polynomial 0x82F63B78, initial value and final xor 0xFFFFFFFF.
///
/// - Source: G. Castagnoli et al., IEEE Trans. Communications 41 (1993); RFC 3720 B.4. Eight bytes a turn after M. Kounavis
///   and F. Berry, "A systematic approach to building high performance, software-based, CRC generators", ISCC 2005.
public struct CRC32C: Sendable {
  private var state: UInt32 = 0xFFFF_FFFF

  public init() {}

  /// The checksum of all bytes so far.
  public var value: UInt32 { ~state }

  public static func of(_ bytes: [UInt8]) -> UInt32 {
    var checksum = CRC32C()
    bytes.withUnsafeBytes { checksum.update($0) }
    return checksum.value
  }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let tables = CRC32C.tables
    tables.withUnsafeBufferPointer { table in
      var crc = state, index = 0
      while index + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ UInt64(crc)
        crc = table[7 * 256 + Int(word & 0xFF)] ^ table[6 * 256 + Int(word >> 8 & 0xFF)]
        crc ^= table[5 * 256 + Int(word >> 16 & 0xFF)] ^ table[4 * 256 + Int(word >> 24 & 0xFF)]
        crc ^= table[3 * 256 + Int(word >> 32 & 0xFF)] ^ table[2 * 256 + Int(word >> 40 & 0xFF)]
        crc ^= table[256 + Int(word >> 48 & 0xFF)] ^ table[Int(word >> 56)]
        index += 8
      }
      while index < bytes.count {
        crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[index])) & 0xFF)]
        index += 1
      }
      state = crc
    }
  }

  /// `tables[k·256 + b]`: what byte `b` does to the checksum when `k` bytes follow it.
  private static let tables: [UInt32] = {
    var tables = (0..<UInt32(256)).map { byte in (0..<8).reduce(byte) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 } }
    for index in 256..<8 * 256 {
      let before = tables[index - 256]
      tables.append(before >> 8 ^ tables[Int(before & 0xFF)])
    }
    return tables
  }()

  /// The checksum as TensorBoard's records carry it: rotated right by 15 bits, plus a constant.
  static func masked(_ bytes: [UInt8]) -> UInt32 {
    let crc = of(bytes)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
