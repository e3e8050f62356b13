import Base
import CJPEG
import Vision

/// JPEG, read and written by libjpeg-turbo: ITU-T T.81. The stored pixels are taken, whatever an orientation tag says.
public enum JPEG {
  static let magic: [UInt8] = [0xFF, 0xD8, 0xFF]

  /// Decodes to grey or RGB.
  /// - Parameter place: the file's name, for error messages.
  /// - Throws: `.badData` with libjpeg's message if the file is truncated, corrupt, absurdly large, of too many scans, or in CMYK.
  public static func decode(_ bytes: [UInt8], place: String) throws -> Image {
    let header = try header(of: bytes, place: place)
    let (height, width, channels) = (Int(header.height), Int(header.width), Int(header.channels))
    let count = try Codec.pixelCount(height: height, width: width, place: place) * channels
    let pixels = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      if let problem = Codec.message(of: { cjpeg_read(bytes, bytes.count, buffer.baseAddress, count, $0, $1) }) {
        throw unreadable(problem, place)
      }
      filled = count
    }
    return Image(height: height, width: width, channels: channels, pixels: pixels)
  }

  static func header(of bytes: [UInt8], place: String) throws -> cjpeg_header {
    var header = cjpeg_header()
    if let problem = Codec.message(of: { cjpeg_read_header(bytes, bytes.count, &header, $0, $1) }) {
      throw unreadable(problem, place)
    }
    return header
  }

  /// Encodes grey or RGB (alpha is dropped) with chroma at full resolution, because our pictures code values as colours.
  /// - Parameter quality: 1...100 on libjpeg's scale.
  public static func encode(_ image: Image, quality: Int = 95) -> [UInt8] {
    let image = image.channels == 1 ? image : image.rgb()
    let (bytes, problem) = Codec.collect { context in
      Codec.message(of: {
        cjpeg_write(image.pixels, UInt32(image.height), UInt32(image.width), UInt32(image.channels), Int32(quality),
                    { Codec.append($0, $1, $2) }, context, $0, $1)
      })
    }
    if let problem { stop("JPEG.encode: \(image.height)x\(image.width) cannot be written: \(problem)") }
    return bytes
  }

  private static func unreadable(_ problem: String, _ place: String) -> Failure {
    Failure(.badData, at: place, "this JPEG cannot be read: \(problem)")
  }
}
