import Base
import Vision

/// Middlebury's `.flo` format: float32 202021.25 ("PIEH"), int32 width, int32 height, then `(u, v)` float32 pairs, row-major, all
/// little-endian. A vector with a component above 10⁹ is unknown.
///
/// - Source: Baker et al., "A database and evaluation methodology for optical flow", IJCV 2011, and the format note of its benchmark.
public enum FlowFile {
  static let magic: [UInt8] = Array("PIEH".utf8)
  private static let headerSize = 12
  private static let largestSide = 99_999
  /// Components beyond this mark an unknown vector; the writer marks with ten times as much.
  static let unknownThreshold: Float = 1e9
  private static let unknown: Float = 1e10

  /// Decodes a flow field. Unknown vectors (also NaN) become invalid and zero.
  /// - Parameter place: the file's name, for error messages.
  /// - Throws: `.badData` for a wrong magic number, absurd sides, or a file longer or shorter than its header says.
  public static func decode(_ bytes: [UInt8], place: String) throws -> FlowField {
    guard bytes.count >= headerSize else {
      throw Failure(.badData, at: place, "truncated .flo file: \(bytes.count) bytes found, at least \(headerSize) expected")
    }
    guard bytes.starts(with: magic) else {
      throw Failure(.badData, at: place,
                    "no .flo file: it begins with the bytes \(Path.hexadecimal(bytes.prefix(4))), expected 50 49 45 48 (PIEH)")
    }
    let width = Int(Int32(bitPattern: word(of: bytes, at: 4)))
    let height = Int(Int32(bitPattern: word(of: bytes, at: 8)))
    guard (1...largestSide).contains(width), (1...largestSide).contains(height) else {
      throw Failure(.badData, at: place, "absurd .flo header: \(width) x \(height) pixels, expected sides of 1...\(largestSide)")
    }
    let expected = headerSize + 8 * width * height
    guard bytes.count == expected else {
      let kind = bytes.count < expected ? "truncated" : "oversized"
      throw Failure(.badData, at: place,
                    "\(kind) .flo file: \(bytes.count) bytes found, \(expected) expected for \(width) x \(height) vectors")
    }
    return field(height: height, width: width, bytes)
  }

  /// Encodes a flow field; invalid vectors are written as (10¹⁰, 10¹⁰).
  public static func encode(_ flow: FlowField) -> [UInt8] {
    let count = flow.height * flow.width
    return [UInt8](unsafeUninitializedCapacity: headerSize + 8 * count) { buffer, filled in
      let target = UnsafeMutableRawBufferPointer(buffer)
      target.copyBytes(from: magic)
      target.storeBytes(of: UInt32(flow.width).littleEndian, toByteOffset: 4, as: UInt32.self)
      target.storeBytes(of: UInt32(flow.height).littleEndian, toByteOffset: 8, as: UInt32.self)
      for i in 0..<count {
        for c in 0..<2 {
          let value = flow.isValid[i] ? flow.vectors[2 * i + c] : unknown
          target.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: headerSize + 8 * i + 4 * c, as: UInt32.self)
        }
      }
      filled = headerSize + 8 * count
    }
  }

  private static func field(height: Int, width: Int, _ bytes: [UInt8]) -> FlowField {
    var flow = FlowField(height: height, width: width, vectors: Array(repeating: 0, count: 2 * height * width))
    bytes.withUnsafeBytes { source in
      for i in 0..<height * width {
        let u = Float(bitPattern: UInt32(littleEndian: source.loadUnaligned(fromByteOffset: headerSize + 8 * i, as: UInt32.self)))
        let v = Float(bitPattern: UInt32(littleEndian: source.loadUnaligned(fromByteOffset: headerSize + 8 * i + 4, as: UInt32.self)))
        if abs(u) <= unknownThreshold && abs(v) <= unknownThreshold {
          flow.vectors[2 * i] = u
          flow.vectors[2 * i + 1] = v
        } else {
          flow.isValid[i] = false
        }
      }
    }
    return flow
  }

  private static func word(of bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
  }
}
