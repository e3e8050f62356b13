import Base
import CPNG
import Vision

/// Portable Network Graphics, read and written by libpng: ISO/IEC 15948.
///
/// Palettes, 1-, 2- and 4-bit samples and transparency are expanded; grey with alpha becomes RGBA. Gamma and colour profiles are
/// ignored, as in the usual loaders of the data sets; so is an orientation tag.
public enum PNG {
  static let magic: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Decodes to 8 bits a sample; 16-bit files are scaled down and rounded.
  /// - Parameter place: the file's name, for error messages.
  /// - Throws: `.badData` with libpng's message if the file is truncated, corrupt or absurdly large.
  public static func decode(_ bytes: [UInt8], place: String) throws -> Image {
    let header = try header(of: bytes, place: place)
    let (height, width, channels) = (Int(header.height), Int(header.width), Int(header.channels))
    let pixels: [UInt8] = try samples(height * width * channels, of: bytes, place: place)
    return Image(height: height, width: width, channels: channels, pixels: pixels)
  }

  /// Decodes a file of 16 bits a sample without loss.
  /// - Throws: `.badData` as `decode`, and if the file has fewer bits.
  public static func decode16(_ bytes: [UInt8], place: String) throws -> Image16 {
    let header = try header(of: bytes, place: place)
    guard header.bits == 16 else {
      throw Failure(.badData, at: place, "this PNG has \(header.bits) bits a sample, expected 16")
    }
    let (height, width, channels) = (Int(header.height), Int(header.width), Int(header.channels))
    let samples: [UInt16] = try samples(height * width * channels, of: bytes, place: place)
    return Image16(height: height, width: width, channels: channels, samples: samples)
  }

  /// Encodes grey, RGB or RGBA.
  public static func encode(_ image: Image) -> [UInt8] {
    image.pixels.withUnsafeBytes { encode($0, image.height, image.width, image.channels, depth: 8) }
  }

  /// Encodes grey, RGB or RGBA with 16 bits a sample.
  public static func encode(_ image: Image16) -> [UInt8] {
    image.samples.withUnsafeBytes { encode($0, image.height, image.width, image.channels, depth: 16) }
  }

  /// Whether these first bytes of a file announce a PNG of 16-bit RGB: a flow map of KITTI, or a fine picture.
  static func announces16BitRGB(_ bytes: [UInt8]) -> Bool {
    bytes.count >= 26 && bytes.starts(with: magic) && bytes[24] == 16 && bytes[25] == 2
  }

  static func header(of bytes: [UInt8], place: String) throws -> cpng_header {
    var header = cpng_header()
    if let problem = Codec.message(of: { cpng_read_header(bytes, bytes.count, &header, $0, $1) }) {
      throw Failure(.badData, at: place, "this PNG cannot be read: \(problem)")
    }
    _ = try Codec.pixelCount(height: Int(header.height), width: Int(header.width), place: place)
    // Deflate packs at most 1032 bytes into one; a header that claims more comes with a truncated or forged file.
    guard header.packed_size / 1032 <= UInt64(bytes.count) else {
      let claim = "the header claims \(header.width) x \(header.height) pixels, too many for \(bytes.count) bytes"
      throw Failure(.badData, at: place, "this PNG cannot be read: \(claim)")
    }
    return header
  }

  private static func samples<Sample: FixedWidthInteger>(_ count: Int, of bytes: [UInt8], place: String) throws -> [Sample] {
    try read(count, place: place) { cpng_read(bytes, bytes.count, Int32(Sample.bitWidth), $0, $1, $2, $3) }
  }

  /// Samples that one of libpng's shims reads into memory.
  static func read<Sample: FixedWidthInteger>(
    _ count: Int, place: String, _ shim: (UnsafeMutablePointer<Sample>?, Int, UnsafeMutablePointer<CChar>, Int) -> Int32
  ) throws -> [Sample] {
    try Array(unsafeUninitializedCapacity: count) { buffer, filled in
      let size = count * MemoryLayout<Sample>.stride
      if let problem = Codec.message(of: { shim(buffer.baseAddress, size, $0, $1) }) {
        throw Failure(.badData, at: place, "this PNG cannot be read: \(problem)")
      }
      filled = count
    }
  }

  private static func encode(_ samples: UnsafeRawBufferPointer, _ height: Int, _ width: Int, _ channels: Int, depth: Int32) -> [UInt8] {
    let (bytes, problem) = Codec.collect { context in
      Codec.message(of: {
        cpng_write(samples.baseAddress, UInt32(height), UInt32(width), UInt32(channels), depth,
                   { Codec.append($0, $1, $2) }, context, $0, $1)
      })
    }
    if let problem { stop("PNG.encode: \(height)x\(width)x\(channels) cannot be written: \(problem)") }
    return bytes
  }
}
