
/// The CRC-32C checksum (Castagnoli), as checkpoints and TensorBoard's records carry it.
///
/// - Source: G. Castagnoli et al., IEEE Trans. Communications 41 (1993); RFC 3720 B.4.
public struct CRC32C: Sendable {
  private var checksum = CyclicChecksum(.castagnoli)

  public init() {}

  /// The checksum of all bytes so far.
  public var value: UInt32 { checksum.value }

  public static func of(_ bytes: [UInt8]) -> UInt32 {
    var checksum = CRC32C()
    bytes.withUnsafeBytes { checksum.update($0) }
    return checksum.value
  }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) { checksum.update(bytes) }

  /// The checksum as TensorBoard's records carry it: rotated right by 15 bits, plus a constant.
  package static func masked(_ bytes: [UInt8]) -> UInt32 {
    let crc = of(bytes)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
