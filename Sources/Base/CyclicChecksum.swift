/// A cyclic redundancy check of 32 bits, lowest bit first, initial value and final xor 0xFFFFFFFF.
///
/// - Source: W. Peterson, D. Brown, "Cyclic Codes for Error Detection", Proc. IRE 49 (1961). Eight bytes a turn after M. Kounavis
///   and F. Berry, "A systematic approach to building high performance, software-based, CRC generators", ISCC 2005.
package struct CyclicChecksum: Sendable {
  package enum Polynomial: Sendable, CaseIterable {
    /// CRC-32C: checkpoints, TensorBoard records. Reflected 0x82F63B78.
    case castagnoli
    /// CRC-32: zip archives. Reflected 0xEDB88320.
    case ieee
  }

  private let polynomial: Polynomial
  private var state: UInt32 = 0xFFFF_FFFF

  package init(_ polynomial: Polynomial) { self.polynomial = polynomial }

  /// The checksum of all bytes so far.
  package var value: UInt32 { ~state }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let tables = polynomial == .castagnoli ? CyclicChecksum.castagnoli : CyclicChecksum.ieee
    tables.withUnsafeBufferPointer { table in
      var crc = state
      var index = 0
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

  private static let castagnoli = tables(0x82F6_3B78)
  private static let ieee = tables(0xEDB8_8320)

  /// `tables[k·256 + b]`: what byte `b` does to the checksum when `k` bytes follow it.
  private static func tables(_ polynomial: UInt32) -> [UInt32] {
    var tables = (0..<UInt32(256)).map { byte in (0..<8).reduce(byte) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1 } }
    for index in 256..<8 * 256 {
      let before = tables[index - 256]
      tables.append(before >> 8 ^ tables[Int(before & 0xFF)])
    }
    return tables
  }
}
